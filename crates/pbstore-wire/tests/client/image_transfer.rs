//! Images up and down again, over loopback TLS to a server that notes every broken rule.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::noise::noise;
use crate::strict_server::{Script, Server};
use pbstore_format::{CryptKey, FixedIndex};
use pbstore_wire::client::{
    restore_image, restore_stream, upload_image, Archive, ClientError, CryptMode, ImageSource, Progress, SealOptions,
    Session, UploadStats,
};

const MIB: usize = 1 << 20;
const NAME: &str = "disk.img.fidx";

/// Noise, a repeated block, text, written zeros, a hole and a short end: 46 MiB and 5 bytes.
fn mixed_image() -> File {
    let file = tempfile::tempfile().unwrap();
    let parts = [(0, noise(1, 9 * MIB)), (12, noise(2, 4 * MIB)), (16, noise(2, 4 * MIB)), (24, vec![b'a'; 6 * MIB])];
    for (start_mib, data) in parts {
        file.write_all_at(&data, (start_mib * MIB) as u64).unwrap();
    }
    file.write_all_at(&vec![0; 4 * MIB], (32 * MIB) as u64).unwrap();
    file.write_all_at(b"short", (46 * MIB) as u64).unwrap();
    file
}

fn contents(file: &File) -> Vec<u8> {
    let (mut file, mut data) = (file, Vec::new());
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_end(&mut data).unwrap();
    data
}

fn plain() -> SealOptions {
    SealOptions { key: None, compress: true }
}

fn upload(session: &Session, file: &File, seal: &SealOptions) -> Result<UploadStats, ClientError> {
    let source = ImageSource::File(file.try_clone().unwrap());
    upload_image(session, source, NAME, seal, None, &Arc::default())
}

fn archive(server: &Server, mode: CryptMode, key: Option<CryptKey>) -> Archive {
    let index = FixedIndex::parse(server.state.lock().unwrap().indexes[NAME].clone()).unwrap();
    Archive::new(NAME.to_owned(), Box::new(index), mode, key).unwrap()
}

fn restored(server: &Server, session: &Session) -> Result<File, ClientError> {
    let target = tempfile::tempfile().unwrap();
    let archive = archive(server, CryptMode::None, None);
    restore_image(session, archive, target.try_clone().unwrap(), true, &Arc::default())?;
    Ok(target)
}

#[test]
fn an_image_comes_back_with_its_holes() {
    let server = Server::start(Script::default());
    let session = server.session();
    let source = mixed_image();
    let stats = upload(&session, &source, &plain()).unwrap();
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!((stats.size, stats.chunk_count), (46 * MIB as u64 + 5, 12));
    assert_eq!(stats.uploaded_bytes + stats.reused_bytes, stats.size);
    let target = restored(&server, &session).unwrap();
    assert_eq!(contents(&target), contents(&source));
    assert!(target.metadata().unwrap().blocks() * 512 < 33 * MIB as u64, "zero chunks are holes");
}

