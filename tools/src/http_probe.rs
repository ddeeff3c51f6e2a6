//! One HTTP request to a local server on 127.0.0.1, to check its status.
//!
//! Enough to check whether a local server is up, without an HTTP client as a dependency.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::ports;

/// Sends one request with a JSON body (none if empty) and waits up to `within` for the whole answer. Returns its status
/// and its raw body.
pub fn request(port: u16, method: &str, path: &str, body: &str, within: Duration) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&ports::local(port), within)?;
    stream.set_read_timeout(Some(within))?;
    stream.set_write_timeout(Some(within))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}
