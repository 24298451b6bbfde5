//! A cancellation request, for tasks that wait and for threads that compute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::RunError;

/// A request to cancel a run. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    flag: Arc<AtomicBool>,
}

impl Cancel {
    /// A request that has not been made.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Makes the request.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.token.cancel();
    }

    /// Whether cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Waits until cancellation is requested.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// The output of `work`, unless cancellation is requested first; then the work is dropped.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, RunError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.cancelled() => Err(RunError::Cancelled),
        }
    }

    /// The same request, for a thread that checks it between two rows.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.flag.clone()
    }
}
