//! Trees up as split archives, with and without a previous one, and read where they lie on the server.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::noise::noise;
use crate::strict_server::{Script, Server};
use pbstore_format::{CryptKey, DynamicIndex, Index};
use pbstore_pxar::{Accessor, CreateOptions, Directory, Kind, ReadAt};
use pbstore_wire::client::{
    upload_split_tree, Archive, Call, ClientError, CryptMode, PreviousSplit, Progress, RemoteArchive, SealOptions,
    Session, SplitNames, SplitUploadStats, TreeOptions,
};

const METADATA: &str = "root.mpxar.didx";
const PAYLOAD: &str = "root.ppxar.didx";

/// Small chunks, so that small trees have many.
const AVERAGE_BYTES: usize = 4 << 10;

/// `count` files of up to 9 KiB in five directories.
fn make_tree(root: &Path, count: usize) {
    for number in 0..count {
        let directory = root.join(format!("d{}", number % 5));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(format!("f{number:04}")), noise(number as u64, number * 7919 % 9000)).unwrap();
    }
}

fn upload(
    session: &Session,
    root: &Path,
    key: Option<CryptKey>,
    previous: PreviousSplit,
    progress: &Arc<Progress>,
) -> Result<SplitUploadStats, ClientError> {
    let names = SplitNames { metadata: METADATA.to_owned(), payload: PAYLOAD.to_owned() };
    let options = TreeOptions { create: CreateOptions::default(), average_bytes: AVERAGE_BYTES };
    upload_split_tree(session, root, &names, &SealOptions { key, compress: true }, previous, &options, progress)
}

fn upload_new(session: &Session, root: &Path) -> Result<SplitUploadStats, ClientError> {
    upload(session, root, None, PreviousSplit::default(), &Arc::default())
}

/// A stream of the archive that the server has last, read through a session of its own.
fn open(server: &Server, name: &str, key: Option<CryptKey>) -> Arc<dyn ReadAt> {
    let index = DynamicIndex::parse(server.state.lock().unwrap().indexes[name].clone()).unwrap();
    let mode = if key.is_some() { CryptMode::Encrypt } else { CryptMode::None };
    let archive = Archive::new(name.to_owned(), Box::new(index), mode, key).unwrap();
    Arc::new(RemoteArchive::new(Arc::new(server.session()), archive, Arc::default()))
}

/// What the last archive offers to a new session.
fn previous(server: &Server, session: &Session, key: Option<CryptKey>) -> PreviousSplit {
    let index = |name: &str| {
        let call = Call::new("GET", "previous", &format!("archive-name={name}"), None, Default::default()).unwrap();
        Some(DynamicIndex::parse(session.request(call, 1 << 20, &Progress::default()).unwrap()).unwrap())
    };
    let (metadata_index, payload_index) = (index(METADATA), index(PAYLOAD));
    PreviousSplit { metadata_index, payload_index, metadata: Some(open(server, METADATA, key)) }
}

/// Compares all files of the last archive with those of the tree; how many there are.
fn check_contents(server: &Server, root: &Path, key: Option<CryptKey>) -> usize {
    fn compare(directory: &Directory, path: &Path) -> usize {
        let count = |entry: pbstore_pxar::Entry| {
            let path = path.join(String::from_utf8(entry.name.clone()).unwrap());
            if entry.kind == Kind::Directory {
                return compare(&directory.open(&entry.name).unwrap().unwrap(), &path);
            }
            let content = directory.content(&entry).unwrap();
            let mut data = vec![0; content.size() as usize];
            content.read_exact_at(&mut data, 0).unwrap();
            assert_eq!(data, fs::read(&path).unwrap(), "{}", path.display());
            1
        };
        directory.entries().map(|entry| count(entry.unwrap())).sum()
    }
    let payload = open(server, PAYLOAD, key.clone());
    compare(&Accessor::with_payload(open(server, METADATA, key), payload).unwrap(), root)
}

fn chunk_count(server: &Server, name: &str) -> usize {
    DynamicIndex::parse(server.state.lock().unwrap().indexes[name].clone()).unwrap().len()
}

#[test]
fn both_streams_arrive_and_fit_together() {
    for key in [None, Some(CryptKey::new([5; 32]))] {
        let server = Server::start(Script::default());
        let root = tempfile::tempdir().unwrap();
        make_tree(root.path(), 300);
        let stats =
            upload(&server.session(), root.path(), key.clone(), PreviousSplit::default(), &Arc::default()).unwrap();
        assert_eq!(server.violations(), Vec::<String>::new());
        assert_eq!(check_contents(&server, root.path(), key), 300);
        assert_eq!(stats.payload.size, stats.tree.payload_bytes);
        assert_eq!(stats.metadata.size, stats.tree.archive_bytes);
        assert_eq!(stats.payload.chunk_count, chunk_count(&server, PAYLOAD) as u64);
    }
}

