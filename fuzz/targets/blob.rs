//! Opening blobs: never more than the caller's limit, whatever a frame promises.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::blob::{check_crc, kind, stamp_crc, BlobKind};
use pbstore_format::{chunk_digest, CryptKey, FormatError, Opener};
use pbstore_fuzz::within;

const MAX_DATA_BYTES: usize = 1 << 20;
/// The data, its twin while it is shrunk to what it needs, and the input once or twice.
const HEAP_BOUND: usize = 3 << 20;

fuzz_target!(|input: &[u8]| {
    let mut stamped = input.to_vec();
    // Without this, hardly an input would get past the checksum.
    let is_blob = stamp_crc(&mut stamped).is_ok();
    within(HEAP_BOUND, || {
        assert_eq!(kind(input).is_ok(), is_blob);
        let intact = check_crc(input).is_ok();
        assert_eq!(intact, is_blob && input == stamped);
        for key in [None, Some(CryptKey::new([7; 32]))] {
            let mut opener = Opener::new(key).unwrap();
            assert!(intact || opener.open(input, MAX_DATA_BYTES).is_err());
            open(&mut opener, &stamped);
        }
    });
});

fn open(opener: &mut Opener, blob: &[u8]) {
    let opened = opener.open(blob, MAX_DATA_BYTES);
    let Ok(kind) = kind(blob) else { return };
    match &opened {
        Ok(data) => {
            assert!(data.len() <= MAX_DATA_BYTES);
            assert!(kind != BlobKind::Plain || *data == blob[kind.header_len()..]);
            assert!(matches!(opener.open(blob, data.len()), Ok(again) if again == *data));
            if let Some(less) = data.len().checked_sub(1) {
                assert!(matches!(opener.open(blob, less), Err(FormatError::TooLarge { .. })));
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    if let (Ok(data), false) = (&opened, kind.is_encrypted()) {
        assert_eq!(opener.verify_plain_chunk(blob, &chunk_digest(data, None), data.len()), Ok(()));
        assert!(opener.verify_plain_chunk(blob, &[0; 32], data.len()).is_err());
    }
}
