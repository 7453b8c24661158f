//! Downloads from archives that are not what they should be: they end with an error, never as if they were complete.

mod archives;

use std::io;
use std::sync::Arc;

use archives::{add_file, archive_bytes, collected, metadata, open, tar, zip, Bytes, DIRECTORY};
use pbstore_download::FileDownload;
use pbstore_pxar::{Accessor, Found, ReadAt};

/// An archive of which nothing can be read from some place on, but its end.
struct Broken {
    bytes: Bytes,
    hole: std::ops::Range<u64>,
}

impl ReadAt for Broken {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.hole.contains(&offset) {
            return Err(io::Error::other("a chunk is missing"));
        }
        let before = self.hole.start.checked_sub(offset).unwrap_or(u64::MAX);
        let length = buffer.len().min(usize::try_from(before).unwrap_or(usize::MAX));
        self.bytes.read_at(&mut buffer[..length], offset)
    }
}

#[test]
fn a_missing_chunk_ends_the_download() {
    let bytes = archive_bytes(|archive| {
        add_file(archive, b"file", &vec![b'x'; 3_000_000]);
        add_file(archive, b"later", b"text");
    });
    let hole = 2_000_000..2_000_001;
    let root = Accessor::open(Arc::new(Broken { bytes: Bytes(bytes), hole })).unwrap();
    for error in [zip(&root, b"").unwrap_err(), tar(&root, b"").unwrap_err()] {
        assert!(error.to_string().contains("a chunk is missing"), "{error}");
    }
    let file = |name: &[u8]| match root.find(name).unwrap() {
        Some(Found::Other(entry)) => FileDownload::new(root.content(&entry).unwrap()),
        _ => panic!("no file"),
    };
    assert_eq!(file(b"file").size(), 3_000_000);
    assert!(collected(file(b"file")).unwrap_err().to_string().contains("a chunk is missing"));
    assert_eq!(collected(file(b"later")).unwrap(), b"text");
}

#[test]
fn names_that_lead_elsewhere_end_the_download() {
    let bytes = archive_bytes(|archive| {
        archive.begin_directory(b"qq", &metadata(DIRECTORY)).unwrap();
        add_file(archive, b"file", b"text");
        archive.end_directory().unwrap();
    });
    let place = bytes.windows(3).position(|window| window == b"qq\0").unwrap();
    for forged in [b"..\0", b"/q\0", b"q\0\0"] {
        let mut bytes = bytes.clone();
        bytes[place..][..3].copy_from_slice(forged);
        let root = open(bytes);
        for error in [zip(&root, b"").unwrap_err(), tar(&root, b"").unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("file name ") || text.contains("NUL inside"), "{text}");
        }
    }
}
