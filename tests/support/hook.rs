//! An HTTP server of one page that tells what it was sent, over TLS or without.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::certificates::Certificates;

const LIMIT: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Debug)]
pub struct Posted {
    /// The request line and the headers.
    pub head: String,
    pub body: serde_json::Value,
}

/// A server on a free port of this machine. It answers every request alike.
pub struct Hook {
    pub port: u16,
    posted: Receiver<Posted>,
}

impl Hook {
    /// Answers with `answer`, a status line and perhaps headers.
    pub fn start(answer: &'static str) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, posted) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that does not trust us says nothing, and leaves.
                let Some(request) = take(stream, answer) else { continue };
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Hook { port, posted }
    }

    /// What was posted next.
    #[track_caller]
    pub fn posted(&self) -> Posted {
        self.posted.recv_timeout(LIMIT).expect("nothing was posted")
    }

    /// That nothing else has been posted so far.
    #[track_caller]
    pub fn assert_silent(&self) {
        if let Ok(posted) = self.posted.try_recv() {
            panic!("posted too: {posted:?}");
        }
    }
}

fn take(stream: TcpStream, answer: &str) -> Option<Posted> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some(Posted { head, body: serde_json::from_slice(&body).ok()? })
}

/// Answers every POST with 204, over TLS, and says on which port.
const TLS_SERVER: &str = r#"
import http.server, ssl, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
if len(sys.argv) > 3:
    context.load_verify_locations(sys.argv[3])
    context.verify_mode = ssl.CERT_REQUIRED
server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// A server with a certificate for `localhost` that takes whatever is posted. Ends when dropped.
pub struct TlsHook {
    child: Child,
    pub port: u16,
}

impl TlsHook {
    pub fn start(certificates: &Certificates) -> TlsHook {
        TlsHook::start_with(&[&certificates.server, &certificates.key])
    }

    /// One that also wants a certificate from its clients.
    pub fn start_strict(certificates: &Certificates) -> TlsHook {
        TlsHook::start_with(&[&certificates.server, &certificates.key, &certificates.server])
    }

    fn start_with(files: &[&PathBuf]) -> TlsHook {
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "python3", "-c", TLS_SERVER])
            .args(files)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs setpriv (util-linux) and python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("python3 serves TLS and tells its port");
        TlsHook { child, port }
    }
}

impl Drop for TlsHook {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
