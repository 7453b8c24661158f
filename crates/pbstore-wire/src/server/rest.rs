//! HTTP/1.1 on a TLS connection: checks what every request must fulfil, asks the application, sends its answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::application::{Request, Response, ResponseBody, StreamBody};
use super::engine::Engine;
use super::limits::{MAX_HEADERS, MAX_HEAD_BYTES, MAX_TARGET_BYTES};
use super::memory::OwnMemory;
use super::pace::Paced;
use super::pieces::Pieces;
use super::target::clean_path;
use super::visitors::Visit;
use super::work::Kind;
use super::{answers, request_body, upgrade};

/// Body of an answer: bytes, or pieces.
pub(crate) type AnswerBody = Either<Full<Bytes>, Channel<Bytes, io::Error>>;
pub(crate) type Answer = http::Response<AnswerBody>;

/// Serve requests until the peer goes, a session takes the connection over, or the front stops.
pub(crate) async fn serve<S>(engine: Arc<Engine>, stream: Paced<S>, peer: SocketAddr, visit: Arc<Visit>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let arrival = stream.arrival();
    let service = service_fn(|request| {
        arrival.complete();
        let (engine, visit, arrival) = (engine.clone(), visit.clone(), arrival.clone());
        async move {
            let answer = answer(engine, request, peer, visit).await;
            arrival.answered();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(engine.limits.idle)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut late = pin!(arrival.late(engine.limits.head));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    log::debug!("connection of {peer} failed: {error}");
                }
                return;
            }
            () = late.as_mut() => return log::debug!("{peer} does not finish the head of its request"),
            () = engine.stopping.cancelled(), if !is_stopping => {
                connection.as_mut().graceful_shutdown();
                is_stopping = true;
            }
            () = engine.breaking.cancelled() => return,
        }
    }
}

async fn answer(
    engine: Arc<Engine>,
    mut request: http::Request<Incoming>,
    peer: SocketAddr,
    visit: Arc<Visit>,
) -> Answer {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let (raw_path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    if raw_path.len() + query.len() > MAX_TARGET_BYTES {
        return whole(StatusCode::URI_TOO_LONG, Bytes::new());
    }
    let Some(path) = clean_path(raw_path).filter(|_| raw_path.starts_with('/')) else {
        return whole(StatusCode::BAD_REQUEST, Bytes::from("invalid path in request"));
    };
    let body = match request_body::read(&engine, &head.headers, body).await {
        Ok(body) => body,
        Err(response) => return encode(&engine, response).await,
    };
    let is_upgrade = upgrade::is_session_path(&head.method, &path);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let (query, headers) = (query.to_owned(), header_texts(&head.headers));
    let request = Request { method: head.method.to_string(), path, query, target, headers, body, peer };
    let turn = visit.turn().await;
    if is_upgrade {
        return upgrade::answer(engine, request, &head.headers, head.version, on_upgrade, visit).await;
    }
    let application = engine.application.clone();
    let call = move || {
        let _turn = turn;
        application.handle(request)
    };
    let response = engine.bounds.run(Kind::Request, &engine.tasks, call).await;
    encode(&engine, response.unwrap_or_else(|_| answers::internal_error())).await
}

/// Latin-1, so that every byte that HTTP allows has a character.
fn header_texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

pub(crate) fn whole(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = http::Response::new(Either::Left(Full::new(body)));
    *answer.status_mut() = status;
    answer
}

/// Turn the application's response into one that can be sent.
pub(crate) async fn encode(engine: &Arc<Engine>, response: Response) -> Answer {
    let Response { status, headers, body } = response;
    let Some(mut head) = answers::head(status, &headers) else {
        return whole(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from(answers::INTERNAL_ERROR));
    };
    let body = match body {
        ResponseBody::Whole(bytes) => Either::Left(Full::new(bytes)),
        ResponseBody::Stream(body) => {
            if let Some(bytes) = body.bytes() {
                head.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
            }
            Either::Right(stream(engine, body))
        }
    };
    head.map(|()| body)
}

/// Read beside the connection, a piece ahead of what the peer takes.
fn stream(engine: &Arc<Engine>, body: StreamBody) -> Channel<Bytes, io::Error> {
    let (mut sender, channel) = Channel::new(1);
    let own = OwnMemory::of_request();
    let mut pieces = Pieces::of_body(body, engine.clone(), engine.tasks.clone(), own);
    let stall = engine.limits.stall;
    engine.tasks.spawn(async move {
        while pieces.next_len() > 0 {
            match pieces.next(pieces.next_len()).await {
                Err(error) => {
                    log::error!("sending a file failed: {error}");
                    return sender.abort(error);
                }
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => match timeout(stall, sender.send(Frame::data(piece))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return,
                    Err(_) => return sender.abort(io::ErrorKind::TimedOut.into()),
                },
            }
        }
    });
    channel
}
