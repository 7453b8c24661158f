//! Prints MB/s of every codec on this machine: `cargo run --release -p pbstore-format --example throughput`.

use std::hint::black_box;
use std::time::Instant;

use pbstore_format::{blob, chunker, digest, CryptKey, Opener, Sealer};

const CHUNK: usize = 4 << 20;
const ROUNDS: usize = 40;

fn main() -> pbstore_format::Result<()> {
    let random = random_data(CHUNK);
    let text = text_data(CHUNK);
    report("digest", || digest::chunk_digest(&random, None));
    report("digest by OpenSSL, to compare", || openssl::sha::sha256(&random));
    let sealed = blob::seal(&random, None, false)?;
    report("check_crc", || blob::check_crc(&sealed));
    measure_blobs("random", &random)?;
    measure_blobs("text", &text)?;
    let stream = random_data(CHUNK * 16);
    let start = Instant::now();
    black_box(chunker::chunk_ends(&stream, chunker::DEFAULT_AVERAGE)?);
    print_rate("chunker", stream.len(), start);
    Ok(())
}

fn measure_blobs(what: &str, data: &[u8]) -> pbstore_format::Result<()> {
    let key = CryptKey::new([7; 32]);
    let settings =
        [("plain", None, false), ("zstd", None, true), ("aes", Some(&key), false), ("zstd+aes", Some(&key), true)];
    for (setting, key, compress) in settings {
        let mut sealer = Sealer::new(key.cloned(), compress)?;
        let mut opener = Opener::new(key.cloned())?;
        let sealed = sealer.seal(data)?;
        let ratio = sealed.len() as f64 / data.len() as f64;
        report(&format!("seal {setting} {what} (to {ratio:.2})"), || sealer.seal(data));
        report(&format!("open {setting} {what}"), || opener.open(&sealed, CHUNK));
        if key.is_none() {
            let digest = digest::sha256(data);
            report(&format!("verify {setting} {what}"), || opener.verify_plain_chunk(&sealed, &digest, CHUNK));
        }
    }
    Ok(())
}

fn report<T>(name: &str, mut work: impl FnMut() -> T) {
    black_box(work());
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(work());
    }
    print_rate(name, ROUNDS * CHUNK, start);
}

fn print_rate(name: &str, bytes: usize, start: Instant) {
    println!("{name:32} {:8.0} MB/s", bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
}

fn random_data(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..len / 8).flat_map(|_| next()).collect()
}

fn text_data(len: usize) -> Vec<u8> {
    let line = |number: u64| format!("{number} record {} of host-{}\n", number * 7919 % 10_007, number % 37);
    (0..).map(line).flat_map(String::into_bytes).take(len).collect()
}
