//! SFTP servers of several kinds, each for one test: real ones, and OpenSSH's with one odd habit in front of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use exportd::job::{SftpDestination, Trust};

use super::sshd::{self, Sshd, current_user, fingerprint, make_key, run};

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder on this machine, and no server.
    Folder,
    /// OpenSSH with its own sftp server.
    OpenSsh,
    /// ProFTPD's mod_sftp.
    ProFtpd,
    /// AsyncSSH, in Python.
    AsyncSsh,
    /// paramiko, in Python.
    Paramiko,
    /// OpenSSH with these habits of `odd_sftp.py`.
    Odd(&'static [&'static str]),
}

/// A running server. Its folder holds `drop/`, the destination's directory, and `taken/`.
pub struct Server {
    destination: Option<SftpDestination>,
    root: PathBuf,
    _running: Running,
}

/// Held until the test is over.
#[expect(dead_code, reason = "dropping it is what ends the server")]
enum Running {
    Sshd(Sshd),
    Program(Ended, tempfile::TempDir),
    Folder(tempfile::TempDir),
}

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts one.
    pub fn start(kind: Kind) -> Server {
        Server::with(kind, &[])
    }

    /// Starts one with options that only its program knows: for `AsyncSsh` and `Paramiko`, arguments of the script; for
    /// `ProFtpd`, more lines of its configuration.
    pub fn with(kind: Kind, options: &[&str]) -> Server {
        match kind {
            Kind::Folder => Server::folder(),
            Kind::OpenSsh => Server::openssh("internal-sftp".to_owned()),
            Kind::Odd(habits) => {
                let (python, script) = (python(), script("odd_sftp.py"));
                Server::openssh(format!("{} -IS {} {}", python.display(), script.display(), habits.join(" ")))
            }
            Kind::ProFtpd => Server::program(|folder| proftpd(folder, options)),
            Kind::AsyncSsh => Server::program(|folder| python_server("asyncssh_server.py", folder, options)),
            Kind::Paramiko => Server::program(|folder| python_server("paramiko_server.py", folder, options)),
        }
    }

    fn openssh(subsystem: String) -> Server {
        let sshd = Sshd::with(sshd::Options { subsystem: Some(subsystem), ..sshd::Options::default() });
        let root = sshd.file("");
        std::fs::create_dir(root.join("taken")).unwrap();
        Server { destination: Some(sshd.destination()), root, _running: Running::Sshd(sshd) }
    }

    fn program(start: impl FnOnce(&Path) -> (Child, u16)) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().to_owned();
        for name in ["drop", "taken"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        for name in ["id", "host"] {
            make_key(&root.join(name), &["-t", "ed25519", "-N", ""]);
        }
        let (child, port) = start(&root);
        let destination = SftpDestination {
            port,
            user: current_user(),
            directory: root.join("drop").display().to_string(),
            key: root.join("id"),
            trust: Trust::Pinned(vec![fingerprint(&root.join("host.pub"))]),
            ..sshd::destination()
        };
        let destination = Some(destination);
        Server { destination, root, _running: Running::Program(Ended(child), folder) }
    }

    fn folder() -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let root = folder.path().to_owned();
        for name in ["drop", "taken"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        Server { destination: None, root, _running: Running::Folder(folder) }
    }

    /// A destination that works.
    pub fn destination(&self) -> SftpDestination {
        self.sftp().expect("a server, and not a folder")
    }

    /// The same; none for a folder.
    pub fn sftp(&self) -> Option<SftpDestination> {
        self.destination.clone()
    }

    /// The directory that files are delivered into.
    pub fn directory(&self) -> PathBuf {
        self.root.join("drop")
    }

    /// The names in it, hidden ones too.
    pub fn names(&self) -> Vec<String> {
        sshd::names_in(&self.directory())
    }

    /// Empties both folders.
    pub fn clear(&self) {
        for folder in [self.directory(), self.taken()] {
            std::fs::remove_dir_all(&folder).unwrap();
            std::fs::create_dir(&folder).unwrap();
        }
    }

    /// Where servers that move files away move them to.
    pub fn taken(&self) -> PathBuf {
        self.root.join("taken")
    }
}

/// The Python that has the packages that the servers need.
fn python() -> PathBuf {
    let python = std::env::var_os("EXPORTD_TEST_PYTHON");
    let python = python.expect("EXPORTD_TEST_PYTHON names a Python with asyncssh and paramiko; scripts/test makes one");
    std::path::absolute(python).expect("the path of a program")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/servers").join(name)
}

fn python_server(name: &str, folder: &Path, options: &[&str]) -> (Child, u16) {
    let mut child = Command::new(python())
        .arg(script(name))
        .args([folder.join("host"), folder.join("id.pub")])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Python can be started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} does not start: it said {line:?}"));
    (child, port)
}

const PROFTPD: &str = "/usr/sbin/proftpd";

/// A port can be taken by somebody else between finding it free and listening on it, so that is tried again.
fn proftpd(folder: &Path, options: &[&str]) -> (Child, u16) {
    let rfc4716 = run(Command::new("ssh-keygen").args(["-e", "-f"]).arg(folder.join("id.pub")));
    std::fs::write(folder.join("authorized"), rfc4716).unwrap();
    let [user, uid, gid] = ["-un", "-u", "-g"].map(|option| run(Command::new("id").arg(option)).trim().to_owned());
    let home = folder.display();
    std::fs::write(folder.join("passwd"), format!("{user}:x:{uid}:{gid}::{home}:/bin/sh\n")).unwrap();
    sshd::set_mode(&folder.join("passwd"), 0o600);
    let group = run(Command::new("id").arg("-gn"));
    let mut log = String::new();
    for _ in 0..10 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let config = format!(
            "ModulePath /usr/lib/proftpd\nLoadModule mod_sftp.c\nServerName test\nServerType standalone\n\
             DefaultAddress 127.0.0.1\nSocketBindTight on\nPort {port}\nUseIPv6 off\nUseReverseDNS off\nWtmpLog off\n\
             User {user}\nGroup {group}\nRootLogin on\nUseFtpUsers off\nDelayEngine off\nRequireValidShell off\nAllowOverwrite on\n\
             AuthOrder mod_auth_file.c\nAuthUserFile {home}/passwd\nPidFile {home}/pid\n\
             ScoreboardFile {home}/scoreboard\nSFTPEngine on\nSFTPHostKey {home}/host\n\
             SFTPAuthorizedUserKeys file:{home}/authorized\nSFTPAuthMethods publickey\n{more}\n",
            group = group.trim(),
            more = options.join("\n")
        );
        std::fs::write(folder.join("proftpd.conf"), config).unwrap();
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", PROFTPD, "--nodaemon", "--config"])
            .arg(folder.join("proftpd.conf"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test needs setpriv (util-linux) and /usr/sbin/proftpd (proftpd-core, proftpd-mod-crypto)");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        while let Some(line) = lines.next() {
            if line.contains("STARTUP") {
                // Nobody must find the pipe closed when it has more to say.
                std::thread::spawn(move || lines.for_each(drop));
                return (child, port);
            }
            log.push_str(&line);
            log.push('\n');
        }
        let _ = child.wait();
    }
    panic!("ProFTPD does not start:\n{log}");
}
