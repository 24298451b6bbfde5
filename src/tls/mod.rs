//! TLS to servers: which certificates are trusted, and what is wrong with one, in plain words.
//!
//! rustls and webpki check certificates; this module adds what they leave open. A certificate that is itself in the file of
//! trusted ones is trusted even if it says that it is an authority's, as the usual self-signed certificate does:
//! `certificate` then checks its dates and its name. Nothing else that rustls refuses is accepted.

mod certificate;
mod fault;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

pub use self::fault::{TlsFault, connection_error};
use crate::wording::io_error;

/// Certificates that a server's certificate must be among, or lead to.
#[derive(Clone, Debug)]
pub struct Trusted(Vec<CertificateDer<'static>>);

impl Trusted {
    /// Reads a file of certificates (PEM).
    ///
    /// # Errors
    /// In words that don't name the file.
    pub fn read(path: &Path) -> Result<Trusted, String> {
        Trusted::decode(&std::fs::read(path).map_err(|error| io_error(&error))?)
    }

    fn decode(pem: &[u8]) -> Result<Trusted, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|_| "it is not valid PEM".to_owned())?;
        if certificates.is_empty() {
            return Err("it holds no certificate (PEM, with a line BEGIN CERTIFICATE)".to_owned());
        }
        let trusted = Trusted(certificates);
        trusted.roots().map_err(|_| "it holds a certificate that can't be read".to_owned())?;
        Ok(trusted)
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        self.0.iter().try_for_each(|certificate| roots.add(certificate.clone()))?;
        Ok(roots)
    }
}

/// Our own certificate, for a server that asks for one.
pub struct Identity {
    /// Our certificate, and those that lead to its authority.
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads a file of certificates and one with the key of the first of them (PEM).
    ///
    /// # Errors
    /// In words that name the file.
    pub fn read(chain: &Path, key: &Path) -> Result<Identity, String> {
        let certificates = Trusted::read(chain).map_err(|cause| format!("{}: {cause}", chain.display()))?;
        let pem = std::fs::read(key).map_err(|error| format!("{}: {}", key.display(), io_error(&error)))?;
        let no_key = |_| format!("{}: it holds no private key (PEM)", key.display());
        Ok(Identity { chain: certificates.0, key: PrivateKeyDer::from_pem_slice(&pem).map_err(no_key)? })
    }
}

/// Whether nobody can stand between us and `host`, so that TLS may be left out: a loopback address, or the directory of
/// a socket.
pub fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Settings of a client that trusts `trusted` and nothing else. Without `checks_name` a certificate may be for any
/// host.
///
/// # Errors
/// If the certificates or our identity can't be used.
pub fn client(trusted: Trusted, checks_name: bool, identity: Option<Identity>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new(trusted, checks_name, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    match identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key),
        None => Ok(builder.with_no_client_auth()),
    }
}

#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    trusted: Trusted,
    checks_name: bool,
}

impl Verifier {
    fn new(trusted: Trusted, checks_name: bool, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted.roots()?), Arc::clone(provider));
        let usual = usual.build().map_err(|_| Error::General("no authority is trusted".to_owned()))?;
        Ok(Verifier { usual, trusted, checks_name })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(_) if self.trusted.0.iter().any(|trusted| trusted == end_entity) => {
                certificate::check(end_entity, self.checks_name.then_some(server_name), now)?;
                Ok(ServerCertVerified::assertion())
            }
            // The name is what rustls checks last.
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) if !self.checks_name => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "/run/postgresql"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["db.internal", "10.0.0.1", "localhost.example.com", "::2", "0.0.0.0", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
