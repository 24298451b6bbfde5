//! How an answer is read: in the forms that people write, and by the rules of the configuration.

use crate::cli::keys;
use crate::config::{check_value, host_key_pin};

/// An answer to which the rules of a job's key apply.
pub fn of_job(key: &'static str) -> impl Fn(&str) -> Result<String, String> {
    move |text| check_value("[[job]]", key, text).map(|()| text.to_owned())
}

/// A time of day. `4:00`, `23h30` and `23.30` are understood.
pub fn time(text: &str) -> Result<String, String> {
    let is_number = |text: &str, digits| digits == text.len() && text.bytes().all(|byte| byte.is_ascii_digit());
    let usual = match text.split_once([':', 'h', 'H', '.']) {
        Some((hours, minutes)) if is_number(minutes, 2) && (is_number(hours, 1) || is_number(hours, 2)) => {
            format!("{hours:0>2}:{minutes}")
        }
        _ => text.to_owned(),
    };
    check_value("[[job]]", "at", usual.as_str())?;
    Ok(usual)
}

/// A job's label, unless it answers the question before.
pub fn label(text: &str) -> Result<String, String> {
    if time(text).is_ok() {
        return Err("this is a time of day; write a name for the job, such as nightly".to_owned());
    }
    of_job("label")(text)
}

/// A host, perhaps with a port.
pub fn host(text: &str) -> Result<String, String> {
    let (host, port) = keys::address(text).map_err(|failure| failure.text)?;
    check_value("[[job]]", "host", host)?;
    check_value("[[job]]", "port", i64::from(port))?;
    Ok(text.to_owned())
}

/// A fingerprint of a host key as somebody has typed or pasted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// The one that can be pinned: `SHA256:…`.
    Sha256(String),
    /// The older one, which can only be compared: `MD5:16:27:…`.
    Md5(String),
}

/// Finds the fingerprint in what was typed: one alone, a line that `ssh-keygen -lf` prints, or one of a public key or
/// of a known_hosts file.
pub fn fingerprint(text: &str) -> Option<Fingerprint> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let alone = words.iter().filter(|word| word.starts_with("SHA256:")).find_map(|word| host_key_pin(word));
    let of_line = || words.windows(2).find_map(|pair| host_key_pin(&pair.join(" ")));
    let older = || words.iter().find_map(|word| md5(word)).map(Fingerprint::Md5);
    alone.or_else(of_line).map(Fingerprint::Sha256).or_else(older)
}

/// Sixteen pairs of hexadecimal digits, with `MD5:` before them or without.
fn md5(word: &str) -> Option<String> {
    let digits = word.strip_prefix("MD5:").or_else(|| word.strip_prefix("md5:")).unwrap_or(word);
    let pairs: Vec<&str> = digits.split(':').collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    (pairs.len() == 16 && pairs.iter().all(is_pair)).then(|| format!("MD5:{}", digits.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_write_them() {
        for (typed, understood) in
            [("04:00", "04:00"), ("4:00", "04:00"), ("23h30", "23:30"), ("23H30", "23:30"), ("7.05", "07:05")]
        {
            assert_eq!(time(typed).as_deref(), Ok(understood));
        }
        for typed in ["25:00", "23h60", "4", "4:0", "4 pm", "4:00 pm", "04:00:00", "noon", "", "444:00", "-4:00"] {
            assert!(time(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_label_is_not_a_time() {
        assert_eq!(label("nightly 4").as_deref(), Ok("nightly 4"));
        assert!(label("4:00").is_err() && label("").is_err() && label(&"x".repeat(101)).is_err());
    }

    #[test]
    fn hosts_have_ports_that_exist() {
        assert!(host("sftp.example").is_ok() && host("[::1]:2222").is_ok() && host("::1").is_ok());
        for typed in ["sftp.example:0", "sftp.example:ssh", "sftp://sftp.example", "a b", "drop@sftp.example", ""] {
            assert!(host(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn fingerprints_are_found_in_every_line_that_has_one() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        let pin = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
        for typed in [
            pin.to_owned(),
            format!("{pin}="),
            format!("256 {pin} github.com (ED25519)"),
            format!("256 {pin} a comment of blanks (ED25519)"),
            key.to_owned(),
            format!("{key} root@sftp"),
            format!("[sftp.example]:2222 {key}"),
            format!("|1|c2FsdA==|aGFzaA== {key} x"),
        ] {
            assert_eq!(fingerprint(&typed), Some(Fingerprint::Sha256(pin.to_owned())), "{typed}");
        }
        let pairs = "16:27:AC:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
        let older = Some(Fingerprint::Md5(format!("MD5:{}", pairs.to_lowercase())));
        for typed in [pairs.to_owned(), format!("MD5:{pairs}"), format!("2048 MD5:{pairs} github.com (RSA)")] {
            assert_eq!(fingerprint(&typed), older, "{typed}");
        }
        for typed in ["", "yes", "SHA256:nothing", "256 SHA256:abc x (ED25519)", "ssh-ed25519 AAAA", "16:27:ac"] {
            assert_eq!(fingerprint(typed), None, "{typed}");
        }
    }
}
