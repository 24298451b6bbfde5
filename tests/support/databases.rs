//! Real databases for tests: PostgreSQL and MariaDB servers of our own on free ports, and SQLite files.
//!
//! Each server is started once per test process, by the first test that needs it, and each test gets a database of
//! its own. A shell stands between the test process and the server: it waits for the end of a pipe that only the test
//! process holds, so the server and its files go away however the tests end.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exportd::secret::Secret;
use exportd::store::{MAX_CELL, StoreKind, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};
use tempfile::TempDir;

use super::certificates::Certificates;

/// The password of the MariaDB user; no message may ever hold it.
pub const PASSWORD: &str = "open-sesame";

/// A database that only one test uses.
pub struct Database {
    pub kind: StoreKind,
    pub url: String,
    _folder: Option<TempDir>,
}

impl Database {
    /// A new, empty database.
    pub async fn new(kind: StoreKind) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let (url, folder) = match kind {
            StoreKind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("store.db").display()), Some(folder))
            }
            StoreKind::Postgres => {
                let server = postgres();
                let sql = format!("CREATE DATABASE {name}");
                let mut db = PgConnection::connect(&server.url("postgres")).await.unwrap();
                db.execute(AssertSqlSafe(sql)).await.unwrap();
                (server.url(&name), None)
            }
            StoreKind::Mysql => {
                let server = mariadb();
                let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
                let mut db = MySqlConnection::connect(&server.url("mysql")).await.unwrap();
                db.execute(AssertSqlSafe(sql)).await.unwrap();
                (server.url(&name), None)
            }
        };
        let database = Database { kind, url, _folder: folder };
        if kind == StoreKind::Sqlite {
            database.run("PRAGMA journal_mode = wal").await;
        }
        database
    }

    /// Runs statements on a connection of their own, which is closed afterwards.
    pub async fn run(&self, sql: &str) {
        let sql_text = AssertSqlSafe(sql.to_owned());
        let done = match self.kind {
            StoreKind::Sqlite => {
                let db = rusqlite::Connection::open(self.path()).unwrap();
                db.execute_batch(sql).map_err(|error| error.to_string())
            }
            StoreKind::Postgres => {
                let mut db = PgConnection::connect(&self.url).await.unwrap();
                db.execute(sqlx::raw_sql(sql_text)).await.map(drop).map_err(|error| error.to_string())
            }
            StoreKind::Mysql => {
                let mut db = MySqlConnection::connect(&self.url).await.unwrap();
                db.execute(sqlx::raw_sql(sql_text)).await.map(drop).map_err(|error| error.to_string())
            }
        };
        done.unwrap_or_else(|error| panic!("{error}, in {sql}"));
    }

    /// The one number that a query of PostgreSQL or MariaDB answers.
    pub async fn count(&self, sql: &'static str) -> i64 {
        match self.kind {
            StoreKind::Sqlite => panic!("only servers are asked"),
            StoreKind::Postgres => {
                let mut db = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap()
            }
            StoreKind::Mysql => {
                let mut db = MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap()
            }
        }
    }

    /// The settings with which `exportd` opens it.
    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            kind: self.kind,
            url: Secret::new(self.url.clone()),
            statement_timeout: Duration::from_secs(60),
            ca: None,
            row_security: None,
            max_cell: MAX_CELL,
        }
    }

    /// The file of an SQLite database.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite:").expect("an SQLite database"))
    }
}

/// The certificate of the authority that vouches for the tests' server of this kind.
pub fn authority(kind: StoreKind) -> PathBuf {
    match kind {
        StoreKind::Postgres => postgres().certificates.authority.clone(),
        StoreKind::Mysql => mariadb().certificates.authority.clone(),
        StoreKind::Sqlite => panic!("SQLite has no server"),
    }
}

pub(super) struct Server {
    scheme: &'static str,
    login: String,
    pub(super) port: u16,
    pub(super) certificates: Certificates,
    /// The end of this pipe is the end of the server.
    _lifeline: ChildStdin,
    /// The shell behind it, which nobody waits for: it ends after us.
    _shell: Child,
}

impl Server {
    pub(super) fn url(&self, database: &str) -> String {
        format!("{}://{}@127.0.0.1:{}/{database}", self.scheme, self.login, self.port)
    }
}

fn postgres() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start_postgres)
}

