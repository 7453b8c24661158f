//! Connections through an HTTP proxy.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{channel, Receiver};
use std::thread;

use hyper::body::Bytes;
use pbstore_wire::client::{ClientError, Connection, Progress, Proxy, ServerAddress};

use crate::strict_server::{Script, Server};

/// A proxy for one connection: tunnels after `HTTP/1.1 200`, else only says `status_line`; reports the head it got.
fn start_proxy(status_line: &'static str) -> (SocketAddr, Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (report, heads) = channel();
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(client.try_clone().unwrap());
        let head: Vec<String> =
            reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let target = head[0].split(' ').nth(1).unwrap().to_owned();
        report.send(head).unwrap();
        (&client).write_all(format!("{status_line}\r\n\r\n").as_bytes()).unwrap();
        if status_line.contains(" 200 ") {
            tunnel(client, TcpStream::connect(target).unwrap());
        }
    });
    (address, heads)
}

fn tunnel(client: TcpStream, server: TcpStream) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
}

fn get(server: &Server, proxy: SocketAddr) -> Result<u16, ClientError> {
    let proxy = Proxy::parse(&format!("http://user:pass@{proxy}")).unwrap();
    let connection = Connection::new(ServerAddress { proxy: Some(proxy), ..server.server_address() }).unwrap();
    connection.request("GET", "/hello", &[], Bytes::new(), 1000, &Progress::default()).map(|answer| answer.status)
}

#[test]
fn a_proxy_tunnels_and_the_certificate_is_still_the_servers() {
    let server = Server::start(Script::default());
    let (proxy, heads) = start_proxy("HTTP/1.1 200 Connection established");
    assert_eq!(get(&server, proxy).unwrap(), 200);
    let head = heads.recv().unwrap();
    assert_eq!(head[0], format!("CONNECT {} HTTP/1.1", server.address));
    assert!(head.contains(&"Proxy-Authorization: Basic dXNlcjpwYXNz".to_owned()), "{head:?}");
}

#[test]
fn a_proxy_that_refuses_is_quoted_without_the_password() {
    let server = Server::start(Script::default());
    let (proxy, _heads) = start_proxy("HTTP/1.1 407 Proxy Authentication Required");
    let text = get(&server, proxy).unwrap_err().to_string();
    assert!(text.ends_with(": HTTP/1.1 407 Proxy Authentication Required") && !text.contains("pass"), "{text}");
}
