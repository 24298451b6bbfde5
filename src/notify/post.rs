//! Posts a notification to a URL.
//!
//! Redirects are not followed, because they would carry secrets to wherever a server points. No proxy is taken from the
//! environment: a daemon behaves the same however it was started.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{Agent, Error};

use super::tls::Tls;
use super::{LIMIT, Message, Notify, NotifyError};
use crate::secret::Secret;
use crate::tls::{self, TlsFault, Trusted, connection_error};

/// Whether the client can post to `url`: it has a host, and a port that exists if it names one.
pub fn is_url(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let Some(authority) = url.authority().filter(|authority| !authority.host().is_empty()) else { return false };
    let port = authority.as_str().rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    port.is_none() || authority.port_u16().is_some_and(|port| port > 0)
}

/// Posts it; any status from 200 to 299 is success.
pub(super) async fn post(notify: &Notify, url: &Secret, message: &Message) -> Result<(), NotifyError> {
    let failed = |fault: String| NotifyError::Url { fault };
    let (url, headers, body) = (url.clone(), notify.headers.clone(), message.body.clone());
    let ca = own_authorities(notify.ca.as_deref()).map_err(failed)?;
    let posting = tokio::task::spawn_blocking(move || request(&url, &headers, ca, &body));
    // The client has its own time limit, which does not cover the system's resolver.
    match tokio::time::timeout(LIMIT * 2, posting).await {
        Ok(Ok(Ok(status))) if (200..300).contains(&status) => Ok(()),
        Ok(Ok(Ok(status))) => Err(failed(format!("answers with status {status}"))),
        Ok(Ok(Err(error))) => Err(failed(words(&error))),
        Ok(Err(_)) => Err(failed("can't be used: a bug in exportd (a panic)".to_owned())),
        Err(_) => Err(failed("does not answer".to_owned())),
    }
}

fn request(url: &Secret, headers: &[(String, Secret)], ca: Option<ClientConfig>, body: &[u8]) -> Result<u16, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let public = TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(RootCerts::WebPki);
    let config = Agent::config_builder()
        .tls_config(public.unversioned_rustls_crypto_provider(provider).build())
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(LIMIT))
        .max_idle_connections(0)
        .user_agent(concat!("exportd/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = match ca {
        Some(own) => {
            let connector = TcpConnector::default().chain(Tls(Arc::new(own)));
            Agent::with_parts(config, connector, DefaultResolver::default())
        }
        None => Agent::new_with_config(config),
    };
    let mut request = agent.post(url.expose()).content_type("application/json");
    for (name, value) in headers {
        request = request.header(name, value.expose());
    }
    Ok(request.send(body)?.status().as_u16())
}

/// The settings of TLS if other authorities than the public ones are configured.
fn own_authorities(ca: Option<&Path>) -> Result<Option<ClientConfig>, String> {
    let Some(path) = ca else { return Ok(None) };
    let unusable = |cause: String| format!("can't be trusted: the certificates of `ca`, {}: {cause}", path.display());
    let trusted = Trusted::read(path).map_err(unusable)?;
    tls::client(trusted, true, None).map(Some).map_err(|error| unusable(TlsFault::of(&error).to_string()))
}

/// An error in words that hold neither the URL nor a header.
fn words(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("does not answer within {} s", LIMIT.as_secs()),
        Error::HostNotFound => "names a host that is not found".to_owned(),
        Error::ConnectionFailed => "can't be connected to".to_owned(),
        Error::Io(error) => match TlsFault::of_io(error) {
            Some(fault) => distrust(&fault),
            None => format!("can't be reached: {}", connection_error(error)),
        },
        Error::Rustls(error) => distrust(&TlsFault::of(error)),
        Error::Tls(_) | Error::Pem(_) => "can't be reached over TLS".to_owned(),
        _ => "can't be posted to: it, or a header, is not valid".to_owned(),
    }
}

fn distrust(fault: &TlsFault) -> String {
    format!("can't be trusted: {fault}; {}", fault.remedy("[notify]"))
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::is_url;

    #[test]
    fn a_url_names_a_host_and_perhaps_a_port() {
        for url in ["https://h.example/x?y=%20", "http://localhost:8080", "https://[::1]:9/", "https://[::1]/"] {
            assert!(is_url(url), "{url}");
        }
        for url in [
            "",
            "https://",
            "https:///x",
            "https://:443/",
            "https://[::1",
            "https://h:99999/",
            "https://h:/",
            "https://h:0/",
            "https://a b/",
            "https://h/a b",
            "h.example/x",
        ] {
            assert!(!is_url(url), "{url}");
        }
    }
}
