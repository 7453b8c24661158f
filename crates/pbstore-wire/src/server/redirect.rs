//! Plain text on the TLS port: no API, only the way to it (protocol-transport.md 1).

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::limits::{MAX_HEADERS, MAX_HEAD_BYTES};

/// Answer one request with the address of the TLS side, then close; all of it must be done in time.
pub(crate) async fn serve(stream: TcpStream, patience: Duration) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .keep_alive(false)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| async move { Ok::<_, Infallible>(answer(&request)) }),
        );
    match timeout(patience, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::debug!("plain-text connection failed: {error}"),
        Err(_) => log::debug!("plain-text connection took too long"),
    }
}

fn answer(request: &Request<Incoming>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    let location = request
        .headers()
        .get(HOST)
        .filter(|host| !host.is_empty())
        .and_then(|host| HeaderValue::from_bytes(&[b"https://", host.as_bytes()].concat()).ok());
    *response.status_mut() = match (location, request.method()) {
        (None, _) => StatusCode::BAD_REQUEST,
        (Some(location), method) => {
            response.headers_mut().insert(LOCATION, location);
            let keeps_method = !matches!(*method, Method::GET | Method::HEAD);
            if keeps_method {
                StatusCode::PERMANENT_REDIRECT
            } else {
                StatusCode::MOVED_PERMANENTLY
            }
        }
    };
    response
}
