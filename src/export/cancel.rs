//! The wish that a run ends early, as both kinds of work see it: tasks that wait and threads that compute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use super::RunError;

/// The wish that a run ends early. Clones are the same wish.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    flag: Arc<AtomicBool>,
}

impl Cancel {
    /// A wish that nobody has expressed yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Expresses the wish.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.token.cancel();
    }

    /// Whether the wish has been expressed.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Waits until the wish is expressed.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// What `work` yields, unless the wish is expressed before; then the work is dropped where it stands.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, RunError> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.cancelled() => Err(RunError::Cancelled),
        }
    }

    /// The same wish for a thread that looks at it between two rows.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.flag.clone()
    }
}
