//! Servers with self-signed certificates: trusted where `ca` holds exactly the one presented, with its dates and its
//! name, and nowhere else; and every refusal is told in plain words.

use std::path::PathBuf;

use exportd::store::{Snapshot, StoreError, StoreKind};

use super::{export, read};
use crate::support::certificates::{Certificates, SelfSigned, assert_plain};
use crate::support::presenter::Presenter;

const PAST: Option<(&str, &str)> = Some(("20200101000000Z", "20210101000000Z"));
const FUTURE: Option<(&str, &str)> = Some(("20950101000000Z", "20960101000000Z"));

/// The parameter of a URL that asks for a server with a trusted certificate, and for its name too.
fn verified(kind: StoreKind, checks_name: bool) -> &'static str {
    match (kind, checks_name) {
        (StoreKind::Postgres, true) => "sslmode=verify-full",
        (StoreKind::Postgres, false) => "sslmode=verify-ca",
        (_, true) => "ssl-mode=VERIFY_IDENTITY",
        (_, false) => "ssl-mode=VERIFY_CA",
    }
}

struct Bench {
    kind: StoreKind,
    server: Presenter,
    folder: tempfile::TempDir,
}

impl Bench {
    fn start(kind: StoreKind) -> Bench {
        Bench { kind, server: Presenter::start(kind), folder: tempfile::tempdir().unwrap() }
    }

    async fn present(&self, own: SelfSigned) -> PathBuf {
        let made = own.make(self.folder.path());
        self.server.present(&made).await;
        made.server
    }

    async fn open(&self, host: &str, checks_name: bool, ca: Option<&PathBuf>) -> Result<Snapshot, StoreError> {
        let mut settings = self.server.settings(host, verified(self.kind, checks_name));
        settings.ca = ca.cloned();
        Snapshot::open(&settings).await
    }

    /// That the server is refused, in a plain sentence that holds `words`.
    #[track_caller]
    fn assert_refused(&self, opened: Result<Snapshot, StoreError>, words: &[&str]) {
        let Err(error) = opened else { panic!("{:?}: opened, and {words:?} expected", self.kind) };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Insecure { .. }) && error.is_permanent(), "{:?}: {text}", self.kind);
        assert_plain(&text);
        for word in words {
            assert!(text.contains(word), "{:?}: {word:?} is not in: {text}", self.kind);
        }
    }
}

async fn every_kind_of_own_certificate_is_trusted(kind: StoreKind) {
    let bench = Bench::start(kind);
    let rows = match kind {
        StoreKind::Postgres => "SELECT i, repeat('x', 100) AS t FROM generate_series(1, 20000) AS i",
        _ => "SELECT seq AS i, repeat('x', 100) AS t FROM seq_1_to_20000",
    };
    for algorithm in ["rsa", "ec"] {
        for is_authority in [true, false] {
            for names in [Some("DNS:localhost"), None] {
                let own = SelfSigned { algorithm, is_authority, names, ..SelfSigned::USUAL };
                let ca = bench.present(own).await;
                let mut snapshot =
                    bench.open("localhost", true, Some(&ca)).await.unwrap_or_else(|error| panic!("{own:?}: {error}"));
                let source = exportd::catalogue::Source::Query(rows.to_owned());
                let read = read(&mut snapshot, &export(source, &["i", "t"], &["i"]), None).await;
                assert_eq!((read.len(), read[19_999][0].as_str()), (20_000, "20000"), "{own:?}");
                snapshot.close().await;
                // Without its name it is trusted at any address.
                bench.open("127.0.0.1", false, Some(&ca)).await.unwrap_or_else(|error| panic!("{own:?}: {error}"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_trusted_by_its_own_certificate() {
    every_kind_of_own_certificate_is_trusted(StoreKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_is_trusted_by_its_own_certificate() {
    every_kind_of_own_certificate_is_trusted(StoreKind::Mysql).await;
}

async fn what_is_not_right_is_refused_in_plain_words(kind: StoreKind) {
    let bench = Bench::start(kind);
    for is_authority in [true, false] {
        let usual = SelfSigned { is_authority, ..SelfSigned::USUAL };
        let ca = bench.present(usual).await;
        let other_name = bench.open("127.0.0.1", true, Some(&ca)).await;
        bench.assert_refused(other_name, &["is for localhost and not for 127.0.0.1", "write a host into the URL"]);
        bench.assert_refused(bench.open("localhost", true, None).await, &["trusted here", "set `ca` of [store]"]);
        // The same names and dates, and another key.
        let elsewhere = tempfile::tempdir().unwrap();
        let twin = usual.make(elsewhere.path()).server;
        for checks_name in [true, false] {
            let opened = bench.open("localhost", checks_name, Some(&twin)).await;
            bench.assert_refused(opened, &["its certificate"]);
        }

        let ca = bench.present(SelfSigned { names: None, common_name: "db.example", ..usual }).await;
        let opened = bench.open("localhost", true, Some(&ca)).await;
        bench.assert_refused(opened, &["is for db.example and not for localhost"]);
        // An alternative name makes the common name void.
        let ca = bench.present(SelfSigned { names: Some("DNS:db.example"), ..usual }).await;
        let opened = bench.open("localhost", true, Some(&ca)).await;
        bench.assert_refused(opened, &["is for db.example and not for localhost"]);

        for (validity, words) in [(PAST, "expired on 2021-01-01"), (FUTURE, "not valid before 2095-01-01")] {
            let ca = bench.present(SelfSigned { validity, ..usual }).await;
            for checks_name in [true, false] {
                bench.assert_refused(bench.open("localhost", checks_name, Some(&ca)).await, &[words, "clock"]);
            }
        }
    }
    let issued = Certificates::make(bench.folder.path());
    bench.server.present(&issued).await;
    let opened = bench.open("localhost", true, None).await;
    bench.assert_refused(opened, &["comes from an authority that is not trusted here", "set `ca` of [store]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_with_a_wrong_certificate_is_refused_in_plain_words() {
    what_is_not_right_is_refused_in_plain_words(StoreKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_with_a_wrong_certificate_is_refused_in_plain_words() {
    what_is_not_right_is_refused_in_plain_words(StoreKind::Mysql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_or_with_an_old_one_is_refused_in_plain_words() {
    let bench = Bench::start(StoreKind::Postgres);
    let ca = bench.present(SelfSigned::USUAL).await;
    bench.server.configure("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1'").await;
    bench.server.configure("ALTER SYSTEM SET ssl_max_protocol_version = 'TLSv1.1'").await;
    let opened = bench.open("localhost", true, Some(&ca)).await;
    bench.assert_refused(opened, &["its TLS is too old", "TLS 1.2 or 1.3"]);
    bench.server.configure("ALTER SYSTEM SET ssl = off").await;
    let opened = bench.open("localhost", true, Some(&ca)).await;
    bench.assert_refused(opened, &["it offers no TLS", "sslmode=disable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_certificates_is_named() {
    let bench = Bench::start(StoreKind::Postgres);
    let ca = bench.folder.path().join("empty.pem");
    for (text, words) in [
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a certificate that can't be read"),
    ] {
        std::fs::write(&ca, text).unwrap();
        let Err(error) = bench.open("localhost", true, Some(&ca)).await else { panic!("opened") };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Authority { .. }) && text.contains("empty.pem"), "{text}");
        assert!(text.contains(words), "{text}");
        assert_plain(text.split_once("can't be used").expect("what is wrong with it").1);
    }
}
