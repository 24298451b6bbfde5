//! The keys of a reference to a secret.

use super::takes::Takes;
use super::{Choice, Key, Section};

/// A reference to a secret.
pub(in super::super) static REFERENCE: Section = Section {
    name: "reference",
    header: "`{ env | file | credential }`",
    says: "A reference to a secret, instead of the secret itself.",
    keys: &[
        Key::new("env", Takes::Line, "The name of an environment variable.").example("\"EXPORTD_STORE_URL\""),
        Key::new("file", Takes::Path, "The path of a file; a line break at its end is left out.")
            .example("\"/run/secrets/store-url\""),
        Key::new(
            "credential",
            Takes::Form("text without `/`", "^[^/]+$"),
            "The name of a systemd credential (`LoadCredential=`).",
        )
        .example("\"store-url\""),
    ],
    choice: Choice::ExactlyOne(&["env", "file", "credential"]),
};
