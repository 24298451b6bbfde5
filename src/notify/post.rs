//! Posts a notice to a URL.
//!
//! Redirects are not followed, for they would carry secrets to wherever a server points; no proxy is taken from the
//! environment, so that it matters in one way only where the daemon was started.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Error};

use super::{LIMIT, Message, Notify, NotifyError};
use crate::secret::Secret;

/// Posts it; any answer of 200 to 299 is right.
pub(super) async fn post(notify: &Notify, url: &Secret, message: &Message) -> Result<(), NotifyError> {
    let failed = |fault: String| NotifyError::Url { fault };
    let (url, headers, body) = (url.clone(), notify.headers.clone(), message.body.clone());
    let roots = roots(notify.ca.as_deref()).map_err(failed)?;
    let posting = tokio::task::spawn_blocking(move || request(&url, &headers, roots, &body));
    // The client keeps the time itself, but for what the system's resolver does.
    match tokio::time::timeout(LIMIT * 2, posting).await {
        Ok(Ok(Ok(status))) if (200..300).contains(&status) => Ok(()),
        Ok(Ok(Ok(status))) => Err(failed(format!("answers with status {status}"))),
        Ok(Ok(Err(error))) => Err(failed(words(&error))),
        Ok(Err(_)) => Err(failed("can't be used: a defect of exportd (a panic)".to_owned())),
        Err(_) => Err(failed("does not answer".to_owned())),
    }
}

fn request(url: &Secret, headers: &[(String, Secret)], roots: RootCerts, body: &[u8]) -> Result<u16, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(roots);
    let config = Agent::config_builder()
        .tls_config(tls.unversioned_rustls_crypto_provider(provider).build())
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(LIMIT))
        .max_idle_connections(0)
        .user_agent(concat!("exportd/", env!("CARGO_PKG_VERSION")));
    let mut request = Agent::new_with_config(config.build()).post(url.expose()).content_type("application/json");
    for (name, value) in headers {
        request = request.header(name, value.expose());
    }
    Ok(request.send(body)?.status().as_u16())
}

fn roots(ca: Option<&Path>) -> Result<RootCerts, String> {
    let Some(path) = ca else { return Ok(RootCerts::WebPki) };
    let pem = std::fs::read(path).map_err(|error| format!("can't be trusted: {}: {error}", path.display()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("can't be trusted: {} holds no certificate", path.display()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// An error in words that hold neither the URL nor a header.
fn words(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("does not answer within {} s", LIMIT.as_secs()),
        Error::HostNotFound => "names a host that is not found".to_owned(),
        Error::ConnectionFailed => "can't be connected to".to_owned(),
        // This is how rustls reports a certificate that it does not trust.
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => format!("can't be trusted: {error}"),
        Error::Io(error) => format!("can't be reached: {}", error.kind()),
        Error::Rustls(error) => format!("can't be trusted: {error}"),
        Error::Tls(_) | Error::Pem(_) => "can't be reached over TLS".to_owned(),
        _ => "can't be posted to: it, or a header, is not valid".to_owned(),
    }
}
