//! A way through an HTTP proxy: `CONNECT` (protocol-transport.md 3.3, `ALL_PROXY`).

use openssl::base64::encode_block;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::ClientError;

const DEFAULT_PORT: u16 = 1080;
/// The answer to `CONNECT` has no use for more.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// An HTTP proxy that tunnels.
#[derive(Clone)]
pub struct Proxy {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Value of `Proxy-Authorization`.
    authorization: Option<String>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// Reads `[http://][user:password@]host[:port]`; an error for anything else, without the password in it.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::Format("a proxy is written [http://][user:password@]host[:port]".to_owned());
        let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        if rest.contains("://") || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad());
        }
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']').ok_or_else(bad)?;
                (host, after.strip_prefix(':'))
            }
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(bad());
        }
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse).map_err(|_| bad())?;
        let authorization = user.map(basic_authorization);
        Ok(Self { host: host.to_owned(), port, authorization })
    }

    /// Asks the proxy at the other end of `tcp` for a connection to `authority`.
    pub(crate) async fn open_tunnel(&self, tcp: &mut TcpStream, authority: &str) -> Result<(), ClientError> {
        let failed = |reason: String| {
            ClientError::Connection(format!(
                "proxy {}:{} gives no connection to {authority}: {reason}",
                self.host, self.port
            ))
        };
        let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(value) = &self.authorization {
            head.push_str(&format!("Proxy-Authorization: {value}\r\n"));
        }
        head.push_str("\r\n");
        tcp.write_all(head.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
        let answer = read_head(tcp).await.map_err(|error| failed(error.to_string()))?;
        let status_line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
        match status_line.split(' ').nth(1) {
            Some(status) if status.starts_with('2') => Ok(()),
            _ => Err(failed(status_line)),
        }
    }
}

fn basic_authorization(user: &str) -> String {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(user).collect();
    format!("Basic {}", encode_block(&decoded))
}

/// Byte by byte, because what follows the empty line belongs to TLS.
async fn read_head(tcp: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD_BYTES {
            return Err(std::io::Error::other("its answer is too long"));
        }
        head.push(tcp.read_u8().await?);
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn every_written_form_is_read() {
        let parts = |text: &str| {
            let proxy = Proxy::parse(text).unwrap();
            (proxy.host, proxy.port, proxy.authorization)
        };
        assert_eq!(parts("gate"), ("gate".into(), 1080, None));
        assert_eq!(parts("http://gate:3128/"), ("gate".into(), 3128, None));
        assert_eq!(parts("[::1]:8080"), ("::1".into(), 8080, None));
        let basic = Some("Basic dTpwOmFzcw==".to_owned());
        assert_eq!(parts("http://u:p%3Aass@gate"), ("gate".into(), 1080, basic));
    }

    #[test]
    fn anything_else_is_refused_without_showing_the_password() {
        for text in ["", "socks5://gate", "gate:x", "u:secret@", "[::1", "ga te"] {
            let error = Proxy::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
