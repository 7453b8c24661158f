//! Blobs: the test list of blobs-and-chunks.md 7, and no panic on any bytes.

mod streams;

use pbstore_format::blob::{self, BlobKind, ENCRYPTED_HEADER, PLAIN_HEADER};
use pbstore_format::digest::{from_hex, sha256, to_hex};
use pbstore_format::{chunk_digest, CryptKey, FormatError, Opener, Sealer};
use proptest::prelude::*;
use streams::{example_key, seeded_stream, unhex};

const MAX: usize = 16 << 20;

fn zstd_frame(data: &[u8], content_size: bool, checksum: bool) -> Vec<u8> {
    use zstd_safe::{CCtx, CParameter};
    let mut context = CCtx::create();
    context.set_parameter(CParameter::ContentSizeFlag(content_size)).unwrap();
    context.set_parameter(CParameter::ChecksumFlag(checksum)).unwrap();
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
    context.compress2(&mut frame, data).unwrap();
    frame
}

fn compressed_blob(frames: &[u8]) -> Vec<u8> {
    let mut blob = [&BlobKind::Compressed.magic()[..], &[0; 4], frames].concat();
    blob::stamp_crc(&mut blob).unwrap();
    blob
}

#[test]
fn worked_examples() {
    let plain = unhex("42ab3807be8370a1 85114a0d 68656c6c6f20776f726c64");
    assert_eq!(blob::seal(b"hello world", None, true).unwrap(), plain);
    assert_eq!(blob::open(&plain, None, MAX).unwrap(), b"hello world");
    assert_eq!(blob::seal(b"", None, true).unwrap(), unhex("42ab3807be8370a100000000"));
    let key = example_key();
    assert_eq!(to_hex(key.id_key()), "7c2c013efd07f3b25717a485263343cd4d292a4b65c200bb3b18ea227abe225c");
    assert_eq!(to_hex(&key.fingerprint()), "0eabd4460b6eb9ca345023dee2b778c790e54a1683b9659c0a57ae199090159b");
    assert_eq!(
        to_hex(&chunk_digest(b"hello world", Some(&key))),
        "29d6770e718a93cf4a7663ddc167cf40c128b67cc20d36bd49adec140981f9d5"
    );
    let zeros = vec![0; 4 << 20];
    assert_eq!(to_hex(&chunk_digest(&zeros, None)), "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8");
    assert_eq!(
        to_hex(&chunk_digest(&zeros, Some(&key))),
        "348571e12bbbedb529def1f1394316e338a01945d871df9ef792617ceb13d636"
    );
}

#[test]
fn every_kind_and_length_comes_back() {
    for len in [0, 1, 15, 16, 4096, 4 << 20] {
        for data in [vec![0; len], seeded_stream(len)] {
            for key in [None, Some(example_key())] {
                for compress in [false, true] {
                    let sealed = blob::seal(&data, key.as_ref(), compress).unwrap();
                    let kind = blob::kind(&sealed).unwrap();
                    assert_eq!(kind.is_encrypted(), key.is_some());
                    assert!(sealed.len() <= data.len() + kind.header_len());
                    assert_eq!(blob::open(&sealed, key.as_ref(), len).unwrap(), data);
                }
            }
        }
    }
}

#[test]
fn random_data_stays_uncompressed_and_zeros_do_not() {
    let kind = |data: &[u8]| blob::kind(&blob::seal(data, None, true).unwrap()).unwrap();
    assert_eq!(kind(&seeded_stream(100_000)), BlobKind::Plain);
    assert_eq!(kind(&[0; 100_000]), BlobKind::Compressed);
}

#[test]
fn a_flipped_bit_is_noticed_where_it_is() {
    let key = example_key();
    let sealed = blob::seal(b"some data", Some(&key), false).unwrap();
    let flipped = |at: usize| {
        let mut copy = sealed.clone();
        copy[at] ^= 4;
        blob::open(&copy, Some(&key), MAX)
    };
    assert!(matches!(flipped(0), Err(FormatError::Malformed(_))));
    assert!(matches!(flipped(9), Err(FormatError::Checksum { .. })));
    assert_eq!(flipped(PLAIN_HEADER), Err(FormatError::WrongTag));
    assert_eq!(flipped(PLAIN_HEADER + 16), Err(FormatError::WrongTag));
    assert!(matches!(flipped(ENCRYPTED_HEADER), Err(FormatError::Checksum { .. })));
    let mut forged = sealed.clone();
    forged[ENCRYPTED_HEADER] ^= 4;
    blob::stamp_crc(&mut forged).unwrap();
    assert_eq!(blob::open(&forged, Some(&key), MAX), Err(FormatError::WrongTag));
}

#[test]
fn an_opener_works_after_an_error() {
    let key = example_key();
    let mut opener = Opener::new(Some(key.clone())).unwrap();
    let right = blob::seal(&[0; 5000], Some(&key), true).unwrap();
    let foreign = blob::seal(&[0; 5000], Some(&CryptKey::new([9; 32])), true).unwrap();
    assert_eq!(opener.open(&foreign, MAX), Err(FormatError::WrongTag));
    assert_eq!(opener.open(&right, MAX).unwrap(), [0; 5000]);
    assert!(matches!(opener.open(&right, 4999), Err(FormatError::TooLarge { .. })));
    assert_eq!(opener.open(&right, 5000).unwrap(), [0; 5000]);
}

