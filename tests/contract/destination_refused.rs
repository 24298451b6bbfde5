//! Logins that a server ends half way, and host keys that nobody vouches for: what is said has to fit.

use std::fs;

use exportd::deliver::{DeliverError, Session, check_known_hosts};
use exportd::job::{SftpDestination, Trust};

use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::{Options, Sshd, make_key};

async fn refusal(destination: &SftpDestination) -> DeliverError {
    Session::open(destination).await.err().expect("the login is refused")
}

/// A server with these lines of configuration.
fn server_with(lines: &[&str]) -> Sshd {
    let config = lines.iter().map(|line| (*line).to_owned()).collect();
    Sshd::with(Options { config, ..Options::default() })
}

#[tokio::test]
async fn a_key_that_is_accepted_and_not_enough_is_told_from_one_that_is_refused() {
    for (lines, wanted) in [
        (["PasswordAuthentication yes", "AuthenticationMethods publickey,password"], "a password"),
        (
            ["KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive"],
            "answers to questions (keyboard-interactive)",
        ),
        (["PubkeyAuthentication yes", "AuthenticationMethods publickey,publickey"], "a second key"),
    ] {
        let server = server_with(&lines);
        let error = refusal(&server.destination()).await;
        assert!(matches!(error, DeliverError::LoginIncomplete { .. }), "{lines:?}: {error}");
        assert!(error.is_permanent() && error.is_refusal());
        let text = error.to_string();
        assert!(text.contains(&format!("wants {wanted} as well")), "{text}");
        assert!(text.contains("with the key alone") && !text.contains("authorized_keys"), "{text}");
    }
}

#[tokio::test]
async fn users_keys_and_addresses_that_are_not_let_in_have_been_refused() {
    for line in ["AllowUsers somebody.else", "PubkeyAcceptedAlgorithms rsa-sha2-256"] {
        let server = server_with(&[line]);
        let error = refusal(&server.destination()).await;
        assert!(matches!(error, DeliverError::LoginRefused { .. }) && error.is_permanent(), "{line}: {error}");
    }
    let server = Sshd::start();
    let key = fs::read_to_string(server.file("authorized_keys")).unwrap();
    fs::write(server.file("authorized_keys"), format!("from=\"192.0.2.1\" {key}")).unwrap();
    let error = refusal(&server.destination()).await;
    assert!(matches!(error, DeliverError::LoginRefused { .. }), "{error}");
}

#[tokio::test]
async fn accounts_that_run_something_else_do_not_let_sftp_in() {
    let server = Sshd::start();
    let key = fs::read_to_string(server.file("authorized_keys")).unwrap();
    for command in ["echo this account takes no files", "true"] {
        fs::write(server.file("authorized_keys"), format!("command=\"{command}\" {key}")).unwrap();
        let error = refusal(&server.destination()).await;
        assert!(matches!(error, DeliverError::SftpRefused { .. }) && error.is_permanent(), "{command}: {error}");
    }
    // The shell of `nobody` says that the account is not available.
    let subsystem = Some("/usr/lib/openssh/sftp-server".to_owned());
    let server = Sshd::with(Options { subsystem, unprivileged: true, ..Options::default() });
    if server.destination().user == "nobody" {
        let error = refusal(&server.destination()).await;
        assert!(matches!(error, DeliverError::SftpRefused { .. }), "{error}");
        assert!(error.to_string().contains("the shell of the account"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_beside_a_refused_key_is_mentioned() {
    let server = Sshd::start();
    make_key(&server.file("stranger"), &["-t", "ed25519", "-N", ""]);
    fs::write(server.file("stranger-cert.pub"), "ssh-ed25519-cert-v01@openssh.com AAAA stranger").unwrap();
    let error = refusal(&SftpDestination { key: server.file("stranger"), ..server.destination() }).await;
    let text = error.to_string();
    assert!(text.contains("stranger-cert.pub is not used") && text.contains("not supported yet"), "{text}");
}

#[tokio::test]
async fn an_authority_for_hosts_is_named_with_the_line_that_works() {
    let server = Sshd::start();
    let public = fs::read_to_string(server.file("host_ed25519.pub")).unwrap();
    let path = server.file("known_hosts");
    fs::write(&path, format!("# ours\n@cert-authority [127.0.0.*]:* {public}")).unwrap();
    let destination = SftpDestination { trust: Trust::KnownHosts(path.clone()), ..server.destination() };

    let early = check_known_hosts(&path, "127.0.0.1", server.port()).unwrap_err().to_string();
    assert!(early.contains("line 2 trusts a certificate authority") && early.contains("not supported yet"), "{early}");

    let error = refusal(&destination).await;
    assert!(matches!(error, DeliverError::HostKeyOfAuthority(_)) && error.is_permanent(), "{error}");
    let text = error.to_string();
    assert!(text.contains("line 2 of") && text.contains("not supported yet"), "{text}");
    let line = text.split_once("add the line: ").expect("the line that works is shown").1;
    fs::write(&path, format!("@cert-authority [127.0.0.*]:* {public}{line}\n")).unwrap();
    Session::open(&destination).await.expect("the host's own key is trusted");
    assert!(check_known_hosts(&path, "127.0.0.1", server.port()).is_ok());
}

#[test]
fn a_certificate_instead_of_a_key_is_told_when_the_file_is_read() {
    let server = Sshd::start();
    let program: Program = shop::program(&server, "");
    let key = server.file("id").display().to_string();
    fs::write(server.file("id-cert.pub"), "ssh-ed25519-cert-v01@openssh.com AAAA id").unwrap();
    let config = fs::read_to_string(program.path("jobs.toml")).unwrap();
    program.configure(&config.replace(&key, &format!("{key}-cert.pub")));
    let refused = program.run(&["check"]).expect(2);
    assert!(refused.err.contains("is a certificate of a user, which is not supported yet"), "{}", refused.err);
    assert!(refused.err.contains("name the private key"), "{}", refused.err);
}
