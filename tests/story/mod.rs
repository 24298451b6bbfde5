//! Stories: the program as a whole, as its users meet it.