#[test]
fn acknowledgements_may_come_in_any_order_and_one_stream_is_enough() {
    let acknowledge_after = |number: usize| Duration::from_millis([30, 0, 15, 2][number % 4]);
    for max_streams in [None, Some(1)] {
        let script = Script { acknowledge_after: Some(acknowledge_after), max_streams, ..Script::default() };
        let server = Server::start(script);
        let root = tempfile::tempdir().unwrap();
        make_tree(root.path(), 100);
        upload_new(&server.session(), root.path()).unwrap();
        assert_eq!(server.violations(), Vec::<String>::new());
        assert_eq!(check_contents(&server, root.path(), None), 100);
    }
}

#[test]
fn unchanged_files_are_used_again_by_more_chunks_than_go_into_one_call() {
    for key in [None, Some(CryptKey::new([5; 32]))] {
        let server = Server::start(Script::default());
        let root = tempfile::tempdir().unwrap();
        make_tree(root.path(), 2500);
        upload(&server.session(), root.path(), key.clone(), PreviousSplit::default(), &Arc::default()).unwrap();
        assert!(chunk_count(&server, PAYLOAD) > 1500);
        let session = server.session();
        let base = previous(&server, &session, key.clone());
        let stats = upload(&session, root.path(), key.clone(), base, &Arc::default()).unwrap();
        assert_eq!(server.violations(), Vec::<String>::new());
        assert_eq!((stats.tree.reused_file_count, stats.tree.encoded_file_count()), (2500, 0));
        assert!(stats.tree.injected_chunk_count > 1500);
        assert!(stats.payload.uploaded_bytes < 40, "only the markers: {}", stats.payload.uploaded_bytes);
        assert!(stats.payload.uploaded_chunk_count <= 2);
        assert!((65..=512).contains(&server.state.lock().unwrap().longest_append));
        assert_eq!(check_contents(&server, root.path(), key), 2500);
    }
}

#[test]
fn changed_files_lie_between_reused_chunks() {
    let server = Server::start(Script::default());
    let root = tempfile::tempdir().unwrap();
    make_tree(root.path(), 600);
    upload_new(&server.session(), root.path()).unwrap();
    for round in 0..4 {
        let changed = root.path().join(format!("d{round}/f{:04}", 295 + round));
        fs::write(&changed, noise(round as u64 + 9000, 20_000 + round)).unwrap();
        fs::write(root.path().join(format!("d{round}/new-{round}")), b"new").unwrap();
        fs::remove_file(root.path().join(format!("d4/f{:04}", 104 + 5 * round))).unwrap();
        let session = server.session();
        let base = previous(&server, &session, None);
        let stats = upload(&session, root.path(), None, base, &Arc::default()).unwrap();
        assert_eq!(server.violations(), Vec::<String>::new());
        assert_eq!(check_contents(&server, root.path(), None), 600);
        assert!(stats.tree.reused_file_count > 400, "{:?}", stats.tree);
        let written = stats.tree.encoded_payload_bytes() + 32;
        assert_eq!(stats.payload.size, written + stats.tree.injected_bytes, "contents and markers, and reused chunks");
    }
}

#[test]
fn a_chunk_of_an_index_that_was_not_fetched_is_not_appended() {
    let server = Server::start(Script::default());
    let root = tempfile::tempdir().unwrap();
    make_tree(root.path(), 100);
    upload_new(&server.session(), root.path()).unwrap();
    let session = server.session();
    let base = previous(&server, &server.session(), None);
    let error = upload(&session, root.path(), None, base, &Arc::default()).unwrap_err();
    assert!(matches!(&error, ClientError::Server { text, .. } if text.starts_with("no such chunk ")), "{error}");
}

#[test]
fn whatever_fails_is_told_once_and_closes_nothing() {
    for refuse_chunk in [0, 1, 7, 50] {
        let server = Server::start(Script { refuse_chunk: Some(refuse_chunk), ..Script::default() });
        let root = tempfile::tempdir().unwrap();
        make_tree(root.path(), 200);
        let session = server.session();
        let error = upload_new(&session, root.path()).unwrap_err();
        assert!(matches!(&error, ClientError::Server { text, .. } if text == "no space left on device"), "{error}");
        let error = upload_new(&session, root.path()).unwrap_err().to_string();
        assert!(error.contains("another upload of this session failed"), "{error}");
        assert!(server.state.lock().unwrap().indexes.len() < 2);
    }
}

#[test]
fn a_tree_that_is_not_there_is_named() {
    let server = Server::start(Script::default());
    let error = upload_new(&server.session(), Path::new("/absent/tree")).unwrap_err().to_string();
    assert!(error.starts_with("root.ppxar.didx: ") && error.contains("/absent/tree"), "{error}");
    assert!(server.state.lock().unwrap().indexes.is_empty());
}

#[test]
fn cancelling_ends_an_upload_whose_server_does_not_answer() {
    let silent = Script { acknowledge_after: Some(|_| Duration::from_secs(3600)), ..Script::default() };
    let server = Server::start(silent);
    let root = tempfile::tempdir().unwrap();
    // More entries than may be under way, so that the walk waits for room.
    make_tree(root.path(), 4000);
    let progress = Arc::new(Progress::default());
    let canceller = Arc::clone(&progress);
    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        canceller.cancel();
    });
    let error = upload(&server.session(), root.path(), None, PreviousSplit::default(), &progress).unwrap_err();
    assert!(matches!(error, ClientError::Aborted), "{error}");
    timer.join().unwrap();
}
