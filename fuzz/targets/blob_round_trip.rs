//! What was sealed comes back, and a changed byte is noticed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pbstore_format::blob::{self, stamp_crc};
use pbstore_format::CryptKey;
use pbstore_fuzz::{within, Steering};

/// A few copies of the longest input.
const HEAP_BOUND: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let mut steering = Steering::new(input);
    let (encrypt, compress) = (steering.coin(), steering.coin());
    let (place, flips) = (u16::from_le_bytes(steering.bytes()), steering.byte());
    let data = steering.rest();
    within(HEAP_BOUND, || {
        let key = encrypt.then(|| CryptKey::new([7; 32]));
        let sealed = blob::seal(data, key.as_ref(), compress).unwrap();
        assert_eq!(blob::open(&sealed, key.as_ref(), data.len()).as_deref(), Ok(data));

        let mut changed = sealed.clone();
        let place = usize::from(place) % sealed.len();
        changed[place] ^= flips;
        if changed != sealed {
            assert_ne!(blob::open(&changed, key.as_ref(), data.len()).as_deref(), Ok(data), "byte {place}");
            // Behind the magic, the tag covers what the checksum does not.
            if encrypt && place >= 12 {
                stamp_crc(&mut changed).unwrap();
                assert!(blob::open(&changed, key.as_ref(), data.len()).is_err(), "byte {place}");
            }
        }
    });
});