#[test]
fn no_key_is_a_missing_key() {
    for compress in [false, true] {
        let sealed = blob::seal(&[0; 100], Some(&example_key()), compress).unwrap();
        assert_eq!(blob::open(&sealed, None, MAX), Err(FormatError::MissingKey));
        assert_eq!(blob::verify_plain_chunk(&sealed, &[0; 32], 100), Err(FormatError::MissingKey));
    }
}

#[test]
fn frames_of_other_writers_decode() {
    let (first, second) = (seeded_stream(300), vec![5; 70_000]);
    for (content_size, checksum) in [(true, false), (false, false), (false, true), (true, true)] {
        let frame = |data: &[u8]| zstd_frame(data, content_size, checksum);
        let frames = [frame(&first), frame(&second)].concat();
        let whole = [&first[..], &second].concat();
        assert_eq!(blob::open(&compressed_blob(&frames), None, MAX).unwrap(), whole);
        let limit = whole.len() - 1;
        let refused = blob::open(&compressed_blob(&frames), None, limit);
        assert!(matches!(refused, Err(FormatError::TooLarge { .. })), "{refused:?}");
        assert!(blob::open(&compressed_blob(&frames[..frames.len() - 1]), None, MAX).is_err());
    }
}

#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let bomb = compressed_blob(&zstd_frame(&vec![0; 100 << 20], true, false));
    assert!(bomb.len() < 20_000);
    assert!(matches!(blob::open(&bomb, None, MAX), Err(FormatError::TooLarge { .. })));
    assert!(blob::verify_plain_chunk(&bomb, &[0; 32], 4096).is_err());
}

#[test]
fn uploaded_chunks_are_checked_by_length_and_digest_but_not_crc() {
    for compress in [false, true] {
        let data = vec![3; 10_000];
        let mut sealed = blob::seal(&data, None, compress).unwrap();
        sealed[9] ^= 1;
        let check = |digest, size| blob::verify_plain_chunk(&sealed, &digest, size);
        assert_eq!(check(sha256(&data), 10_000), Ok(()));
        assert!(check(sha256(&data), 9_999).is_err());
        assert_eq!(check(sha256(&data), 10_001), Err(FormatError::WrongLength { expected: 10_001, found: 10_000 }));
        assert!(matches!(check([0; 32], 10_000), Err(FormatError::WrongDigest { .. })));
    }
}

#[test]
fn too_much_data_is_refused() {
    let data = vec![0; blob::MAX_INPUT_BYTES + 1];
    assert!(matches!(blob::seal(&data, None, true), Err(FormatError::TooLarge { .. })));
}

#[test]
fn debug_output_has_no_key() {
    assert_eq!(format!("{:?}", CryptKey::new([0x41; 32])), "CryptKey(..)");
}

proptest! {
    #[test]
    fn seal_and_open(data in proptest::collection::vec(0_u8..4, 0..3000), encrypt: bool, compress: bool) {
        let key = encrypt.then(example_key);
        let sealed = Sealer::new(key.clone(), compress).unwrap().seal(&data).unwrap();
        prop_assert_eq!(blob::open(&sealed, key.as_ref(), data.len()).unwrap(), data);
    }

    #[test]
    fn any_bytes_give_a_result(kind in 0_usize..5, body in proptest::collection::vec(any::<u8>(), 0..300), limit in 0_usize..1000) {
        let kinds = [BlobKind::Plain, BlobKind::Compressed, BlobKind::Encrypted, BlobKind::EncryptedCompressed];
        let magic = kinds.get(kind).map(|kind| kind.magic().to_vec()).unwrap_or_default();
        let mut blob = [magic, body].concat();
        let _ = blob::stamp_crc(&mut blob);
        let _ = blob::verify_plain_chunk(&blob, &[0; 32], limit);
        if let Ok(data) = blob::open(&blob, Some(&example_key()), limit) {
            prop_assert!(data.len() <= limit);
        }
    }

    #[test]
    fn damaged_frames_give_a_result(data in proptest::collection::vec(0_u8..3, 1..2000), at: prop::sample::Index, bit in 0_u32..8) {
        let mut sealed = blob::seal(&data, None, true).unwrap();
        let at = at.index(sealed.len() - PLAIN_HEADER) + PLAIN_HEADER;
        sealed[at] ^= 1_u8 << bit;
        blob::stamp_crc(&mut sealed).unwrap();
        let _ = blob::open(&sealed, None, 4000);
        prop_assert!(blob::verify_plain_chunk(&sealed, &sha256(&data), data.len()).is_err() || blob::open(&sealed, None, data.len()).unwrap() == data);
    }

    #[test]
    fn hex_round_trip(digest: [u8; 32]) {
        prop_assert_eq!(from_hex(&to_hex(&digest)).unwrap(), digest);
    }

    #[test]
    fn any_text_is_a_digest_or_an_error(text in ".{0,70}") {
        let _ = from_hex(&text);
    }
}
