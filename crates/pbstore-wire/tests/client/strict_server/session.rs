//! The session of the strict server: every rule of backup-protocol.md 2 that a client can break is checked and noted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use h2::server::{Builder, SendResponse};
use h2::RecvStream;
use http::{Request, Response};
use hyper::body::Bytes;
use pbstore_format::digest::{from_hex, to_hex};
use pbstore_format::dynamic_index::{self, DynamicHeader};
use pbstore_format::fixed_index::{self, FixedHeader};
use pbstore_format::{blob, dynamic_index::DynamicIndex, Digest, FixedIndex, Index};
use serde_json::{json, Value};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Script;

/// What clients left behind.
#[derive(Default)]
pub struct State {
    pub chunks: HashMap<Digest, (u64, Bytes)>,
    /// Closed indexes by name, as files.
    pub indexes: BTreeMap<String, Vec<u8>>,
    pub violations: Vec<String>,
    pub connection_count: usize,
    /// Chunk uploads that arrived, counting repeated ones.
    pub upload_count: usize,
    pub download_count: usize,
    /// Entries of the longest list that was appended at once.
    pub longest_append: usize,
    writers: Vec<Writer>,
}

/// What may be appended to an index in a session: uploaded in it, or listed by an index that it downloaded.
type Known = Arc<Mutex<HashSet<Digest>>>;

/// Bodies with parameters that a 3.2 server takes.
const MAX_BODY_BYTES: usize = 64 << 10;

struct Writer {
    name: String,
    size: Option<u64>,
    entries: Vec<(u64, Digest)>,
}

pub async fn serve<S>(stream: S, script: Arc<Script>, state: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new();
    builder.initial_window_size(32 << 20).initial_connection_window_size(32 << 20).max_frame_size(4 << 20);
    builder.max_concurrent_streams(script.max_streams.unwrap_or(200));
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let (vanish, mut vanished) = tokio::sync::mpsc::channel::<()>(1);
    let known = Known::default();
    loop {
        tokio::select! {
            _ = vanished.recv() => return,
            stream = connection.accept() => match stream {
                Some(Ok((request, respond))) => {
                    let shared = (Arc::clone(&script), Arc::clone(&state), Arc::clone(&known));
                    tokio::spawn(handle(request, respond, shared, vanish.clone()));
                }
                _ => return,
            },
        }
    }
}

