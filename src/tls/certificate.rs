//! The dates and the name of a certificate that is trusted as it is.
//!
//! rustls shows neither of a certificate that it refuses, so the few fields that matter are read here. The bytes are
//! those of a file that the operator has named, so whatever can't be read is refused without further words.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};

/// Tags of DER.
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERAL_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// Object identifiers: a subject's common name, and the extension that holds the names of a host.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// Whether `certificate` is valid `now` and, if a name is given, for that name.
///
/// The name is looked for as libpq does it: among the alternative names, and only where there are none in the
/// subject's common name.
pub(super) fn check(
    certificate: &CertificateDer<'_>,
    name: Option<&ServerName<'_>>,
    now: UnixTime,
) -> Result<(), Error> {
    let fields = Fields::read(certificate).ok_or(CertificateError::BadEncoding)?;
    if now < fields.not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: fields.not_before }.into());
    }
    if now > fields.not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after: fields.not_after }.into());
    }
    let Some(name) = name else { return Ok(()) };
    if fields.has_alternative_names {
        return verify_server_name(&ParsedCertificate::try_from(certificate)?, name);
    }
    if fields.common_name.is_some_and(|common| is_name(common, &name.to_str())) {
        return Ok(());
    }
    let presented = fields.common_name.map(|common| format!("DnsName({common:?})")).into_iter().collect();
    Err(CertificateError::NotValidForNameContext { expected: name.to_owned(), presented }.into())
}

/// Whether a certificate's name is that of `host`; `*` stands for one whole label at its start.
fn is_name(common: &str, host: &str) -> bool {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match (common.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((label, rest))) => {
            domain.contains('.') && !label.is_empty() && host.parse::<std::net::IpAddr>().is_err() && same(domain, rest)
        }
        _ => same(common, host.trim_end_matches('.')),
    }
}

/// What is read of a certificate.
#[derive(Debug)]
struct Fields<'a> {
    not_before: UnixTime,
    not_after: UnixTime,
    common_name: Option<&'a str>,
    has_alternative_names: bool,
}

impl<'a> Fields<'a> {
    fn read(certificate: &'a [u8]) -> Option<Fields<'a>> {
        let mut outer = Reader(Reader(certificate).take(SEQUENCE)?);
        let mut body = Reader(outer.take(SEQUENCE)?);
        body.take(VERSION);
        // Serial number, signature algorithm, issuer.
        body.next()?;
        body.next()?;
        body.next()?;
        let mut validity = Reader(body.take(SEQUENCE)?);
        let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
        let common_name = common_name(body.take(SEQUENCE)?);
        let mut has_alternative_names = false;
        while let Some((tag, content)) = body.next() {
            if tag == EXTENSIONS {
                has_alternative_names = extensions(content)?.contains(&ALTERNATIVE_NAMES);
            }
        }
        Some(Fields { not_before, not_after, common_name, has_alternative_names })
    }
}

/// The identifiers of the extensions.
fn extensions(content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut list = Reader(Reader(content).take(SEQUENCE)?);
    let mut found = Vec::new();
    while let Some(extension) = list.take(SEQUENCE) {
        let mut extension = Reader(extension);
        found.push(extension.take(OBJECT)?);
        // Behind it, perhaps, that it is critical.
        extension.take(OCTETS).or_else(|| extension.next().and_then(|_| extension.take(OCTETS)))?;
    }
    Some(found)
}

/// The first common name of a subject.
fn common_name(subject: &[u8]) -> Option<&str> {
    let mut parts = Reader(subject);
    while let Some(part) = parts.take(SET) {
        let mut attribute = Reader(Reader(part).take(SEQUENCE)?);
        if attribute.take(OBJECT)? == COMMON_NAME {
            let text = std::str::from_utf8(attribute.next()?.1).ok()?;
            return (!text.contains('\0')).then_some(text);
        }
    }
    None
}

/// A time, `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time((tag, content): (u8, &[u8])) -> Option<UnixTime> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let text = match (tag, text.get(..2)?) {
        (UTC_TIME, year) if year < "50" => format!("20{text}"),
        (UTC_TIME, _) => format!("19{text}"),
        (GENERAL_TIME, _) => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?.to_zoned_datetime(TimeZone::UTC).ok()?;
    let seconds = u64::try_from(time.timestamp().as_second()).unwrap_or(0);
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// Elements of DER, one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (digits, behind) =
                rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
            length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length)?;
        self.0 = behind;
        Some((tag, content))
    }

    /// The content of the next element, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.next().map(|(_, content)| content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_is_compared_as_a_whole() {
        assert!(is_name("db.example", "DB.example") && is_name("127.0.0.1", "127.0.0.1"));
        assert!(is_name("*.shop.example", "db.shop.example"));
        for (common, host) in [
            ("db.example", "db.example.org"),
            ("*.shop.example", "a.b.shop.example"),
            ("*.shop.example", "shop.example"),
            ("*.example", "db.example"),
            ("*.0.0.1", "127.0.0.1"),
            ("*", "localhost"),
            ("", "db.example"),
        ] {
            assert!(!is_name(common, host), "{common} {host}");
        }
    }

    #[test]
    fn times_of_both_forms_are_read() {
        let seconds = |tag, text: &str| time((tag, text.as_bytes())).map(|time| time.as_secs());
        assert_eq!(seconds(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(seconds(GENERAL_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "4912312359"), None);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x82, 0x01], &[0x30, 0x05, 0x30], &[0x30, 0xff, 0, 0]] {
            assert!(Fields::read(bytes).is_none(), "{bytes:?}");
        }
    }
}
