//! Cancels a query on a server that does not notice by itself that its client is gone.

use std::time::Duration;

use super::{StoreSettings, mysql};

/// How long cancelling may take: a program that is being stopped should end soon.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection whose query can be cancelled over another one.
#[derive(Clone, Debug)]
pub struct Interrupt {
    settings: StoreSettings,
    connection: u64,
}

impl Interrupt {
    pub(super) fn new(settings: StoreSettings, connection: u64) -> Interrupt {
        Interrupt { settings, connection }
    }

    /// Asks the server to cancel the query. Gives up after a few seconds.
    pub async fn send(&self) {
        match tokio::time::timeout(LIMIT, mysql::kill(&self.settings, self.connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the store could not be told to end a query"),
            Err(_) => tracing::debug!("the store did not take notice of the end of a query in time"),
        }
    }
}
