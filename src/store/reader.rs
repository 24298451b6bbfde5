//! The thread that a store is read on.

use std::io;
use std::marker::PhantomData;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long rows are left to gather before they are waited for.
///
/// A server sends rows in pieces of 8 or 16 KB. A reader that waits at once is woken for every piece, which costs both
/// sides more than the piece: a sixth of all the work of a large export. A nap twice as long gains nothing further, and a
/// server that sends 300 MB a second sends 150 KB meanwhile, which the buffer of a connection grows to hold.
const NAP: Duration = Duration::from_micros(500);

/// Proof that this is a thread that does nothing but read a store, and so may block while it has nothing to do.
///
/// It has a runtime of its own. Among the program's other connections, every piece of rows that arrives would wake one
/// of their threads, even while nobody wants it yet.
#[derive(Debug)]
pub struct ReaderThread {
    /// Keeps it from being sent to a thread of which this is not true.
    stays: PhantomData<*const ()>,
}

/// Why there is no result of a reader thread.
#[derive(Debug)]
pub enum ReaderFault {
    /// The system has no room for its runtime.
    NoRuntime(io::Error),
    /// It panicked.
    Panicked,
    /// The program is ending.
    Stopped,
}

impl ReaderThread {
    /// Does `work` on a new thread.
    pub async fn run<T: Send + 'static>(
        work: impl AsyncFnOnce(&ReaderThread) -> T + Send + 'static,
    ) -> Result<T, ReaderFault> {
        let thread = tokio::task::spawn_blocking(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let result = runtime.block_on(work(&ReaderThread { stays: PhantomData }));
            // A host name that is still being looked up need not be waited for.
            runtime.shutdown_background();
            Ok::<T, io::Error>(result)
        });
        match thread.await {
            Ok(result) => result.map_err(ReaderFault::NoRuntime),
            Err(error) if error.is_panic() => Err(ReaderFault::Panicked),
            Err(_) => Err(ReaderFault::Stopped),
        }
    }

    /// Blocks the thread while rows gather.
    pub(super) fn nap(&self) {
        thread::sleep(NAP);
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Handle, RuntimeFlavor};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_has_a_thread_and_a_runtime_of_its_own() {
        let caller = thread::current().id();
        let (reader, flavor) = ReaderThread::run(async |thread| {
            thread.nap();
            (thread::current().id(), Handle::current().runtime_flavor())
        })
        .await
        .unwrap();
        assert_ne!(reader, caller);
        assert_eq!(flavor, RuntimeFlavor::CurrentThread);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_not_passed_on() {
        let result = ReaderThread::run(async |_| assert!(Handle::try_current().is_err(), "as the test wants it")).await;
        assert!(matches!(result, Err(ReaderFault::Panicked)), "{result:?}");
    }
}
