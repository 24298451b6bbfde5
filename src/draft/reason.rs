//! Why a draft holds a column back.

use std::fmt;

/// Why a column is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A name of a person, or a person.
    Name,
    /// An e-mail address.
    Mail,
    /// A phone or fax number.
    Phone,
    /// A postal address or a part of one.
    Address,
    /// Birth, age or death.
    Birth,
    /// Gender, nationality, marital status, profession.
    Trait,
    /// Children, spouse, household.
    Family,
    /// Health, belief, origin and the like, which the law protects most.
    Special,
    /// A number that an office gave to a person.
    Official,
    /// A bank account or card.
    Bank,
    /// Pay and debts.
    Income,
    /// A password, key or token.
    Secret,
    /// The name of an account.
    Login,
    /// What tells one device or connection from others.
    Online,
    /// Where something or somebody is.
    Location,
    /// A picture, voice or signature.
    Image,
    /// What a person did and when.
    Conduct,
    /// Text that people write, often about people.
    Text,
    /// JSON and bytes: anything can be inside.
    Opaque,
    /// Text whose name does not say that it is harmless.
    Unclear,
    /// A number, flag, date or code about a person whose name does not say that it is harmless.
    Detail,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Name => "may name a person",
            Reason::Mail => "e-mail",
            Reason::Phone => "phone or fax",
            Reason::Address => "part of an address",
            Reason::Birth => "birth, age or death",
            Reason::Trait => "personal trait",
            Reason::Family => "family or household",
            Reason::Special => "health, belief or origin",
            Reason::Official => "official number",
            Reason::Bank => "bank account or card",
            Reason::Income => "pay or debt",
            Reason::Secret => "secret",
            Reason::Login => "account name",
            Reason::Online => "device or connection",
            Reason::Location => "location",
            Reason::Image => "picture, voice or signature",
            Reason::Conduct => "what a person did",
            Reason::Text => "text that may tell about persons",
            Reason::Opaque => "can hold anything",
            Reason::Unclear => "text, and its name does not say of what",
            Reason::Detail => "may be a detail about a person",
        })
    }
}

impl Reason {
    /// The reason that a word list calls `name`. `Opaque`, `Unclear` and `Detail` are no matter of words.
    pub(super) fn named(name: &str) -> Option<Reason> {
        Some(match name {
            "name" => Reason::Name,
            "mail" => Reason::Mail,
            "phone" => Reason::Phone,
            "address" => Reason::Address,
            "birth" => Reason::Birth,
            "trait" => Reason::Trait,
            "family" => Reason::Family,
            "special" => Reason::Special,
            "official" => Reason::Official,
            "bank" => Reason::Bank,
            "income" => Reason::Income,
            "secret" => Reason::Secret,
            "login" => Reason::Login,
            "online" => Reason::Online,
            "location" => Reason::Location,
            "image" => Reason::Image,
            "conduct" => Reason::Conduct,
            "text" => Reason::Text,
            _ => return None,
        })
    }

    /// Whether it is about the person as such, so that no `status`, `type` or `count` behind the word makes it harmless.
    pub(super) fn is_lasting(self) -> bool {
        matches!(
            self,
            Reason::Birth
                | Reason::Trait
                | Reason::Family
                | Reason::Special
                | Reason::Official
                | Reason::Income
                | Reason::Conduct
        )
    }

    /// Whether a whole table of this name tells it of the people it refers to.
    pub(super) fn is_of_tables(self) -> bool {
        matches!(self, Reason::Family | Reason::Special | Reason::Income)
    }
}
