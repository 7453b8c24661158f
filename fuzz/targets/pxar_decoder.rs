//! Any bytes as an archive, or as the two streams of a split one, read from front to end.
//!
//! Input: what to read, the size of the pieces, the length of the metadata stream (longer than all: there is no payload
//! stream), the streams.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::{within, InMemory, Steering};
use pbstore_pxar::{Decoder, Event, Kind};

/// The buffers in front of two streams, a prelude of 1 MiB, and metadata that takes some times the bytes it has in the
/// longest input.
const HEAP_BOUND: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    let choice = steering.byte();
    let (reads, at_any_place) = (choice & 1 == 1, choice & 2 == 2);
    let piece = 1 + usize::from(steering.byte());
    let (archive, payload) = steering.streams();
    within(HEAP_BOUND, || match payload {
        _ if at_any_place => {
            decode(Decoder::at(InMemory::shared(archive), payload.map(InMemory::shared)), reads, piece);
        }
        Some(payload) => decode(Decoder::with_payload(archive, payload), reads, piece),
        None => decode(Decoder::new(archive), reads, piece),
    });
});

fn decode<R: Read, P: Read>(mut decoder: Decoder<R, P>, reads: bool, piece: usize) {
    let mut depth = 0_usize;
    loop {
        match decoder.next_event() {
            Ok(Some(Event::Entry(entry))) => {
                assert!(entry.name.is_empty() || decoder.path().ends_with(&entry.name));
                assert!(!entry.name.contains(&b'/') && !entry.name.contains(&0));
                assert_eq!(entry.name.is_empty(), depth == 0);
                depth += usize::from(entry.kind == Kind::Directory);
                if let (Kind::File { size, .. }, true) = (&entry.kind, reads) {
                    read(&mut decoder, *size, piece);
                }
            }
            Ok(Some(Event::DirectoryEnd)) => depth -= 1,
            Ok(None) => return assert_eq!(depth, 0),
            Err(error) => {
                assert!(!error.to_string().contains('\n'));
                // There is no way past damage.
                return assert!(decoder.next_event().is_err());
            }
        }
    }
}

/// Reads the content of the current file, as far as the archive goes.
fn read<R: Read, P: Read>(decoder: &mut Decoder<R, P>, size: u64, piece: usize) {
    let mut buffer = [0; 256];
    let mut total = 0;
    loop {
        match decoder.read_content(&mut buffer[..piece]) {
            Ok(0) => return assert_eq!(total, size),
            Ok(count) => total += count as u64,
            Err(error) => return assert!(!error.to_string().contains('\n')),
        }
    }
}