pub(super) fn start_postgres() -> Server {
    let bin = newest_postgres();
    let folder = folder_of("postgres");
    let data = folder.join("data");
    run(as_user("postgres", &bin.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .arg("--pgdata")
        .arg(&data));
    let certificates = certificates_of("postgres", &folder);
    // In the file, for what stands on the command line can't be changed while the server runs.
    let (certificate, key) = (certificates.server.display(), certificates.key.display());
    let tls = format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n");
    let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
    settings.write_all(tls.as_bytes()).unwrap();
    let kind = ("postgres", "postgres".to_owned(), "database system is ready to accept connections");
    start(kind, &folder, &certificates, |port| {
        let mut command = as_user("postgres", &bin.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "log_destination=stderr"]);
        command
    })
}

fn mariadb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(start_mariadb)
}

pub(super) fn start_mariadb() -> Server {
    let install = find(&["/usr/bin", "/usr/local/bin"], "mariadb-install-db", "mariadb-server");
    let daemon = find(&["/usr/sbin", "/usr/bin", "/usr/local/sbin"], "mariadbd", "mariadb-server");
    let folder = folder_of("mysql");
    let (data, init) = (folder.join("data"), folder.join("init.sql"));
    // The server takes one statement from each line.
    let grant = format!(
        "CREATE USER exportd@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO exportd@'%' WITH GRANT OPTION;\n"
    );
    std::fs::write(&init, grant).unwrap();
    // Two that share a temporary folder remove each other's tables.
    let folders = [option("--datadir", &data), option("--tmpdir", &folder)];
    run(as_user("mysql", &install).arg("--no-defaults").arg("--skip-test-db").args(folders));
    let certificates = certificates_of("mysql", &folder);
    let kind = ("mysql", format!("exportd:{PASSWORD}"), "ready for connections");
    start(kind, &folder, &certificates, |port| {
        let mut command = as_user("mysql", &daemon);
        command.arg("--no-defaults").arg("--bind-address=127.0.0.1").arg(format!("--port={port}"));
        command.arg(option("--datadir", &data)).arg(option("--init-file", &init));
        command.arg(option("--socket", &folder.join("socket")));
        command.arg(option("--ssl-cert", &certificates.server)).arg(option("--ssl-key", &certificates.key));
        // A server that starts clears its temporary folder, even of the files of others that run.
        command.arg(option("--tmpdir", &folder));
        command.args(["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]);
        command
    })
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

/// Runs a server behind a shell that waits for its input: at its end the server and its files go, after a line only
/// the server.
const KEEPER: &str = r#"folder=$1; shift; "$@" & server=$!
    if read -r keep; then kill -QUIT $server; wait; else kill -QUIT $server; wait; rm -rf "$folder"; fi"#;

/// Starts a server and waits until its log says that it is ready. A port that was free may be taken by the time the
/// server asks for it, so there are several tries.
pub(super) fn start(
    (scheme, login, ready): (&'static str, String, &str),
    folder: &Path,
    certificates: &Certificates,
    command: impl Fn(u16) -> Command,
) -> Server {
    let mut log = String::new();
    for _ in 0..5 {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = command(port);
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "sh"]).arg(folder).arg(server.get_program()).args(server.get_args());
        // Interrupting the tests must not interrupt the shell, or nobody would clean up.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        let mut lifeline = shell.stdin.take().unwrap();
        let mut lines = BufReader::new(shell.stderr.take().unwrap()).lines();
        if lines.by_ref().map_while(Result::ok).any(|line| note(&mut log, &line).contains(ready)) {
            // Its log must go on flowing, or the server would wait for it.
            std::thread::spawn(move || lines.for_each(drop));
            let certificates = certificates.clone();
            return Server { scheme, login, port, certificates, _lifeline: lifeline, _shell: shell };
        }
        lifeline.write_all(b"keep the files\n").unwrap();
        shell.wait().unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
    panic!("the {scheme} server of the tests does not start:\n{log}");
}

fn note<'a>(log: &mut String, line: &'a str) -> &'a str {
    log.push_str(line);
    log.push('\n');
    line
}

/// A folder that `user` owns if we are root; servers refuse to run as root.
pub(super) fn folder_of(user: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("exportd-test-").tempdir().unwrap().keep();
    if is_root() {
        run(Command::new("chown").arg(user).arg(&folder));
    }
    folder
}

/// Certificates of which `user` can read the server's key and nobody else.
fn certificates_of(user: &str, folder: &Path) -> Certificates {
    let certificates = Certificates::make(folder);
    if is_root() {
        run(Command::new("chown").arg(user).args([&certificates.server, &certificates.key]));
    }
    certificates
}

pub(super) fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--init-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) fn run(command: &mut Command) {
    let output = command.current_dir("/").output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(super) fn newest_postgres() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let version = version.expect("these tests need PostgreSQL: install the Debian package postgresql");
    PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))
}

fn find(folders: &[&str], program: &str, package: &str) -> PathBuf {
    let found = folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("these tests need {program}: install the Debian package {package}"))
}
