//! Damaged files of known hosts.

use super::*;
use crate::fuzz::attack;

#[test]
fn known_hosts() {
    let words = [
        "@revoked ",
        "@cert-authority ",
        "|1|",
        "*",
        "?",
        "!",
        "[",
        "]:2222",
        "ssh-rsa ",
        "ecdsa-sha2-nistp256 ",
        "\n",
    ];
    attack("known_hosts", &words, |input| {
        let text = String::from_utf8_lossy(input);
        let found = authority(&text, "sftp.example", 2222);
        let entries = parse(&text).map(|entries| {
            let covering = entries.iter().filter(|entry| entry.covers("sftp.example", 22)).count();
            (entries.len(), covering)
        });
        (found, entries.map_err(|broken| broken.problem))
    });
}
