//! The chunkers as chunker.md describes them, on a whole stream: every byte is hashed.

#[path = "../../crates/pbstore-format/src/chunker/table.rs"]
mod table;

/// Ends of the chunks of a stream.
pub fn ends(data: &[u8], average: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    while start < data.len() {
        start += first_end(&data[start..], average);
        ends.push(start);
    }
    ends
}

/// Where the first chunk ends.
fn first_end(data: &[u8], average: usize) -> usize {
    let (min, max, mask) = (average / 4, average * 4, average as u32 * 2 - 1);
    let mut hash = 0_u32;
    for (at, &byte) in data.iter().enumerate() {
        let count = at + 1;
        hash = hash.rotate_left(1) ^ table::TABLE[usize::from(byte)];
        if count > 64 {
            hash ^= table::TABLE[usize::from(data[at - 64])];
            if count >= max || (count >= min && hash & mask >= mask - 2) {
                return count;
            }
        }
    }
    data.len()
}

/// Ends of the chunks of a payload stream, arguments and values as of `payload_chunk_ends`.
pub fn payload_ends(data: &[u8], suggestions: &[u64], injections: &[(u64, u64)], average: usize) -> Vec<u64> {
    let mut ends = Vec::new();
    let mut base = 0;
    let mut rest = data;
    for (boundary, bytes) in injections.iter().chain([&(u64::MAX, 0)]) {
        let length = usize::try_from(boundary - base).unwrap_or(usize::MAX).min(rest.len());
        let (mut run, behind) = rest.split_at(length);
        while !run.is_empty() {
            let longest = run.len().min(average * 4) as u64;
            let mut lengths = suggestions.iter().filter_map(|offset| offset.checked_sub(base));
            let suggested = lengths.find(|length| *length >= average as u64 / 4).filter(|length| *length <= longest);
            let end = suggested.map_or_else(|| first_end(run, average), |length| length as usize);
            base += end as u64;
            ends.push(base);
            run = &run[end..];
        }
        base += bytes;
        rest = behind;
    }
    ends
}
