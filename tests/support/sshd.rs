//! A real OpenSSH server for one test: its own folder, keys, configuration and port; it ends with the test.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use exportd::job::{Channels, Publish, SftpDestination, Trust, Verify};
use tempfile::TempDir;

/// What differs from the usual server.
#[derive(Default)]
pub struct Options {
    /// More lines of configuration.
    pub config: Vec<String>,
    /// What answers the sftp subsystem; `internal-sftp` unless given.
    pub subsystem: Option<String>,
    /// The types of its host keys as ssh-keygen names them; ed25519 unless given.
    pub host_keys: Vec<&'static str>,
    /// Sessions run as `nobody`, who is bound by permissions where root is not.
    pub unprivileged: bool,
}

/// A running server. Its folder holds `drop/`, the destination's directory.
pub struct Sshd {
    child: Child,
    folder: TempDir,
    port: u16,
    user: String,
    frozen: Vec<rustix::process::Pid>,
    log: Log,
}

/// What a server has said so far.
type Log = Arc<Mutex<Vec<String>>>;

impl Sshd {
    /// The usual server.
    pub fn start() -> Sshd {
        Sshd::with(Options::default())
    }

    /// A server with `options`.
    pub fn with(options: Options) -> Sshd {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        set_mode(folder.path(), 0o755);
        let root = rustix::process::geteuid().is_root();
        if root {
            // Where the server locks itself in before a login; packages make it at boot.
            std::fs::create_dir_all("/run/sshd").expect("root can make /run/sshd");
        }
        let unprivileged = options.unprivileged && root;
        let user = if unprivileged { "nobody".to_owned() } else { current_user() };
        let drop = folder.path().join("drop");
        std::fs::create_dir(&drop).unwrap();
        if unprivileged {
            run(Command::new("chown").arg("nobody").arg(&drop));
        }
        make_key(&folder.path().join("id"), &["-t", "ed25519", "-N", ""]);
        std::fs::copy(folder.path().join("id.pub"), folder.path().join("authorized_keys")).unwrap();
        let host_keys = if options.host_keys.is_empty() { vec!["ed25519"] } else { options.host_keys };
        // The first value of a setting counts.
        let mut config = options.config;
        config.extend([
            format!("AuthorizedKeysFile {}/authorized_keys", folder.path().display()),
            "PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no".to_owned(),
            format!("Subsystem sftp {}", options.subsystem.as_deref().unwrap_or("internal-sftp")),
        ]);
        for kind in host_keys {
            let path = folder.path().join(format!("host_{kind}"));
            make_key(&path, &["-t", kind, "-N", ""]);
            config.push(format!("HostKey {}", path.display()));
        }
        std::fs::write(folder.path().join("sshd_config"), config.join("\n") + "\n").unwrap();
        let log = Log::default();
        let (child, port) = launch(folder.path(), None, &log);
        Sshd { child, folder, port, user, frozen: Vec::new(), log }
    }

    /// Ends the server; whoever is connected stays so, unless they are frozen.
    pub fn stop(&mut self) {
        for process in self.frozen.drain(..) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it with all its sessions, at once.
    pub fn stop_sessions(&mut self) {
        self.freeze();
        for process in std::mem::take(&mut self.frozen) {
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        }
        self.stop();
    }

    /// Stops it and all its sessions where they are, without ending anything: as a server does whose machine hangs.
    pub fn freeze(&mut self) {
        let mut found = vec![self.child.id()];
        let mut next = 0;
        while next < found.len() {
            let children = format!("/proc/{0}/task/{0}/children", found[next]);
            let children = std::fs::read_to_string(children).unwrap_or_default();
            found.extend(children.split_whitespace().map(|child| child.parse::<u32>().unwrap()));
            next += 1;
        }
        for process in found {
            let process = rustix::process::Pid::from_raw(process.cast_signed()).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::STOP).unwrap();
            self.frozen.push(process);
        }
    }

    /// Starts it again on the same port.
    pub fn start_again(&mut self) {
        (self.child, _) = launch(self.folder.path(), Some(self.port), &self.log);
    }

