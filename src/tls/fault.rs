//! What went wrong with TLS, in our words: what is wrong with the server's certificate, and what to do.
//!
//! rustls's own texts are written for programmers, so none of them is shown.

use std::fmt;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use crate::wording::io_error;

/// How many of a certificate's names are shown.
const NAMES: usize = 4;

/// Why a server is not trusted, or no TLS connection came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// No trusted certificate vouches for the server's.
    UnknownIssuer,
    /// The server's certificate is an authority's, as self-signed ones usually are, and not a trusted one.
    Untrusted,
    /// The server's certificate has expired, on that date if it is known.
    Expired(Option<String>),
    /// The server's certificate is not valid before that date.
    NotYetValid(Option<String>),
    /// The server's certificate is for other hosts.
    OtherName {
        /// The host that was asked for.
        host: Option<String>,
        /// The hosts that the certificate is for.
        names: Vec<String>,
    },
    /// The server's certificate is made for something else.
    OtherPurpose,
    /// The server's certificate is revoked.
    Revoked,
    /// The signature of the certificate, or of the server, is wrong or of an unsafe kind.
    Signature,
    /// The server's certificate can't be read, or is of an outdated form.
    Unreadable,
    /// The server offers no TLS.
    NoTls,
    /// What answers does not speak TLS.
    NotTls,
    /// The server's TLS is too old, or has no cipher in common with ours.
    OldTls,
    /// The server wants a certificate from us.
    ClientCertificate,
    /// The server broke off the handshake.
    Refused,
    /// Anything else.
    Other,
}

impl TlsFault {
    /// What an error of rustls means.
    pub fn of(error: &Error) -> TlsFault {
        match error {
            Error::InvalidCertificate(error) => of_certificate(error),
            Error::NoCertificatesPresented | Error::UnsupportedNameType => TlsFault::Unreadable,
            Error::PeerIncompatible(_) => TlsFault::OldTls,
            Error::InvalidMessage(_) => TlsFault::NotTls,
            Error::AlertReceived(alert) => of_alert(*alert),
            _ => TlsFault::Other,
        }
    }

    /// The same of an error that rustls has wrapped into one of a connection; none if it is no error of TLS.
    pub fn of_io(error: &io::Error) -> Option<TlsFault> {
        error.get_ref()?.downcast_ref::<Error>().map(TlsFault::of)
    }

    /// Whether it is the certificate that is refused, and not TLS as such.
    pub fn is_of_certificate(&self) -> bool {
        use TlsFault::*;
        matches!(self, UnknownIssuer | Untrusted | OtherName { .. } | OtherPurpose | Signature | Unreadable)
    }

    /// What to do about it, where `table` of the configuration holds `ca`.
    pub fn remedy(&self, table: &str) -> String {
        match self {
            TlsFault::UnknownIssuer => {
                format!("set `ca` of {table} to the certificate of that authority, or to the server's own")
            }
            TlsFault::Untrusted => format!("set `ca` of {table} to a file with this certificate"),
            TlsFault::Expired(_) => "have it renewed, and check this machine's clock".to_owned(),
            TlsFault::NotYetValid(_) => "check the clocks of both machines".to_owned(),
            TlsFault::OtherName { names, .. } if names.is_empty() => {
                "have one made that names the host of the URL (subjectAltName)".to_owned()
            }
            TlsFault::OtherName { .. } => {
                "write a host into the URL that it names, or have one made for this host".to_owned()
            }
            TlsFault::OtherPurpose => "have one made for TLS servers (serverAuth)".to_owned(),
            TlsFault::Revoked => "have a new one made".to_owned(),
            TlsFault::Signature => {
                "have one made with SHA-256 and an RSA key of at least 2048 bits, or with ECDSA P-256".to_owned()
            }
            TlsFault::Unreadable => {
                "have one made of X.509 version 3, for instance with `openssl req -x509`".to_owned()
            }
            TlsFault::NoTls => "have TLS switched on there, or add sslmode=disable (MySQL: ssl-mode=DISABLED) to the \
                                URL if nobody can stand in between"
                .to_owned(),
            TlsFault::NotTls => "check host and port".to_owned(),
            TlsFault::OldTls => "have TLS 1.2 or 1.3 with the usual ciphers switched on there".to_owned(),
            TlsFault::ClientCertificate if table == "[store]" => {
                "name one with sslcert and sslkey (MySQL: ssl-cert and ssl-key) in the URL".to_owned()
            }
            TlsFault::ClientCertificate => format!("{table} has none to show: log in with `bearer` or `headers`"),
            TlsFault::Refused | TlsFault::Other => "its log may say why; check host, port and certificate".to_owned(),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TlsFault::UnknownIssuer => "its certificate comes from an authority that is not trusted here",
            TlsFault::Untrusted => "its certificate is self-signed, or an authority's own, and not trusted here",
            TlsFault::Expired(Some(date)) => return write!(f, "its certificate expired on {date}"),
            TlsFault::Expired(None) => "its certificate has expired",
            TlsFault::NotYetValid(Some(date)) => return write!(f, "its certificate is not valid before {date}"),
            TlsFault::NotYetValid(None) => "its certificate is not valid yet",
            TlsFault::OtherName { host, names } => return other_name(f, host.as_deref(), names),
            TlsFault::OtherPurpose => "its certificate is not made for servers",
            TlsFault::Revoked => "its certificate is revoked",
            TlsFault::Signature => "its certificate has a signature or a key that is wrong or not safe",
            TlsFault::Unreadable => "its certificate can't be read, or is of an outdated form",
            TlsFault::NoTls => "it offers no TLS",
            TlsFault::NotTls => "what answers there does not speak TLS",
            TlsFault::OldTls => "its TLS is too old, or has no cipher in common with ours",
            TlsFault::ClientCertificate => "it wants a certificate from us",
            TlsFault::Refused => "it broke off the TLS handshake",
            TlsFault::Other => "the TLS handshake failed",
        })
    }
}

