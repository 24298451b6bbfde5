//! Damaged answers to notifications, and URLs that nobody would write.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc;

use super::*;
use crate::fuzz::attack;

#[test]
fn notify_urls() {
    let words = ["https://", "http://", "@", ":", "[", "]", "::1", "%", "?", "#", "\0", "é"];
    attack("notify_urls", &words, |input| is_url(&String::from_utf8_lossy(input)));
}

/// The input is what the server sends before it closes the connection.
#[test]
fn notify_answers() {
    let words = [
        "HTTP/1.1 ",
        "\r\n",
        "\r\n\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: ",
        "100 Continue",
        "Location: /",
    ];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Secret::new(format!("http://{}/", listener.local_addr().unwrap()));
    let (say, said) = mpsc::channel::<Vec<u8>>();
    std::thread::spawn(move || {
        for answer in said {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = client.read(&mut request);
            // The client may have had enough.
            let _ = client.write_all(&answer).and_then(|()| client.shutdown(Shutdown::Write));
        }
    });
    attack("notify_answers", &words, |input| {
        say.send(input.to_vec()).unwrap();
        request(&url, &[], None, b"{}").map_err(|error| words_of(&error))
    });
}

fn words_of(error: &Error) -> String {
    super::words(error)
}
