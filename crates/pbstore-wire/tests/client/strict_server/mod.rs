//! A server in memory that holds clients to the letter of the two protocols, over real TLS, and misbehaves on demand.

mod session;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::Request;
use hyper_util::rt::TokioIo;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509NameBuilder, X509};
use pbstore_wire::client::{Connection, Progress, ServerAddress, Session};
use pbstore_wire::protocol::BACKUP_PROTOCOL;
use pbstore_wire::traffic::TrafficLimits;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub use session::State;

/// What the server does beside its duty.
#[derive(Default)]
pub struct Script {
    /// Acknowledges chunk number n (counted from 0 in order of arrival) after this time.
    pub acknowledge_after: Option<fn(usize) -> Duration>,
    /// Answers this chunk upload with 400.
    pub refuse_chunk: Option<usize>,
    /// Closes the connection at this chunk upload.
    pub vanish_at_chunk: Option<usize>,
    /// Announces so few streams.
    pub max_streams: Option<u32>,
    /// Changes chunks that are downloaded.
    #[allow(clippy::type_complexity)] // one plain function, or none
    pub tamper: Option<fn(usize, Vec<u8>) -> Vec<u8>>,
}

/// A running server; stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
    pub certificate: X509,
    _runtime: Runtime,
}

impl Server {
    pub fn start(script: Script) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (key, certificate) = make_certificate();
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        let acceptor = acceptor.build();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = (Arc::new(script), Arc::clone(&state));
        runtime.spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let ssl = Ssl::new(acceptor.context()).unwrap();
                let (script, state) = shared.clone();
                tokio::spawn(serve(tcp, ssl, script, state));
            }
        });
        Self { address, state, certificate, _runtime: runtime }
    }

    pub fn server_address(&self) -> ServerAddress {
        let digest = self.certificate.digest(MessageDigest::sha256()).unwrap();
        ServerAddress {
            host: "127.0.0.1".to_owned(),
            port: self.address.port(),
            fingerprint: Some((*digest).try_into().unwrap()),
            ca_file: None,
            proxy: None,
            limits: TrafficLimits::default(),
        }
    }

    pub fn connection(&self) -> Connection {
        Connection::new(self.server_address()).unwrap()
    }

    pub fn session(&self) -> Session {
        let stop = Progress::default();
        self.connection().open_session("/api2/json/backup?store=s", BACKUP_PROTOCOL, &[], &stop).unwrap()
    }

    /// What clients did against the rules.
    pub fn violations(&self) -> Vec<String> {
        self.state.lock().unwrap().violations.clone()
    }
}

async fn serve(tcp: TcpStream, ssl: Ssl, script: Arc<Script>, state: Arc<Mutex<State>>) {
    tcp.set_nodelay(true).unwrap();
    let mut stream = tokio_openssl::SslStream::new(ssl, tcp).unwrap();
    if Pin::new(&mut stream).accept().await.is_err() {
        return;
    }
    state.lock().unwrap().connection_count += 1;
    let service = service_fn(move |request| answer(request, Arc::clone(&script), Arc::clone(&state)));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Script>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let path = request.uri().path().to_owned();
    let status = match path.as_str() {
        "/api2/json/backup" => {
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(request).await.unwrap();
                session::serve(TokioIo::new(upgraded), script, state).await;
            });
            StatusCode::SWITCHING_PROTOCOLS
        }
        "/refused" => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    };
    let text = if status == StatusCode::FORBIDDEN { "permission check failed" } else { &path };
    let mut response = Response::builder().status(status);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        response = response.header("Connection", "upgrade").header("Upgrade", BACKUP_PROTOCOL);
        return Ok(response.body(Full::default()).unwrap());
    }
    if path == "/closing" {
        response = response.header("Connection", "close");
    }
    Ok(response.body(Full::new(Bytes::from(text.to_owned()))).unwrap())
}

fn make_certificate() -> (PKey<Private>, X509) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "strict server").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(10).unwrap()).unwrap();
    let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (key, builder.build())
}
