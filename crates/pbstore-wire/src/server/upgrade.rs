//! From a plain request to a session: the application decides, then the connection changes its protocol
//! (protocol-transport.md 4).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::application::{Decision, Grant, Request};
use super::engine::Engine;
use super::lease::Lease;
use super::rest::{encode, whole, Answer};
use super::visitors::Visit;
use super::work::Kind;
use super::{answers, session};

/// Whether a request asks for a session.
pub(crate) fn is_session_path(method: &Method, path: &str) -> bool {
    method == Method::GET && matches!(path, "/api2/json/backup" | "/api2/json/reader")
}

enum Verdict {
    Refused(super::application::Response),
    Granted(Grant, Lease),
}

/// Ask the application; on a grant answer 101 and start the session beside.
pub(crate) async fn answer(
    engine: Arc<Engine>,
    request: Request,
    headers: &HeaderMap,
    version: Version,
    on_upgrade: OnUpgrade,
    visit: Arc<Visit>,
) -> Answer {
    let Some(place) = engine.memory.session_place() else {
        return whole(StatusCode::SERVICE_UNAVAILABLE, Bytes::from("server has no memory for another session"));
    };
    let application = engine.application.clone();
    let decide = move || match application.authorize(request) {
        Decision::Refused(response) => Verdict::Refused(response),
        Decision::Granted(grant) => {
            // From here on the session is told of its end, also when nobody waits for this verdict any more.
            let lease = Lease::new(&grant);
            Verdict::Granted(grant, lease)
        }
    };
    let (grant, lease) = match engine.bounds.run(Kind::Request, &engine.tasks, decide).await {
        Ok(Verdict::Granted(grant, lease)) => (grant, lease),
        Ok(Verdict::Refused(response)) => return encode(&engine, response).await,
        Err(_) => return encode(&engine, answers::internal_error()).await,
    };
    let protocol = HeaderValue::from_str(&grant.protocol).ok().filter(|_| version == Version::HTTP_11);
    let Some(protocol) = protocol.filter(|protocol| asks_for(headers, protocol)) else {
        let text = format!("invalid upgrade request: expected 'Upgrade: {}'", grant.protocol);
        end(&engine, lease, Some("no upgrade request".into())).await;
        return whole(StatusCode::BAD_REQUEST, Bytes::from(text));
    };
    let tasks = engine.tasks.clone();
    tasks.spawn(async move {
        let (_place, _visit) = (place, visit);
        let reason = match timeout(engine.limits.session_start, on_upgrade).await {
            Ok(Ok(upgraded)) => session::run(engine.clone(), TokioIo::new(upgraded), grant).await,
            Ok(Err(error)) => Some(format!("connection lost before the session began: {error}")),
            Err(_) => Some("connection lost before the session began".into()),
        };
        end(&engine, lease, reason).await;
    });
    let mut answer = whole(StatusCode::SWITCHING_PROTOCOLS, Bytes::new());
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.headers_mut().insert(UPGRADE, protocol);
    answer
}

/// Exactly one `Upgrade` token that is the protocol, and `Connection: upgrade`.
fn asks_for(headers: &HeaderMap, protocol: &HeaderValue) -> bool {
    let has_token = |name: HeaderName, token: &[u8]| {
        let values = headers.get_all(name);
        let mut tokens = values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token))
    };
    let mut upgrades = headers.get_all(UPGRADE).iter();
    has_token(CONNECTION, b"upgrade") && upgrades.next() == Some(protocol) && upgrades.next().is_none()
}

/// Tell the session of its end on a thread where it may block, and wait for that.
async fn end(engine: &Arc<Engine>, lease: Lease, reason: Option<String>) {
    let told = engine.tasks.spawn_blocking(move || lease.end(reason.as_deref())).await;
    if told.is_err() {
        log::error!("a session panicked at its end");
    }
}