    /// The directory that files are delivered into.
    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("drop")
    }

    /// A file of the server's folder: `id`, `authorized_keys`, `host_ed25519.pub`, …
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The fingerprint of its host key of a type.
    pub fn fingerprint(&self, kind: &str) -> String {
        fingerprint(&self.file(&format!("host_{kind}.pub")))
    }

    /// A destination that works: the right key, the pinned host key.
    pub fn destination(&self) -> SftpDestination {
        SftpDestination {
            port: self.port,
            user: self.user.clone(),
            directory: self.directory().display().to_string(),
            key: self.file("id"),
            trust: Trust::Pinned(vec![self.fingerprint("ed25519")]),
            ..destination()
        }
    }

    /// Lets the owner of another key in, too.
    pub fn authorize(&self, public_key: &Path) {
        let mut keys = std::fs::read(self.file("authorized_keys")).unwrap();
        keys.extend(std::fs::read(public_key).unwrap());
        std::fs::write(self.file("authorized_keys"), keys).unwrap();
    }

    /// What it has said so far, line by line.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The names in the destination's directory, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        names_in(&self.directory())
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A destination on this machine, all but for what only a server can say: port, user, directory and keys.
pub fn destination() -> SftpDestination {
    SftpDestination {
        host: "127.0.0.1".to_owned(),
        port: 22,
        user: String::new(),
        directory: ".".to_owned(),
        template: None,
        key: PathBuf::new(),
        passphrase: None,
        trust: Trust::Pinned(Vec::new()),
        publish: Publish::Replace,
        allow_gap: false,
        verify: Verify::Size,
        requests: SftpDestination::REQUESTS,
        channels: Channels::Auto,
        max_rate: None,
    }
}

/// The names in a folder, sorted, hidden ones too.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Makes a key pair with ssh-keygen.
pub fn make_key(path: &Path, options: &[&str]) {
    run(Command::new("ssh-keygen").arg("-q").args(options).args(["-C", "test", "-f"]).arg(path));
}

/// The SHA-256 fingerprint of a public key file.
pub fn fingerprint(public_key: &Path) -> String {
    let output = run(Command::new("ssh-keygen").arg("-lf").arg(public_key));
    output.split_whitespace().nth(1).expect("ssh-keygen prints the fingerprint second").to_owned()
}

/// Runs a program to its end and returns what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} is needed by this test: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The user that the tests run as.
pub fn current_user() -> String {
    run(Command::new("id").arg("-un")).trim().to_owned()
}

/// Sets the permissions of a file or folder.
pub fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A port can be taken by somebody else between finding it free and listening on it, so that is tried again.
fn launch(folder: &Path, same_port: Option<u16>, told: &Log) -> (Child, u16) {
    for _ in 0..10 {
        let port = same_port.unwrap_or_else(|| {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        });
        // The server must not outlive a test process that is killed. What the system watches is the thread that has
        // started it, so that thread stays as long as the server has something to say.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "/usr/sbin/sshd", "-D", "-e", "-o"]);
        command.arg(format!("ListenAddress=127.0.0.1:{port}")).arg("-f").arg(folder.join("sshd_config"));
        let (sender, receiver) = mpsc::channel();
        let (started, starting) = mpsc::channel();
        let log = Arc::clone(told);
        std::thread::spawn(move || {
            let child = command.stderr(Stdio::piped()).spawn();
            let mut child = child.expect("this test needs setpriv (util-linux) and /usr/sbin/sshd (openssh-server)");
            let lines = BufReader::new(child.stderr.take().unwrap()).lines();
            started.send(child).unwrap();
            lines.map_while(Result::ok).for_each(|line| {
                log.lock().unwrap().push(line.clone());
                let _ = sender.send(line);
            });
        });
        let mut child = starting.recv().expect("the server's process was started");
        while let Ok(line) = receiver.recv_timeout(Duration::from_secs(20)) {
            if line.contains("Server listening on") {
                return (child, port);
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    panic!("sshd does not start:\n{}", told.lock().unwrap().join("\n"));
}
