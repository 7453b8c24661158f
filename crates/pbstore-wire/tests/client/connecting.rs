//! Which certificates are accepted, and how requests use their connection.

use crate::strict_server::{Script, Server};
use pbstore_wire::client::{ClientError, Connection, Progress, ServerAddress};

fn get(connection: &Connection, target: &str) -> Result<(u16, Vec<u8>), ClientError> {
    let headers = [("user-agent".to_owned(), "test".to_owned())];
    let answer = connection.request("GET", target, &headers, hyper::body::Bytes::new(), 1000, &Progress::default())?;
    Ok((answer.status, answer.body.to_vec()))
}

#[test]
fn the_expected_fingerprint_is_enough() {
    let server = Server::start(Script::default());
    assert_eq!(get(&server.connection(), "/hello").unwrap(), (200, b"/hello".to_vec()));
}

#[test]
fn an_unknown_certificate_is_refused_with_its_fingerprint() {
    let server = Server::start(Script::default());
    for fingerprint in [None, Some([1; 32])] {
        let connection = Connection::new(ServerAddress { fingerprint, ..server.server_address() }).unwrap();
        let error = get(&connection, "/hello").unwrap_err();
        let ClientError::Certificate { fingerprint, .. } = error else { panic!("{error}") };
        assert_eq!(fingerprint.len(), 95);
    }
}

#[test]
fn an_authority_is_enough_if_the_name_fits() {
    let server = Server::start(Script::default());
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), server.certificate.to_pem().unwrap()).unwrap();
    let address = ServerAddress { fingerprint: None, ca_file: Some(ca.path().to_owned()), ..server.server_address() };
    assert_eq!(get(&Connection::new(address.clone()).unwrap(), "/hello").unwrap().0, 200);
    let misnamed = ServerAddress { host: "localhost".to_owned(), ..address };
    assert!(matches!(get(&Connection::new(misnamed).unwrap(), "/hello"), Err(ClientError::Certificate { .. })));
}

#[test]
fn requests_share_a_connection_and_renew_it_when_it_was_closed() {
    let server = Server::start(Script::default());
    let connection = server.connection();
    for _ in 0..3 {
        get(&connection, "/hello").unwrap();
    }
    assert_eq!(server.state.lock().unwrap().connection_count, 1);
    get(&connection, "/closing").unwrap();
    get(&connection, "/hello").unwrap();
    assert_eq!(server.state.lock().unwrap().connection_count, 2);
}

#[test]
fn a_refused_upgrade_has_the_servers_words() {
    let server = Server::start(Script::default());
    let refused = server.connection().open_session("/refused", "p", &[], &Progress::default()).err().unwrap();
    assert!(matches!(&refused, ClientError::Server { status: 403, text } if text == "permission check failed"));
}

#[test]
fn nobody_there_is_said_in_one_line() {
    let address = ServerAddress { port: 1, ..Server::start(Script::default()).server_address() };
    let error = get(&Connection::new(address).unwrap(), "/hello").unwrap_err();
    assert!(error.to_string().starts_with("unable to connect to 127.0.0.1:1: "), "{error}");
}
