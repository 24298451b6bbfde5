//! How fast a file goes up: a session of the library over the pipe of a bare `sftp-server`, and over an sshd of its own.
//!
//! Throughput is that of the file's bytes, from the making of the remote file to its close, the server's sync included.
//! Over the pipe nothing is encrypted, so the difference is what SSH costs on both sides. Needs OpenSSH's server; what
//! it writes lies in a folder for temporary files.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exportd::deliver::{Session, Settings};
use exportd::growth::Follower;
use exportd::job::{Channels, Publish, SftpDestination, Trust, Verify};
use exportd::tuning::Tuning;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SIZE: u64 = 64 << 20;
const SMALL: u64 = 10 << 10;

/// How many small files go up side by side in one round.
const MANY: usize = 100;

/// A process that ends with the bench.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(command: &mut Command) -> String {
    let output = command.output().expect("OpenSSH's programs are installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn file(folder: &TempDir, name: &str, size: u64) -> PathBuf {
    let path = folder.path().join(name);
    let bytes: Vec<u8> = (0..size).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    fs::write(&path, bytes).expect("the folder takes a file");
    path
}

/// A server that answers at the end of a pipe, and its session.
fn pipe(runtime: &Runtime, folder: &Path) -> (Ended, Session) {
    let _runtime = runtime.enter();
    let mut child = Command::new("/usr/lib/openssh/sftp-server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("OpenSSH's sftp-server is installed");
    let output = child.stdout.take().expect("it is a pipe");
    let input = child.stdin.take().expect("it is a pipe");
    let output = tokio::process::ChildStdout::from_std(output).expect("a pipe can be waited for");
    let input = tokio::process::ChildStdin::from_std(input).expect("a pipe can be waited for");
    let session = runtime.block_on(Session::over(tokio::io::join(output, input), &folder.display().to_string()));
    (Ended(child), session.expect("the server answers"))
}

/// An sshd on a free port, and a destination that it lets in.
fn sshd(folder: &Path) -> (Ended, SftpDestination) {
    for name in ["host", "user"] {
        program(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name)));
    }
    // Where the server locks itself in before a login; packages make it at boot, and root needs it.
    let _ = fs::create_dir_all("/run/sshd");
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it has an address").port();
    drop(listener);
    let at = folder.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nStrictModes no\n\
         UsePAM no\nPidFile none\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    );
    fs::write(folder.join("config"), config).expect("the folder takes a file");
    let mut command = Command::new("/usr/sbin/sshd");
    let child = command.args(["-D", "-f"]).arg(folder.join("config")).spawn().expect("sshd is installed");
    let server = Ended(child);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "sshd listens soon");
        std::thread::yield_now();
    }
    let fingerprint = program(Command::new("ssh-keygen").arg("-lf").arg(folder.join("host.pub")));
    let pin = fingerprint.split_whitespace().nth(1).expect("ssh-keygen prints the fingerprint second").to_owned();
    let destination = SftpDestination {
        host: "127.0.0.1".to_owned(),
        port,
        user: program(Command::new("id").arg("-un")).trim().to_owned(),
        directory: folder.display().to_string(),
        template: None,
        key: folder.join("user"),
        passphrase: None,
        trust: Trust::Pinned(vec![pin]),
        publish: Publish::Replace,
        allow_gap: false,
        verify: Verify::Size,
        requests: SftpDestination::REQUESTS,
        channels: Channels::Auto,
        max_rate: None,
    };
    (server, destination)
}

/// Uploads a large file, and removes it again for the next time.
fn large(runtime: &Runtime, session: &Session, path: &Path) {
    let sent = AtomicU64::new(0);
    runtime.block_on(async {
        session
            .upload(
                path,
                Follower::of_whole(fs::metadata(path).expect("the file is there").len()),
                ".large.part",
                &sent,
            )
            .await
            .expect("the server takes the file");
        session.remove(None, ".large.part").await.expect("the server lets it go");
    });
}

/// The same with many small ones at a time.
fn small(runtime: &Runtime, session: &Session, path: &Path) {
    runtime.block_on(async {
        let uploads = (0..MANY).map(async |number| {
            let (name, sent) = (format!(".{number}.part"), AtomicU64::new(0));
            session
                .upload(path, Follower::of_whole(fs::metadata(path).expect("the file is there").len()), &name, &sent)
                .await
                .expect("the server takes the file");
            session.remove(None, &name).await.expect("the server lets it go");
        });
        futures_util::future::join_all(uploads).await
    });
}

fn uploads(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime starts");
    let (here, there) = (tempfile::tempdir(), tempfile::tempdir());
    let (here, there) = (here.expect("a folder can be made"), there.expect("a folder can be made"));
    let (whole, piece) = (file(&here, "large", SIZE), file(&here, "small", SMALL));
    let (_server, over_pipe) = pipe(&runtime, there.path());
    let (_sshd, destination) = sshd(there.path());
    let open = |settings| runtime.block_on(Session::open_with(&destination, settings)).expect("the server lets us in");
    let far = Tuning { far: Duration::ZERO, ..Tuning::DEFAULT };
    let (one, ten) = (open(Settings::default()), open(Settings { tuning: far, ..Settings::default() }));

    let mut group = c.benchmark_group("upload");
    group.sample_size(10).throughput(Throughput::Bytes(SIZE));
    for (name, session) in [("pipe", &over_pipe), ("ssh, one channel", &one), ("ssh, ten channels", &ten)] {
        group.bench_function(name, |b| b.iter(|| large(&runtime, session, &whole)));
    }
    group.throughput(Throughput::Elements(MANY as u64));
    for (name, session) in [("small files over a pipe", &over_pipe), ("small files over ssh", &one)] {
        group.bench_function(name, |b| b.iter(|| small(&runtime, session, &piece)));
    }
    group.finish();
}

criterion_group!(benches, uploads);
criterion_main!(benches);
