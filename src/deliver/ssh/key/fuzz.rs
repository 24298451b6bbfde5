//! Damaged files of private keys.

use super::*;
use crate::fuzz::attack;

#[test]
fn private_keys() {
    let words = [
        "-----BEGIN ",
        "-----END ",
        "OPENSSH PRIVATE KEY-----\n",
        "Proc-Type: 4,ENCRYPTED\n",
        "Encryption: none\n",
        "=",
    ];
    let secret = Secret::new("secret");
    attack("private_keys", &words, |input| {
        let text = String::from_utf8_lossy(input);
        [None, Some(&secret)].map(|passphrase| {
            let key = decode(&text, Path::new("key"), passphrase).and_then(|key| public_line(Path::new("key"), &key));
            key.map(|line| line.line.len()).map_err(|error| error.to_string())
        })
    });
}
