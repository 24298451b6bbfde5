//! The end of a query that nobody waits for any more, on a server that would go on with it.

use std::time::Duration;

use super::{StoreSettings, mysql};

/// How long telling the server may take: whoever is stopped wants to end.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection whose query can be ended from outside.
#[derive(Clone, Debug)]
pub struct Interrupt {
    settings: StoreSettings,
    connection: u64,
}

impl Interrupt {
    pub(super) fn new(settings: StoreSettings, connection: u64) -> Interrupt {
        Interrupt { settings, connection }
    }

    /// Asks the server to end the query, as well as that can be done in a few seconds.
    pub async fn send(&self) {
        match tokio::time::timeout(LIMIT, mysql::kill(&self.settings, self.connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the store could not be told to end a query"),
            Err(_) => tracing::debug!("the store did not take notice of the end of a query in time"),
        }
    }
}
