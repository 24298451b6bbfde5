//! Damaged certificates.

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;
use crate::fuzz::attack;

/// The input is a file of trusted certificates; each of them then is what a server shows.
#[test]
fn certificates() {
    let words = ["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "\n", "="];
    attack("certificates", &words, |input| {
        let trusted = Trusted::decode(input)?;
        let shown: Vec<_> = trusted.0.iter().map(|certificate| outcome(certificate)).collect();
        Ok::<_, String>(shown)
    });
}

/// The input is a certificate as it is in the file, without the armour of PEM, which mutations seldom leave whole.
#[test]
fn certificate_fields() {
    attack("certificate_fields", &["260101000000Z", "localhost", "*.", "0\u{7f}"], |input| {
        outcome(&CertificateDer::from(input.to_vec()))
    });
}

fn outcome(certificate: &CertificateDer<'_>) -> Vec<String> {
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_000_000));
    let names = ["localhost", "127.0.0.1", "a.example"].map(|name| ServerName::try_from(name).unwrap());
    let of = |name| match certificate::check(certificate, name, now) {
        Ok(()) => "trusted".to_owned(),
        Err(error) => TlsFault::of(&error).to_string(),
    };
    names.iter().map(Some).chain([None]).map(of).collect()
}
