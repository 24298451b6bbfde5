//! A real OpenSSH server whose SFTP subsystem leads through the test: a judge decides what becomes of each request
//! before a plain `sftp-server` gets it.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::sftp_pipe::{self, Fate, Judge};
use super::sshd::{Options, Sshd};

/// What sshd starts for the subsystem: both directions go over a TCP connection, and either end is the end of both.
const SUBSYSTEM: &str = "#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/$1 4<&0
cat <&4 >&3 &
cat <&3 &
wait -n
kill $(jobs -p) 2>/dev/null
";

type Shared = Arc<Mutex<Judge>>;

/// The server and its judge.
pub struct Relay {
    pub server: Sshd,
    /// A connection keeps the judge that it began with.
    judge: Arc<Mutex<Shared>>,
    _folder: TempDir,
}

impl Relay {
    pub async fn start() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let subsystem = folder.path().join("subsystem");
        std::fs::write(&subsystem, SUBSYSTEM).unwrap();
        std::fs::set_permissions(&subsystem, std::fs::Permissions::from_mode(0o755)).unwrap();
        let subsystem = format!("{} {}", subsystem.display(), listener.local_addr().unwrap().port());
        let options = Options { subsystem: Some(subsystem), ..Options::default() };
        let judge: Arc<Mutex<Shared>> = Arc::new(Mutex::new(shared(Box::new(|_, _| Fate::Pass))));
        let current = Arc::clone(&judge);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let judge = Arc::clone(&current.lock().unwrap());
                let judge: Judge = Box::new(move |name, count| judge.lock().unwrap()(name, count));
                tokio::spawn(sftp_pipe::serve(stream, judge));
            }
        });
        // Its start is waited for, and others' servers are answered by the same threads.
        let server = tokio::task::block_in_place(|| Sshd::with(options));
        Relay { server, judge, _folder: folder }
    }

    /// From now on the `nth` request (from 1), over all connections, meets `fate`. Returns the count of requests.
    pub fn spoil(&self, nth: usize, fate: Fate) -> Arc<AtomicUsize> {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let judge: Judge =
            Box::new(move |_, _| if counter.fetch_add(1, Ordering::Relaxed) + 1 == nth { fate } else { Fate::Pass });
        *self.judge.lock().unwrap() = shared(judge);
        count
    }
}

fn shared(judge: Judge) -> Shared {
    Arc::new(Mutex::new(judge))
}
