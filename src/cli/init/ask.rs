//! Questions to a person at a terminal. Off a terminal, or when nobody wants to be asked, only defaults answer.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::failure::Failure;

/// How often somebody may mistype one answer.
const TRIES: usize = 5;

/// Whoever answers the questions.
pub struct Asker {
    is_present: bool,
}

impl Asker {
    /// A person, if there is a terminal and they have not said yes to everything beforehand.
    pub fn new(says_yes: bool) -> Asker {
        Asker { is_present: io::stdin().is_terminal() && io::stderr().is_terminal() && !says_yes }
    }

    /// Whether anybody is there to be asked.
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// The flag's value if it is given; else what the person answers, an empty answer meaning `default`; else `default`.
    /// `check` says what is wrong with a value.
    pub fn value(
        &self,
        flag: (&str, Option<&str>),
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Failure> {
        let (name, given) = flag;
        if let Some(given) = given {
            let refuse = |fault| Failure::usage(format!("--{name}: {fault}"));
            return check(given).map(|()| given.to_owned()).map_err(refuse);
        }
        if !self.is_present {
            let missing = || Failure::usage(format!("--{name} is missing: {question}"));
            return default.map(str::to_owned).ok_or_else(missing);
        }
        for _ in 0..TRIES {
            let answer = match (self.line(question, default)?, default) {
                (answer, Some(default)) if answer.is_empty() => default.to_owned(),
                (answer, _) => answer,
            };
            match check(&answer) {
                Ok(()) => return Ok(answer),
                Err(fault) => tell(&format!("  {fault}"))?,
            }
        }
        Err(Failure::usage("no answer that can be used; nothing was written"))
    }

    /// One line that the person types, without blanks around it.
    pub fn line(&self, question: &str, default: Option<&str>) -> Result<String, Failure> {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        prompt(&format!("{question}{shown}: "))?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Err(Failure::usage("there was no answer; nothing was written"));
        }
        Ok(answer.trim().to_owned())
    }

    /// The same, not shown while it is typed.
    pub fn secret(&self, question: &str) -> Result<String, Failure> {
        let terminal = io::stdin();
        let usual = tcgetattr(&terminal).map_err(io::Error::from)?;
        let mut quiet = usual.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet).map_err(io::Error::from)?;
        let answer = self.line(question, None);
        tcsetattr(&terminal, OptionalActions::Flush, &usual).map_err(io::Error::from)?;
        tell("")?;
        answer
    }
}

/// Says something beside the questions.
pub fn tell(text: &str) -> io::Result<()> {
    writeln!(anstream::stderr().lock(), "{text}")
}

fn prompt(text: &str) -> io::Result<()> {
    let mut out = io::stderr().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
