//! Certificates for the database servers of the tests: an authority of their own, and a server named `localhost`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of a server's certificate, and of the authority that vouches for it.
#[derive(Clone, Debug)]
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

/// A certificate that a server has made for itself.
#[derive(Clone, Copy, Debug)]
pub struct SelfSigned {
    /// `rsa` or `ec`.
    pub algorithm: &'static str,
    /// Whether it says that it is an authority's, as `openssl req -x509` has it.
    pub is_authority: bool,
    /// The common name of its subject.
    pub common_name: &'static str,
    /// Its alternative names, such as `DNS:localhost`.
    pub names: Option<&'static str>,
    /// When it is valid, in the notation of `openssl ca`; from now on for two days if absent.
    pub validity: Option<(&'static str, &'static str)>,
}

impl SelfSigned {
    /// The usual one for `localhost`.
    pub const USUAL: SelfSigned = SelfSigned {
        algorithm: "ec",
        is_authority: true,
        common_name: "localhost",
        names: Some("DNS:localhost"),
        validity: None,
    };

    /// Makes it and its key in `folder`.
    pub fn make(self, folder: &Path) -> Certificates {
        let file = |name: &str| folder.join(format!("{name}-{}-{}", self.algorithm, self.common_name));
        let (server, key) = (file("self.pem"), file("self.key"));
        let (config, request) = (file("self.cnf"), file("self.csr"));
        let names = self.names.map(|names| format!("subjectAltName = {names}\n")).unwrap_or_default();
        let is_authority = if self.is_authority { "TRUE" } else { "FALSE" };
        std::fs::write(folder.join("index"), "").unwrap();
        std::fs::write(folder.join("serial"), "01").unwrap();
        let text = format!(
            "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = {}\n\
             [own]\nbasicConstraints = critical, CA:{is_authority}\n{names}\
             [ca]\ndefault_ca = here\n\
             [here]\ndatabase = {folder}/index\nserial = {folder}/serial\nnew_certs_dir = {folder}\ndefault_md = sha256\npolicy = any\n\
             [any]\ncommonName = supplied\n",
            self.common_name,
            folder = folder.display(),
        );
        std::fs::write(&config, text).unwrap();
        let kind: &[&str] = match self.algorithm {
            "rsa" => &["-newkey", "rsa:2048"],
            _ => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        };
        let mut make = Command::new("openssl");
        make.arg("req").args(kind).arg("-nodes").arg("-config").arg(&config).arg("-keyout").arg(&key);
        match self.validity {
            None => openssl(make.args(["-x509", "-days", "2", "-extensions", "own", "-out"]).arg(&server)),
            Some((start, end)) => {
                openssl(make.arg("-out").arg(&request));
                let mut sign = Command::new("openssl");
                sign.args(["ca", "-selfsign", "-batch", "-notext", "-extensions", "own"]);
                sign.args(["-startdate", start, "-enddate", end, "-config"]).arg(&config).arg("-keyfile").arg(&key);
                openssl(sign.arg("-in").arg(&request).arg("-out").arg(&server));
            }
        }
        Certificates { authority: server.clone(), server, key }
    }
}

/// That a message has no identifier of a program in it, as the errors of libraries have.
#[track_caller]
pub fn assert_plain(text: &str) {
    let usual = ["MySQL", "MariaDB", "PostgreSQL", "subjectAltName", "serverAuth"];
    let rest = usual.iter().fold(text.to_owned(), |text, word| text.replace(word, ""));
    let identifier =
        rest.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    assert!(!identifier, "a program's word in: {text}");
    for words in ["invalid peer certificate", "os error", "alert", "close_notify", "rustls", "peer"] {
        assert!(!text.contains(words), "{words:?} in: {text}");
    }
}

fn openssl(command: &mut Command) {
    let output = command.output().expect("these tests need openssl: install the Debian package openssl");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
