//! Any bytes as an archive, or as the metadata stream of a split one, read from front to end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::{within, Steering};
use pbstore_pxar::{Decoder, Event, Kind};

/// The input's buffer, a prelude of 1 MiB, and metadata that takes some times the bytes it has in the longest input.
const HEAP_BOUND: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    let (reads, piece) = (steering.coin(), 1 + usize::from(steering.byte()));
    let archive = steering.rest();
    within(HEAP_BOUND, || {
        let mut decoder = Decoder::new(archive);
        let mut depth = 0_usize;
        let mut content_bytes = 0;
        loop {
            match decoder.next_event() {
                Ok(Some(Event::Entry(entry))) => {
                    assert!(entry.name.is_empty() || decoder.path().ends_with(&entry.name));
                    assert!(!entry.name.contains(&b'/') && !entry.name.contains(&0));
                    assert_eq!(entry.name.is_empty(), depth == 0);
                    depth += usize::from(entry.kind == Kind::Directory);
                    if let (Kind::File { size, payload_offset: None }, true) = (&entry.kind, reads) {
                        content_bytes += read(&mut decoder, *size, piece);
                    }
                }
                Ok(Some(Event::DirectoryEnd)) => depth -= 1,
                Ok(None) => {
                    assert_eq!(depth, 0);
                    break;
                }
                Err(error) => {
                    assert!(!error.to_string().contains('\n'));
                    // There is no way past damage.
                    assert!(decoder.next_event().is_err());
                    break;
                }
            }
        }
        assert!(content_bytes <= archive.len() as u64);
    });
});

/// Reads the content of the current file, as far as the archive goes.
fn read(decoder: &mut Decoder<&[u8]>, size: u64, piece: usize) -> u64 {
    let mut buffer = [0; 256];
    let mut total = 0;
    loop {
        match decoder.read_content(&mut buffer[..piece]) {
            Ok(0) => {
                assert_eq!(total, size);
                return total;
            }
            Ok(count) => total += count as u64,
            Err(_) => return total,
        }
    }
}
