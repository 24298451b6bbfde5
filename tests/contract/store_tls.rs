//! Stores behind a network prove who they are before a password or a row crosses the wire.

use std::path::PathBuf;

use exportd::secret::Secret;
use exportd::store::{Snapshot, StoreError, StoreKind};

use super::{export, read, table};
use crate::support::databases::{Database, authority};

const SERVERS: [StoreKind; 2] = [StoreKind::Postgres, StoreKind::Mysql];

/// Opens the store under another host name, with full verification, trusting the authority in `ca`.
async fn open(database: &Database, host: &str, ca: Option<PathBuf>) -> Result<Snapshot, StoreError> {
    let mode = match database.kind {
        StoreKind::Postgres => "sslmode=verify-full",
        _ => "ssl-mode=VERIFY_IDENTITY",
    };
    let mut settings = database.settings();
    settings.url = Secret::new(format!("{}?{mode}", database.url.replace("127.0.0.1", host)));
    settings.ca = ca;
    Snapshot::open(&settings).await
}

#[tokio::test]
async fn a_store_with_the_right_certificate_is_read() {
    for kind in SERVERS {
        let database = Database::new(kind).await;
        database.run("CREATE TABLE t (id INT); INSERT INTO t VALUES (7)").await;
        let mut snapshot = open(&database, "localhost", Some(authority(kind))).await.unwrap();
        let rows = read(&mut snapshot, &export(table("t"), &["id"], &["id"]), None).await;
        assert_eq!(rows, [["7"]], "{kind:?}");
    }
}

#[tokio::test]
async fn a_store_that_nobody_vouches_for_is_refused() {
    for kind in SERVERS {
        let database = Database::new(kind).await;
        let other = SERVERS.into_iter().find(|&other| other != kind).map(authority);
        for ca in [None, other] {
            let Err(error) = open(&database, "localhost", ca.clone()).await else { panic!("{kind:?} {ca:?}: opened") };
            assert!(matches!(error, StoreError::Insecure { .. }), "{kind:?} {ca:?}: {error}");
            assert!(error.is_permanent(), "{kind:?} {ca:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    for kind in SERVERS {
        let database = Database::new(kind).await;
        let Err(error) = open(&database, "127.0.0.1", Some(authority(kind))).await else { panic!("{kind:?}: opened") };
        assert!(matches!(error, StoreError::Insecure { .. }), "{kind:?}: {error}");
        let text = error.to_string();
        assert!(text.contains("a host into the URL") && text.contains("127.0.0.1"), "{kind:?}: {text}");
    }
}

#[tokio::test]
async fn an_authority_that_can_not_be_read_is_named() {
    for kind in SERVERS {
        let database = Database::new(kind).await;
        let missing = PathBuf::from("/nowhere/authority.pem");
        let Err(error) = open(&database, "localhost", Some(missing)).await else { panic!("{kind:?}: opened") };
        assert!(error.to_string().contains("/nowhere/authority.pem"), "{kind:?}: {error}");
        assert!(error.is_permanent(), "{kind:?}: {error}");
    }
}
