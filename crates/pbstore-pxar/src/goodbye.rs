//! The lookup table at the end of a directory: hashes of names as an implicit binary search tree (pxar.md 5).

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::items::{Header, GOODBYE, GOODBYE_TAIL_MARKER, HEADER_BYTES};

/// Bytes of one record: hash, offset, size.
pub const RECORD_BYTES: u64 = 24;

/// A directory's child as its goodbye table lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// [`name_hash`] of the child's name.
    pub hash: u64,
    /// Bytes from the child's name item to the table's header.
    pub offset: u64,
    /// Bytes from the child's name item to its end.
    pub size: u64,
}

/// SipHash-2-4 of a name with the format's keys.
pub fn name_hash(name: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(0x83ac_3f1c_fbb4_50db, 0xaa4f_1b68_7936_9fbd);
    hasher.write(name);
    hasher.finish()
}

/// Where each of `count` sorted records goes: element `node` is the sorted index of the record stored there.
///
/// The tree is complete: all levels are full but the last, which is filled from the left. Node `i` has its smaller
/// children at `2i + 1` and its larger ones at `2i + 2`.
pub fn permutation(count: usize) -> Vec<usize> {
    let mut order = vec![0; count];
    let mut pending = vec![(0, count, 0)];
    while let Some((start, count, node)) = pending.pop() {
        if count == 0 {
            continue;
        }
        let middle = left_count(count);
        order[node] = start + middle;
        pending.push((start, middle, 2 * node + 1));
        pending.push((start + middle + 1, count - middle - 1, 2 * node + 2));
    }
    order
}

/// How many of `count` sorted records lie left of the root of a complete tree.
fn left_count(count: usize) -> usize {
    let full = 1usize << count.ilog2();
    let threshold = full + full / 2 - 1;
    if count > threshold {
        full - 1
    } else {
        full - 1 - (threshold - count)
    }
}

/// The whole table item for a directory whose entry begins at `entry_start`, written at `table_start`.
///
/// `records` have the absolute start of the child's name item in `offset`.
pub fn encode(mut records: Vec<Record>, entry_start: u64, table_start: u64) -> Vec<u8> {
    records.sort_by_key(|record| record.hash);
    let content_bytes = RECORD_BYTES * (records.len() as u64 + 1);
    let mut table = Vec::with_capacity((HEADER_BYTES + content_bytes) as usize);
    table.extend_from_slice(&Header { item_type: GOODBYE, content_bytes }.encode());
    for index in permutation(records.len()) {
        let record = records[index];
        put(&mut table, Record { offset: table_start - record.offset, ..record });
    }
    put(
        &mut table,
        Record { hash: GOODBYE_TAIL_MARKER, offset: table_start - entry_start, size: HEADER_BYTES + content_bytes },
    );
    table
}

fn put(table: &mut Vec<u8>, record: Record) {
    for number in [record.hash, record.offset, record.size] {
        table.extend_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_the_worked_example() {
        assert_eq!(name_hash(b"a.txt"), 0xdc39_2d66_b611_aa72);
        assert_eq!(name_hash(b"hard"), 0x15c0_5630_0a23_e75a);
        assert_eq!(name_hash(b"link"), 0x04fe_0b2e_cf0f_c0ef);
        assert_eq!(name_hash(b"sub"), 0x1d68_1614_05af_1bd0);
        assert_eq!(name_hash(b"empty"), 0x9c7b_d2e4_b3b6_0004);
    }

    #[test]
    fn permutations_of_the_specification() {
        let expected: [&[usize]; 11] = [
            &[],
            &[0],
            &[1, 0],
            &[1, 0, 2],
            &[2, 1, 3, 0],
            &[3, 1, 4, 0, 2],
            &[3, 1, 5, 0, 2, 4],
            &[3, 1, 5, 0, 2, 4, 6],
            &[4, 2, 6, 1, 3, 5, 7, 0],
            &[5, 3, 7, 1, 4, 6, 8, 0, 2],
            &[6, 3, 8, 1, 5, 7, 9, 0, 2, 4],
        ];
        for (count, order) in expected.iter().enumerate() {
            assert_eq!(permutation(count), *order, "{count} records");
        }
    }

    #[test]
    fn every_record_is_found_by_descending_the_tree() {
        for count in 0..1000 {
            let order = permutation(count);
            for wanted in 0..count {
                let mut node = 0;
                while order[node] != wanted {
                    node = if wanted < order[node] { 2 * node + 1 } else { 2 * node + 2 };
                }
            }
        }
    }
}