#[test]
fn equal_chunks_go_over_the_wire_once() {
    let server = Server::start(Script::default());
    let session = server.session();
    let source = mixed_image();
    let stats = upload(&session, &source, &plain()).unwrap();
    // Noise 3, repeated block 1, text 2, zeros 1, end 1.
    assert_eq!(stats.uploaded_chunk_count, 8);
    assert_eq!(server.state.lock().unwrap().upload_count, 8);
    let again = upload(&session, &source, &plain()).unwrap();
    assert_eq!((again.uploaded_chunk_count, again.reused_bytes), (0, again.size));
    restored(&server, &session).unwrap();
    assert_eq!(server.state.lock().unwrap().download_count, 7, "neither zeros nor the second of two equal chunks");
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn appends_wait_for_acknowledgements_that_come_in_any_order() {
    let acknowledge_after = |number: usize| Duration::from_millis([300, 0, 150, 20][number % 4]);
    let server = Server::start(Script { acknowledge_after: Some(acknowledge_after), ..Script::default() });
    let session = server.session();
    upload(&session, &mixed_image(), &plain()).unwrap();
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn a_server_with_one_stream_is_enough() {
    let server = Server::start(Script { max_streams: Some(1), ..Script::default() });
    let session = server.session();
    let source = mixed_image();
    upload(&session, &source, &plain()).unwrap();
    assert_eq!(contents(&restored(&server, &session).unwrap()), contents(&source));
}

#[test]
fn an_encrypted_image_needs_its_key() {
    let server = Server::start(Script::default());
    let session = server.session();
    let key = CryptKey::new([5; 32]);
    let source = mixed_image();
    upload(&session, &source, &SealOptions { key: Some(key.clone()), compress: true }).unwrap();
    let restore = |mode, key| {
        let target = tempfile::tempfile().unwrap();
        let archive = archive(&server, mode, key);
        restore_image(&session, archive, target.try_clone().unwrap(), true, &Arc::default()).map(|_| target)
    };
    assert_eq!(contents(&restore(CryptMode::Encrypt, Some(key)).unwrap()), contents(&source));
    let text = restore(CryptMode::None, None).unwrap_err().to_string();
    assert!(text.contains("it is encrypted, although the archive is not"), "{text}");
    let text = restore(CryptMode::Encrypt, Some(CryptKey::new([6; 32]))).unwrap_err().to_string();
    assert!(text.contains("cannot decrypt"), "{text}");
}

#[test]
fn a_pipe_is_an_image_and_a_target() {
    let server = Server::start(Script::default());
    let session = server.session();
    let data = noise(9, 10 * MIB + 3);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let fed = data.clone();
    let feeder = std::thread::spawn(move || writer.write_all(&fed).unwrap());
    let source = ImageSource::File(File::from(std::os::fd::OwnedFd::from(reader)));
    let stats = upload_image(&session, source, NAME, &plain(), None, &Arc::default()).unwrap();
    feeder.join().unwrap();
    assert_eq!(stats.size, data.len() as u64);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let drain = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        got
    });
    let target = File::from(std::os::fd::OwnedFd::from(writer));
    restore_stream(&session, archive(&server, CryptMode::None, None), target, &Arc::default()).unwrap();
    assert_eq!(drain.join().unwrap(), data);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn a_refused_chunk_ends_the_upload_with_the_servers_words() {
    let server = Server::start(Script { refuse_chunk: Some(3), ..Script::default() });
    let session = server.session();
    let error = upload(&session, &mixed_image(), &plain()).unwrap_err();
    assert!(
        matches!(&error, ClientError::Server { status: 400, text } if text == "no space left on device"),
        "{error}"
    );
    let error = upload(&session, &mixed_image(), &plain()).unwrap_err().to_string();
    assert!(error.contains("another upload of this session failed"), "{error}");
}

#[test]
fn a_server_that_vanishes_is_noticed() {
    let server = Server::start(Script { vanish_at_chunk: Some(2), ..Script::default() });
    let session = server.session();
    let error = upload(&session, &mixed_image(), &plain()).unwrap_err();
    assert!(matches!(&error, ClientError::Connection(text) if text.contains("broke")), "{error}");
}

#[test]
fn cancelling_ends_an_upload_that_waits_for_a_silent_pipe() {
    let server = Server::start(Script::default());
    let session = server.session();
    let (reader, writer) = std::io::pipe().unwrap();
    let progress = Arc::new(Progress::default());
    let canceller = Arc::clone(&progress);
    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        canceller.cancel();
    });
    let began = Instant::now();
    let source = ImageSource::File(File::from(std::os::fd::OwnedFd::from(reader)));
    let error = upload_image(&session, source, NAME, &plain(), None, &progress).unwrap_err();
    assert!(matches!(error, ClientError::Aborted), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3));
    timer.join().unwrap();
    drop(writer);
}

#[test]
fn cancelling_ends_an_upload_whose_server_does_not_answer() {
    let silent = Script { acknowledge_after: Some(|_| Duration::from_secs(3600)), ..Script::default() };
    let server = Server::start(silent);
    let session = server.session();
    let source = tempfile::tempfile().unwrap();
    // More than may be under way, so that the source waits for room.
    source.write_all_at(&noise(3, 200 * MIB), 0).unwrap();
    let progress = Arc::new(Progress::default());
    let canceller = Arc::clone(&progress);
    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        canceller.cancel();
    });
    let error = upload_image(&session, ImageSource::File(source), NAME, &plain(), None, &progress).unwrap_err();
    assert!(matches!(error, ClientError::Aborted), "{error}");
    timer.join().unwrap();
}

#[test]
fn tampered_chunks_are_refused_by_name() {
    #[allow(clippy::type_complexity)] // a table of named damages
    let cases: [(fn(usize, Vec<u8>) -> Vec<u8>, &str); 4] = [
        (
            |_, mut blob| {
                *blob.last_mut().unwrap() ^= 1;
                blob
            },
            "CRC",
        ),
        (|_, _| pbstore_format::blob::seal(b"other data", None, false).unwrap(), "wrong length"),
        (|_, _| pbstore_format::blob::seal(&vec![1; 4 << 20], None, true).unwrap(), "wrong digest"),
        (|_, _| vec![0; 9 << 20], "answered with more than"),
    ];
    for (tamper, expected) in cases {
        let server = Server::start(Script { tamper: Some(tamper), ..Script::default() });
        let session = server.session();
        let source = tempfile::tempfile().unwrap();
        source.write_all_at(&noise(4, 8 * MIB), 0).unwrap();
        upload(&session, &source, &plain()).unwrap();
        let text = restored(&server, &session).unwrap_err().to_string();
        assert!(text.contains(expected) && text.starts_with("disk.img.fidx: chunk ") && !text.contains('\n'), "{text}");
    }
}
