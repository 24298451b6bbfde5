//! Who is trusted and who gets in: host keys, our keys, and the deadlines of connecting.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use exportd::deliver::{DeliverError, Session, Settings, generate_key, scan_host_keys};
use exportd::job::{SftpDestination, Trust};
use exportd::secret::Secret;
use tokio::io::AsyncReadExt;

use crate::support::sshd::{Options, Sshd, fingerprint, make_key, run};

async fn refusal(destination: &SftpDestination) -> DeliverError {
    match Session::open(destination).await {
        Ok(_) => panic!("the session was opened"),
        Err(error) => error,
    }
}

fn trusting(server: &Sshd, lines: &str) -> SftpDestination {
    let path = server.file("known_hosts");
    std::fs::write(&path, lines).unwrap();
    SftpDestination { trust: Trust::KnownHosts(path), ..server.destination() }
}

fn host_key_line(server: &Sshd, kind: &str) -> String {
    let key = std::fs::read_to_string(server.file(&format!("host_{kind}.pub"))).unwrap();
    format!("[127.0.0.1]:{} {key}", server.port())
}

#[tokio::test]
async fn a_changed_host_key_is_refused_and_both_are_shown() {
    let (server, other) = (Sshd::start(), Sshd::start());
    let pinned = SftpDestination { trust: Trust::Pinned(vec![other.fingerprint("ed25519")]), ..server.destination() };
    let recorded = trusting(
        &server,
        &host_key_line(&server, "ed25519").replace(
            std::fs::read_to_string(server.file("host_ed25519.pub")).unwrap().as_str(),
            std::fs::read_to_string(other.file("host_ed25519.pub")).unwrap().as_str(),
        ),
    );
    for destination in [pinned, recorded] {
        let error = refusal(&destination).await;
        assert!(matches!(error, DeliverError::HostKeyChanged(_)) && error.is_permanent(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&server.fingerprint("ed25519")) && text.contains(&other.fingerprint("ed25519")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_pin_may_be_of_any_of_the_servers_keys() {
    let server = Sshd::with(Options { host_keys: vec!["ed25519", "ecdsa", "rsa"], ..Options::default() });
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let pins = vec!["SHA256:of-last-year".to_owned(), server.fingerprint(kind)];
        let session =
            Session::open(&SftpDestination { trust: Trust::Pinned(pins), ..server.destination() }).await.unwrap();
        assert_eq!(session.server().host_key.as_ref().unwrap().fingerprint, server.fingerprint(kind));
        let recorded = trusting(&server, &host_key_line(&server, kind));
        let session = Session::open(&recorded).await.unwrap();
        assert_eq!(session.server().host_key.as_ref().unwrap().fingerprint, server.fingerprint(kind));
    }
}

#[tokio::test]
async fn known_hosts_files_hashed_by_openssh_are_understood() {
    let server = Sshd::start();
    let destination = trusting(
        &server,
        &format!(
            "other.example ssh-ed25519 {}\n{}",
            "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
            host_key_line(&server, "ed25519")
        ),
    );
    run(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(server.file("known_hosts")));
    let text = std::fs::read_to_string(server.file("known_hosts")).unwrap();
    assert!(text.starts_with("|1|") && !text.contains("127.0.0.1"), "{text}");
    Session::open(&destination).await.unwrap();
}

#[tokio::test]
async fn unknown_revoked_and_broken_records_are_refused() {
    let server = Sshd::start();
    let line = host_key_line(&server, "ed25519");

    let unknown = refusal(&trusting(&server, &line.replace("127.0.0.1", "127.0.0.9"))).await;
    assert!(matches!(unknown, DeliverError::HostKeyUnknown(_)) && unknown.is_permanent(), "{unknown}");
    let key: Vec<&str> = line.split_whitespace().take(3).collect();
    assert!(unknown.to_string().contains(&key.join(" ")), "the line to add is shown: {unknown}");

    let revoked = refusal(&trusting(&server, &format!("{line}@revoked {line}"))).await;
    assert!(matches!(revoked, DeliverError::HostKeyRevoked(_)) && revoked.is_permanent(), "{revoked}");
    assert!(revoked.to_string().contains("line 2 of"), "{revoked}");

    let broken = refusal(&trusting(&server, &format!("{line}nonsense\n"))).await;
    assert!(matches!(broken, DeliverError::KnownHosts { .. }) && broken.is_permanent(), "{broken}");
    assert!(broken.to_string().contains("line 2"), "{broken}");

    let missing = SftpDestination { trust: Trust::KnownHosts("/nowhere/known_hosts".into()), ..server.destination() };
    let missing = refusal(&missing).await;
    assert!(missing.to_string().contains("/nowhere/known_hosts can't be used: no such file"), "{missing}");
}

#[tokio::test]
async fn a_refused_key_is_shown_with_the_way_out() {
    let server = Sshd::start();
    make_key(&server.file("stranger"), &["-t", "ed25519", "-N", ""]);
    let error = refusal(&SftpDestination { key: server.file("stranger"), ..server.destination() }).await;
    assert!(matches!(error, DeliverError::LoginRefused { .. }) && error.is_permanent(), "{error}");
    let text = error.to_string();
    assert!(text.contains(&fingerprint(&server.file("stranger.pub"))), "{text}");
    assert!(text.contains("authorized_keys") && text.contains("publickey"), "{text}");
}

#[tokio::test]
async fn a_refused_key_is_no_changed_host_key_whichever_of_the_servers_keys_is_pinned() {
    let server = Sshd::with(Options { host_keys: vec!["ed25519", "rsa"], ..Options::default() });
    make_key(&server.file("stranger"), &["-t", "ed25519", "-N", ""]);
    for kind in ["ed25519", "rsa"] {
        let trust = Trust::Pinned(vec![server.fingerprint(kind)]);
        let error = refusal(&SftpDestination { key: server.file("stranger"), trust, ..server.destination() }).await;
        assert!(matches!(error, DeliverError::LoginRefused { .. }), "{kind}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_on_the_first_wrong_key_has_refused_it() {
    let server = Sshd::with(Options { config: vec!["MaxAuthTries 1".to_owned()], ..Options::default() });
    make_key(&server.file("stranger"), &["-t", "ed25519", "-N", ""]);
    let error = refusal(&SftpDestination { key: server.file("stranger"), ..server.destination() }).await;
    assert!(matches!(error, DeliverError::LoginRefused { .. }), "{error}");
}

#[tokio::test]
async fn keys_of_every_kind_get_in() {
    let server = Sshd::start();
    let kinds: [&[&str]; 4] = [
        &["-t", "ecdsa", "-b", "384", "-N", ""],
        &["-t", "rsa", "-b", "2048", "-N", ""],
        &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""],
        &["-t", "ed25519", "-N", "right horse"],
    ];
    for (number, options) in kinds.into_iter().enumerate() {
        let path = server.file(&format!("key{number}"));
        make_key(&path, options);
        server.authorize(&path.with_extension("pub"));
        let passphrase = Some(Secret::new("right horse"));
        let destination = SftpDestination { key: path, passphrase, ..server.destination() };
        Session::open(&destination).await.unwrap_or_else(|error| panic!("{options:?}: {error}"));
    }
    let own = server.file("own");
    let public = generate_key(&own, "exportd").unwrap();
    assert_eq!(public.fingerprint, fingerprint(&own.with_extension("pub")));
    server.authorize(&own.with_extension("pub"));
    Session::open(&SftpDestination { key: own, ..server.destination() }).await.unwrap();
}

#[tokio::test]
async fn key_files_that_can_not_be_used_are_named() {
    let server = Sshd::start();
    make_key(&server.file("locked"), &["-t", "ed25519", "-N", "right horse"]);
    let with = |key: &Path, passphrase: Option<&str>| SftpDestination {
        key: key.to_owned(),
        passphrase: passphrase.map(Secret::new),
        ..server.destination()
    };
    let missing = refusal(&with(&server.file("locked"), None)).await;
    assert!(matches!(missing, DeliverError::PassphraseMissing { .. }) && missing.is_permanent(), "{missing}");
    let wrong = refusal(&with(&server.file("locked"), Some("wrong horse"))).await;
    assert!(matches!(wrong, DeliverError::PassphraseWrong { .. }) && wrong.is_permanent(), "{wrong}");
    assert!(!wrong.to_string().contains("horse"), "{wrong}");
    let public = server.file("id.pub");
    std::fs::set_permissions(&public, std::fs::Permissions::from_mode(0o600)).unwrap();
    let public = refusal(&with(&public, None)).await;
    assert!(public.to_string().contains("not the .pub file"), "{public}");
    let absent = refusal(&with(Path::new("/nowhere/id"), None)).await;
    assert!(absent.to_string().contains("/nowhere/id can't be read (no such file"), "{absent}");
    std::fs::set_permissions(server.file("id"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = refusal(&server.destination()).await;
    assert!(matches!(exposed, DeliverError::Key { .. }) && exposed.is_permanent(), "{exposed}");
    assert!(exposed.to_string().contains("mode 0640") && exposed.to_string().contains("chmod 600"), "{exposed}");
}

#[tokio::test]
async fn a_server_that_is_away_or_silent_is_given_up_in_time() {
    let server = Sshd::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = refusal(&SftpDestination { port: closed, ..server.destination() }).await;
    assert!(matches!(away, DeliverError::Unreachable { .. }) && !away.is_permanent(), "{away}");
    assert!(away.to_string().contains("refused"), "{away}");

    let unresolved = refusal(&SftpDestination { host: "host.invalid".to_owned(), ..server.destination() }).await;
    assert!(matches!(unresolved, DeliverError::HostNotFound { .. }) && !unresolved.is_permanent(), "{unresolved}");

    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let destination = SftpDestination { port: mute.local_addr().unwrap().port(), ..server.destination() };
    let settings = Settings { handshake: Duration::from_millis(300), ..Settings::default() };
    let began = Instant::now();
    let silent = Session::open_with(&destination, settings).await.err().expect("nobody answers");
    assert!(matches!(silent, DeliverError::Silent { .. }) && !silent.is_permanent(), "{silent}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_untrusted_server_gets_nothing_but_the_handshake() {
    let server = Sshd::start();
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = proxy.local_addr().unwrap().port();
    let upstream = server.port();
    let recorder = tokio::spawn(async move {
        let (mut client, _) = proxy.accept().await.unwrap();
        let mut ssh = tokio::net::TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
        let (sent, _) = tokio::io::copy_bidirectional(&mut client, &mut ssh).await.unwrap_or_default();
        sent
    });
    let line = host_key_line(&server, "ed25519").replace(&format!(":{upstream} "), &format!(":{port} "));
    let revoked = SftpDestination { port, ..trusting(&server, &format!("@revoked {line}")) };
    let error = refusal(&revoked).await;
    assert!(matches!(error, DeliverError::HostKeyRevoked(_)), "{error}");
    // Version line, algorithm list, the key exchange with its post-quantum half; a login would add an encrypted packet.
    let sent = recorder.await.unwrap();
    assert!(sent < 2600, "{sent} bytes were sent");
}

#[tokio::test]
async fn host_keys_can_be_looked_at_without_trust() {
    let server = Sshd::with(Options { host_keys: vec!["rsa", "ed25519"], ..Options::default() });
    let keys = scan_host_keys("127.0.0.1", server.port()).await.unwrap();
    let seen: Vec<(&str, String)> = keys.iter().map(|key| (key.algorithm.as_str(), key.fingerprint.clone())).collect();
    assert_eq!(seen, [("ssh-ed25519", server.fingerprint("ed25519")), ("ssh-rsa", server.fingerprint("rsa"))]);
    let lines: Vec<String> = keys.into_iter().map(|key| key.openssh_line).collect();
    Session::open(&trusting(&server, &lines.join("\n"))).await.unwrap();
}

#[tokio::test]
async fn weak_servers_are_refused_with_what_they_have() {
    for (line, kind) in
        [("Ciphers aes128-cbc", "cipher"), ("KexAlgorithms diffie-hellman-group14-sha1", "key exchange")]
    {
        let server = Sshd::with(Options { config: vec![line.to_owned()], ..Options::default() });
        let error = refusal(&server.destination()).await;
        assert!(matches!(error, DeliverError::NoCommonAlgorithm { .. }) && error.is_permanent(), "{error}");
        let offered = line.split_whitespace().last().unwrap();
        assert!(error.to_string().contains(kind) && error.to_string().contains(offered), "{error}");
    }
}

#[tokio::test]
async fn a_closed_listener_reads_an_ssh_version_only() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Sshd::start();
    let web = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 16];
        client.read_exact(&mut greeting).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        greeting
    });
    let error = refusal(&SftpDestination { port, ..server.destination() }).await;
    assert!(matches!(error, DeliverError::Handshake { .. }), "{error}");
    assert_eq!(&web.await.unwrap(), b"SSH-2.0-exportd_");
}
