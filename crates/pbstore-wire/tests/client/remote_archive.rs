//! An archive that is read where it is needed, from several threads, out of a cache that is smaller than the archive.

use std::os::unix::fs::FileExt;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use crate::noise::noise;
use crate::strict_server::{Script, Server};
use pbstore_format::FixedIndex;
use pbstore_pxar::ReadAt;
use pbstore_wire::client::{
    upload_image, Archive, ClientError, CryptMode, ImageSource, Progress, RemoteArchive, SealOptions,
};

const MIB: usize = 1 << 20;
const NAME: &str = "disk.img.fidx";

/// An image of that many different blocks and 5 bytes more, and the archive of it.
fn remote(server: &Server, blocks: usize, stop: &Arc<Progress>) -> (Vec<u8>, RemoteArchive) {
    let data = noise(blocks as u64, blocks * 4 * MIB + 5);
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&data, 0).unwrap();
    let session = Arc::new(server.session());
    let seal = SealOptions { key: None, compress: false };
    upload_image(&session, ImageSource::File(file), NAME, &seal, None, &Arc::default()).unwrap();
    let index = FixedIndex::parse(server.state.lock().unwrap().indexes[NAME].clone()).unwrap();
    let archive = Archive::new(NAME.to_owned(), Box::new(index), CryptMode::None, None).unwrap();
    (data, RemoteArchive::new(session, archive, Arc::clone(stop)))
}

fn check(data: &[u8], archive: &RemoteArchive, start: usize, length: usize) {
    let mut found = vec![0; length];
    archive.read_exact_at(&mut found, start as u64).unwrap();
    assert!(found == data[start..start + length], "{length} bytes from {start}");
}

#[test]
fn any_place_can_be_read_and_a_chunk_is_fetched_once() {
    let server = Server::start(Script::default());
    let (data, archive) = remote(&server, 3, &Arc::default());
    assert_eq!(archive.size(), data.len() as u64);
    for (start, length) in [(0, 10), (4 * MIB - 3, 7), (5, 1), (9 * MIB, 2 * MIB), (12 * MIB, 5), (0, data.len())] {
        check(&data, &archive, start, length);
    }
    assert_eq!(server.state.lock().unwrap().download_count, 4);
    let mut buffer = [0; 10];
    assert_eq!(archive.read_at(&mut buffer, data.len() as u64).unwrap(), 0);
    assert_eq!(archive.read_at(&mut buffer, u64::MAX).unwrap(), 0);
    assert_eq!(archive.read_at(&mut buffer, data.len() as u64 - 2).unwrap(), 2);
    assert!(archive.read_exact_at(&mut buffer, data.len() as u64 - 2).is_err());
}

#[test]
fn the_chunks_used_last_stay() {
    let server = Server::start(Script::default());
    let (data, archive) = remote(&server, 18, &Arc::default());
    let downloads = || server.state.lock().unwrap().download_count;
    for block in 0..18 {
        check(&data, &archive, block * 4 * MIB, 100);
        check(&data, &archive, 0, 100);
    }
    assert_eq!(downloads(), 18, "the first one was in use all the time");
    check(&data, &archive, 17 * 4 * MIB, 100);
    assert_eq!(downloads(), 18);
    check(&data, &archive, 4 * MIB, 100);
    assert_eq!(downloads(), 19, "the second one had to make room");
}

#[test]
fn threads_that_want_the_same_chunk_fetch_it_once() {
    let slow = Script { tamper: Some(|_, blob| blob), ..Script::default() };
    let server = Server::start(slow);
    let (data, archive) = remote(&server, 2, &Arc::default());
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (start, data, archive) = (&start, &data, &archive);
            scope.spawn(move || {
                start.wait();
                check(data, archive, number % 2 * 4 * MIB + number, 3 * MIB);
            });
        }
    });
    assert_eq!(server.state.lock().unwrap().download_count, 2);
}

#[test]
fn a_damaged_chunk_is_an_error_that_names_it_and_may_be_better_the_next_time() {
    let damage_first = |number: usize, mut blob: Vec<u8>| {
        if number == 0 {
            *blob.last_mut().unwrap() ^= 1;
        }
        blob
    };
    let server = Server::start(Script { tamper: Some(damage_first), ..Script::default() });
    let (data, archive) = remote(&server, 1, &Arc::default());
    let error = archive.read_at(&mut [0; 4], 0).unwrap_err();
    let error = ClientError::inside(&error).unwrap();
    assert!(matches!(&error, ClientError::Integrity(text) if text.starts_with("disk.img.fidx: chunk 0 (")), "{error}");
    check(&data, &archive, 0, 4);
}

#[test]
fn cancelling_ends_a_read_that_waits() {
    let server = Server::start(Script::default());
    let stop = Arc::new(Progress::default());
    let (_, archive) = remote(&server, 1, &stop);
    let lock = server.state.lock().unwrap();
    // The server answers nothing while its state is locked.
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| archive.read_at(&mut [0; 4], 0));
        std::thread::sleep(Duration::from_millis(100));
        stop.cancel();
        let error = reading.join().unwrap().unwrap_err();
        assert!(matches!(ClientError::inside(&error), Some(ClientError::Aborted)));
    });
    drop(lock);
}