fn other_name(f: &mut fmt::Formatter<'_>, host: Option<&str>, names: &[String]) -> fmt::Result {
    match names {
        [] => f.write_str("its certificate names no host")?,
        names => {
            write!(f, "its certificate is for {}", names[..names.len().min(NAMES)].join(", "))?;
            if names.len() > NAMES {
                write!(f, " and {} more", names.len() - NAMES)?;
            }
        }
    }
    match host {
        Some(host) => write!(f, " and not for {host}"),
        None => f.write_str(" and not for the host that was asked for"),
    }
}

fn of_certificate(error: &CertificateError) -> TlsFault {
    use CertificateError::*;
    match error {
        UnknownIssuer => TlsFault::UnknownIssuer,
        Expired => TlsFault::Expired(None),
        ExpiredContext { not_after, .. } => TlsFault::Expired(date(not_after)),
        NotValidYet => TlsFault::NotYetValid(None),
        NotValidYetContext { not_before, .. } => TlsFault::NotYetValid(date(not_before)),
        NotValidForName => TlsFault::OtherName { host: None, names: Vec::new() },
        NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| bare(name)).collect();
            TlsFault::OtherName { host: Some(expected.to_str().into_owned()), names }
        }
        InvalidPurpose | InvalidPurposeContext { .. } => TlsFault::OtherPurpose,
        Revoked => TlsFault::Revoked,
        BadSignature
        | UnsupportedSignatureAlgorithmContext { .. }
        | UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsFault::Signature,
        // rustls hands over what webpki found without a variant of its own.
        Other(error) if error.0.to_string() == "CaUsedAsEndEntity" => TlsFault::Untrusted,
        _ => TlsFault::Unreadable,
    }
}

fn of_alert(alert: AlertDescription) -> TlsFault {
    match alert {
        AlertDescription::CertificateRequired => TlsFault::ClientCertificate,
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => TlsFault::OldTls,
        _ => TlsFault::Refused,
    }
}

fn date(time: &UnixTime) -> Option<String> {
    let time = Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()?;
    Some(time.strftime("%Y-%m-%d").to_string())
}

/// The name within `DnsName("db.example")` or `IpAddress(10.0.0.1)`, without characters that could steer a terminal.
fn bare(presented: &str) -> String {
    let inner = presented.split_once('(').map_or(presented, |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.*:".contains(*c);
    inner.chars().filter(plain).take(100).collect()
}

/// An error of a connection, with TLS or without, in words, and without those of rustls.
pub fn connection_error(error: &io::Error) -> String {
    if let Some(fault) = TlsFault::of_io(error) {
        return fault.to_string();
    }
    // rustls tells an end without a good-bye with an address on the web.
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "the server closed the connection".to_owned();
    }
    io_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_bare() {
        assert_eq!(bare("DnsName(\"db.example\")"), "db.example");
        assert_eq!(bare("IpAddress(10.0.0.1)"), "10.0.0.1");
        assert_eq!(bare("\u{1b}[31mDnsName(\"a\u{1b}[0m\")"), "a0m");
        let names = (1..=6).map(|n| format!("h{n}")).collect();
        let fault = TlsFault::OtherName { host: Some("db".to_owned()), names };
        assert_eq!(fault.to_string(), "its certificate is for h1, h2, h3, h4 and 2 more and not for db");
    }

    #[test]
    fn an_end_without_a_good_bye_is_told_in_our_words() {
        assert_eq!(connection_error(&io::Error::from_raw_os_error(111)), "connection refused");
        let end = io::Error::new(io::ErrorKind::UnexpectedEof, "peer closed connection without …");
        assert_eq!(connection_error(&end), "the server closed the connection");
    }
}
