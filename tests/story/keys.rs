//! `keygen` and `hostkey`: what both sides read out to each other is what OpenSSH shows them.

use std::process::Command;

use crate::support::program::Program;
use crate::support::sshd::{Options, Sshd, run};

fn openssh(options: &[&str], file: &std::path::Path) -> String {
    let shown = run(Command::new("ssh-keygen").args(options).arg("-lf").arg(file));
    shown.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_new_key_is_shown_as_the_partner_will_see_it() {
    let program = Program::new("");
    let made = program.run(&["keygen", "id"]).expect(0);
    let public = program.path("id.pub");
    for part in [
        std::fs::read_to_string(&public).unwrap().trim().to_owned(),
        openssh(&[], &public),
        openssh(&["-E", "md5"], &public),
    ] {
        assert!(made.out.contains(&part), "{part} is missing in: {}", made.out);
    }
    let again = program.run(&["keygen", "id"]).expect(1);
    assert!(again.err.contains("can't be written"), "{}", again.err);
    program.run(&["keygen", "no/such/folder/id"]).expect(1);
}

#[test]
fn all_keys_of_a_host_are_shown_in_both_notations() {
    let server = Sshd::with(Options { host_keys: vec!["ed25519", "rsa", "ecdsa"], ..Options::default() });
    let program = Program::new("");
    let host = format!("127.0.0.1:{}", server.port());
    let shown = program.run(&["hostkey", &host]).expect(0);
    let listed = program.run(&["hostkey", &host, "--json"]).expect(0).json();
    assert!(shown.out.contains("has 3 host keys"), "{}", shown.out);
    for (position, kind) in ["ed25519", "ecdsa", "rsa"].into_iter().enumerate() {
        let file = server.file(&format!("host_{kind}.pub"));
        let (sha256, md5) = (openssh(&[], &file), openssh(&["-E", "md5"], &file));
        assert!(shown.out.contains(&sha256) && shown.out.contains(&md5), "{kind}: {}", shown.out);
        let found = listed.as_array().unwrap().iter().any(|key| key["fingerprint"] == sha256 && key["md5"] == md5);
        assert!(found, "{kind} ({position}): {listed}");
    }
}

#[test]
fn what_is_no_ssh_server_is_told_in_words() {
    let program = Program::new("");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let closed = program.run(&["hostkey", &format!("127.0.0.1:{port}")]).expect(1);
    assert!(closed.err.contains("can't be reached"), "{}", closed.err);
    let unknown = program.run(&["hostkey", "sftp.invalid"]).expect(1);
    assert!(unknown.err.contains("can't be resolved"), "{}", unknown.err);
    program.run(&["hostkey", "sftp://partner.example"]).expect(2);
}
