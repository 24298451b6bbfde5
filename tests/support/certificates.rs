//! Certificates for the database servers of the tests: an authority of their own, and a server named `localhost`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of a server's certificate, and of the authority that vouches for it.
pub struct Certificates {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The server's certificate, for the name `localhost` and no address.
    pub server: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them in `folder`, good for two days.
    pub fn make(folder: &Path) -> Certificates {
        let file = |name: &str| folder.join(name);
        let (authority, authority_key) = (file("authority.pem"), file("authority.key"));
        let (server, key, request) = (file("server.pem"), file("server.key"), file("server.csr"));
        let new_key = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        openssl(
            Command::new("openssl").args(new_key).args(["-x509", "-days", "2", "-subj", "/CN=test authority"]).args([
                Path::new("-keyout"),
                &authority_key,
                Path::new("-out"),
                &authority,
            ]),
        );
        openssl(
            Command::new("openssl")
                .args(new_key)
                .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
                .args([Path::new("-keyout"), &key, Path::new("-out"), &request]),
        );
        openssl(
            Command::new("openssl")
                .args(["x509", "-req", "-days", "2", "-CAcreateserial", "-copy_extensions", "copyall"])
                .args([Path::new("-in"), &request, Path::new("-CA"), &authority])
                .args([Path::new("-CAkey"), &authority_key, Path::new("-out"), &server]),
        );
        Certificates { authority, server, key }
    }
}

fn openssl(command: &mut Command) {
    let output = command.output().expect("these tests need openssl: install the Debian package openssl");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