async fn handle(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    (script, state, known): (Arc<Script>, Arc<Mutex<State>>, Known),
    vanish: tokio::sync::mpsc::Sender<()>,
) {
    let (head, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(Ok(part)) = incoming.data().await {
        incoming.flow_control().release_capacity(part.len()).unwrap();
        body.extend_from_slice(&part);
    }
    let call = format!("{} {}", head.method, head.uri.path());
    let query = parse_query(head.uri.query().unwrap_or(""));
    let mut status = 200;
    if call.ends_with("_chunk") {
        let number = {
            let mut state = state.lock().unwrap();
            state.upload_count += 1;
            state.upload_count - 1
        };
        if script.vanish_at_chunk == Some(number) {
            let _ = vanish.send(()).await;
        }
        if let Some(delay) = script.acknowledge_after {
            tokio::time::sleep(delay(number)).await;
        }
        if script.refuse_chunk == Some(number) {
            status = 400;
        }
    }
    let answer = if status == 200 {
        respond_to(&call, &query, &body, &script, &mut state.lock().unwrap(), &mut known.lock().unwrap())
    } else {
        Err("no space left on device".to_owned())
    };
    let (status, answer) = match answer {
        Ok(answer) => (status, answer),
        Err(text) => {
            state.lock().unwrap().violations.push(format!("{call}: {text}"));
            (400, Bytes::from(text))
        }
    };
    let head = Response::builder().status(status).body(()).unwrap();
    if let Ok(mut stream) = respond.send_response(head, false) {
        let _ = stream.send_data(answer, true);
    }
}

fn respond_to(
    call: &str,
    query: &HashMap<String, String>,
    body: &[u8],
    script: &Script,
    state: &mut State,
    known: &mut HashSet<Digest>,
) -> Result<Bytes, String> {
    if !call.ends_with("_chunk") && body.len() > MAX_BODY_BYTES {
        return Err(format!("a body of {} bytes", body.len()));
    }
    let parameters: Value =
        if call.ends_with("_chunk") { Value::Null } else { serde_json::from_slice(body).unwrap_or_default() };
    let data = match call {
        "POST /fixed_index" | "POST /dynamic_index" => state.open(&parameters),
        "POST /fixed_chunk" | "POST /dynamic_chunk" => state.store(query, body, known)?,
        "PUT /fixed_index" | "PUT /dynamic_index" => state.append(&parameters, known)?,
        "POST /fixed_close" | "POST /dynamic_close" => state.close(&parameters)?,
        "GET /previous" => {
            let file = state.indexes.get(&query["archive-name"]).ok_or("no such index")?;
            let index = DynamicIndex::parse(file.clone()).map_err(|error| error.to_string())?;
            known.extend(index.digests());
            return Ok(file.clone().into());
        }
        "GET /chunk" => {
            let digest = from_hex(&query["digest"]).unwrap();
            let (_, blob) = state.chunks.get(&digest).ok_or("no such chunk")?;
            let number = state.download_count;
            state.download_count += 1;
            return Ok(script.tamper.map_or_else(|| blob.clone(), |tamper| tamper(number, blob.to_vec()).into()));
        }
        _ => return Err("Path not found.".to_owned()),
    };
    Ok(Bytes::from(json!({ "data": data }).to_string()))
}

impl State {
    fn open(&mut self, parameters: &Value) -> Value {
        let name = parameters["archive-name"].as_str().unwrap().to_owned();
        self.writers.push(Writer { name, size: parameters["size"].as_u64(), entries: Vec::new() });
        self.writers.len().into()
    }

    fn store(
        &mut self,
        query: &HashMap<String, String>,
        body: &[u8],
        known: &mut HashSet<Digest>,
    ) -> Result<Value, String> {
        if query["encoded-size"] != body.len().to_string() {
            return Err("wrong encoded-size".to_owned());
        }
        let digest = from_hex(&query["digest"]).unwrap();
        let size: usize = query["size"].parse().unwrap();
        if !blob::kind(body).unwrap().is_encrypted() {
            blob::verify_plain_chunk(body, &digest, size).map_err(|error| error.to_string())?;
        }
        if self.chunks.insert(digest, (size as u64, Bytes::copy_from_slice(body))).is_some() {
            return Err(format!("chunk {} was sent again", to_hex(&digest)));
        }
        known.insert(digest);
        Ok(query["digest"].clone().into())
    }

    fn append(&mut self, parameters: &Value, known: &HashSet<Digest>) -> Result<Value, String> {
        let writer = &mut self.writers[parameters["wid"].as_u64().unwrap() as usize - 1];
        let digests = parameters["digest-list"].as_array().unwrap();
        self.longest_append = self.longest_append.max(digests.len());
        for (digest, offset) in digests.iter().zip(parameters["offset-list"].as_array().unwrap()) {
            let digest = from_hex(digest.as_str().unwrap()).unwrap();
            let stored = self.chunks.get(&digest).filter(|_| known.contains(&digest));
            let (size, _) = stored.ok_or_else(|| format!("no such chunk {}", to_hex(&digest)))?;
            let position = writer.entries.last().map_or(0, |(end, _)| *end);
            if offset.as_u64() != Some(position) {
                return Err(format!("chunk at {offset}, expected {position}"));
            }
            writer.entries.push((position + size, digest));
        }
        Ok(Value::Null)
    }

    fn close(&mut self, parameters: &Value) -> Result<Value, String> {
        let writer = &self.writers[parameters["wid"].as_u64().unwrap() as usize - 1];
        let (uuid, ctime, csum) = ([7; 16], 0, [0; 32]);
        let size = writer.entries.last().map_or(0, |(end, _)| *end);
        let (file, found) = if writer.name.ends_with(".fidx") {
            let header = FixedHeader { uuid, ctime, csum, size, chunk_size: fixed_index::CHUNK_SIZE };
            let digests: Vec<Digest> = writer.entries.iter().map(|(_, digest)| *digest).collect();
            let file = fixed_index::encode_file(header, &digests).map_err(|error| error.to_string())?;
            (file.clone(), FixedIndex::parse(file).unwrap().csum())
        } else {
            let file = dynamic_index::encode_file(DynamicHeader { uuid, ctime, csum }, &writer.entries).unwrap();
            (file.clone(), DynamicIndex::parse(file).unwrap().csum())
        };
        let right = parameters["size"].as_u64() == Some(size)
            && writer.size.is_none_or(|announced| announced == size)
            && parameters["chunk-count"].as_u64() == Some(writer.entries.len() as u64)
            && parameters["csum"].as_str() == Some(&to_hex(&found));
        if !right {
            return Err("size, chunk count or csum is wrong".to_owned());
        }
        self.indexes.insert(writer.name.clone(), file);
        Ok(Value::Null)
    }
}

fn parse_query(query: &str) -> HashMap<String, String> {
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}
