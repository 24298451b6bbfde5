//! Notices go over TLS to whoever proves who they are, by an authority or as exactly the server that is trusted.

use crate::support::certificates::{Certificates, SelfSigned, assert_plain};
use crate::support::hook::TlsHook;
use crate::support::program::Program;
use crate::support::shop;
use crate::support::sshd::Sshd;

const PAST: Option<(&str, &str)> = Some(("20200101000000Z", "20210101000000Z"));

fn configure(program: &Program, server: &Sshd, notify: &str) {
    program.configure(&shop::config(server, "").replace("[state]", &format!("[notify]\n{notify}\n[state]")));
}

/// What `exportd notify` prints when it posts to `host` and trusts `ca`.
fn told(program: &Program, server: &Sshd, hook: &TlsHook, host: &str, ca: Option<&Certificates>, code: i32) -> String {
    let ca = ca.map(|ca| format!("\nca = {:?}", ca.authority)).unwrap_or_default();
    configure(program, server, &format!("url = \"https://{host}:{}/\"{ca}", hook.port));
    program.run(&["notify"]).expect(code).out
}

#[track_caller]
fn assert_told(text: &str, words: &[&str]) {
    assert_plain(text);
    for words in words {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn a_server_is_trusted_by_its_own_certificate() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    for algorithm in ["rsa", "ec"] {
        for is_authority in [true, false] {
            for names in [Some("DNS:localhost"), None] {
                let own = SelfSigned { algorithm, is_authority, names, ..SelfSigned::USUAL };
                let own = own.make(&program.path(""));
                let hook = TlsHook::start(&own);
                let told = told(&program, &server, &hook, "localhost", Some(&own), 0);
                assert_eq!(told, "ok     the url took it\n");
            }
        }
    }
}

#[test]
fn a_server_that_is_not_trusted_is_told_in_plain_words() {
    let server = Sshd::start();
    let program = shop::program(&server, "");
    let folder = tempfile::tempdir().unwrap();
    for is_authority in [true, false] {
        let usual = SelfSigned { is_authority, ..SelfSigned::USUAL };
        let own = usual.make(&program.path(""));
        let hook = TlsHook::start(&own);
        assert_told(&told(&program, &server, &hook, "localhost", None, 1), &["trusted here; set `ca` of [notify]"]);
        let twin = usual.make(folder.path());
        assert_told(
            &told(&program, &server, &hook, "localhost", Some(&twin), 1),
            &["can't be trusted: its certificate"],
        );
        let other_name = told(&program, &server, &hook, "127.0.0.1", Some(&own), 1);
        assert_told(&other_name, &["is for localhost and not for 127.0.0.1"]);
        let old = SelfSigned { validity: PAST, ..usual }.make(&program.path(""));
        let hook = TlsHook::start(&old);
        assert_told(&told(&program, &server, &hook, "localhost", Some(&old), 1), &["expired on 2021-01-01"]);
    }
    let issued = Certificates::make(folder.path());
    let hook = TlsHook::start(&issued);
    let unknown = told(&program, &server, &hook, "localhost", None, 1);
    assert_told(&unknown, &["comes from an authority that is not trusted here"]);
    let hook = TlsHook::start_strict(&issued);
    let wanted = told(&program, &server, &hook, "localhost", Some(&issued), 1);
    assert_told(&wanted, &["it wants a certificate from us", "`bearer`"]);
}
