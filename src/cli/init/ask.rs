//! Questions to a person at a terminal. Off a terminal, or when nobody wants to be asked, only defaults answer.
//!
//! An answer that can't be used is asked for again, and so is what to do after a try that failed. Only a person who
//! quits ends the questions: with `q`, an end of input or Ctrl-C.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::cli::failure::Failure;

/// Whoever answers the questions.
pub struct Asker {
    is_present: bool,
}

/// A question.
pub struct Question<'a> {
    /// The flag that answers it.
    pub flag: &'static str,
    /// Its text, without a colon.
    pub text: &'a str,
    /// What an empty answer means.
    pub default: Option<&'a str>,
}

/// What is known before a question is asked.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    /// The value of the flag, if it is given.
    Flag(Option<&'a str>),
    /// The earlier answer, which is to be changed.
    Answer(&'a str),
}

/// What to do after a try has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try the same once more.
    Again,
    /// Ask for what was tried once more.
    Change,
    /// Go on without it.
    GoOn,
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

    /// The flag's value if it is given; else what the person answers, an empty answer meaning the earlier one or the
    /// default; else the default.
    ///
    /// `read` is the value in its usual form, or what is wrong with it. A form that differs is shown.
    pub fn value(
        &self,
        question: &Question<'_>,
        known: Known<'_>,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, Failure> {
        let default = match known {
            Known::Flag(Some(given)) => {
                return read(given).map_err(|fault| Failure::usage(format!("--{}: {fault}", question.flag)));
            }
            Known::Flag(None) => question.default,
            Known::Answer(earlier) => Some(earlier),
        };
        if !self.is_present {
            let missing = || Failure::usage(format!("--{} is missing: {}", question.flag, question.text));
            return default.map(str::to_owned).ok_or_else(missing);
        }
        loop {
            let answer = match (self.line(question.text, default)?, default) {
                (answer, Some(default)) if answer.is_empty() => default.to_owned(),
                (answer, _) => answer,
            };
            match read(&answer) {
                Ok(value) => {
                    if value != answer {
                        tell(&format!("  understood as {value}"))?;
                    }
                    return Ok(value);
                }
                Err(fault) => tell(&format!("  {fault}"))?,
            }
        }
    }

    /// Tells why a try has failed, and asks what to do. `concerned` are the answers that can be changed, if any; `onward`
    /// says what going on without the try would mean, where that makes sense. Off a terminal the failure is the end.
    pub fn next(&self, failure: Failure, concerned: Option<&str>, onward: Option<&str>) -> Result<Next, Failure> {
        if !self.is_present {
            return Err(failure);
        }
        tell(&format!("\n  {}\n", failure.text.trim_end()))?;
        tell("  Enter  try the same again")?;
        if let Some(concerned) = concerned {
            tell(&format!("  c      change {concerned}"))?;
        }
        if let Some(onward) = onward {
            tell(&format!("  g      {onward}"))?;
        }
        tell("  q      quit; jobs.toml is not written")?;
        loop {
            match self.line("What now?", None)?.to_lowercase().as_str() {
                "" => return Ok(Next::Again),
                "c" if concerned.is_some() => return Ok(Next::Change),
                "g" if onward.is_some() => return Ok(Next::GoOn),
                "q" | "quit" => return Err(Failure::work("stopped; no configuration was written")),
                _ => tell("  type one of these letters, or nothing")?,
            }
        }
    }

    /// One line that the person types, without blanks around it.
    pub fn line(&self, question: &str, default: Option<&str>) -> Result<String, Failure> {
        let default = default.filter(|default| !default.is_empty());
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        prompt(&format!("{question}{shown}: "))?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Err(Failure::usage("there was no answer; no configuration was written"));
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
