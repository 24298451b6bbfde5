//! SHA-256 of what can be read, as files in the spool and delivered ones are compared by.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::wording::hex;

/// Bytes read at once.
const BLOCK: usize = 256 * 1024;

/// The SHA-256 of all that `source` gives, in lower-case hexadecimal.
pub fn sha256(mut source: impl Read) -> io::Result<String> {
    let (mut hasher, mut block) = (Sha256::new(), vec![0; BLOCK]);
    loop {
        match source.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&block[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_blocks_count() {
        let digest = |length| sha256(io::repeat(b'a').take(length)).unwrap();
        assert_eq!(digest(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
