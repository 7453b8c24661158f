//! Extraction of any archive, with any options: nothing outside of the target may change.
//!
//! Input: options, which patterns, the length of the metadata stream (longer than all: a version 1 archive), the streams.
//! `@@@…@` (32 times) in an archive stands for the absolute path of the directory that
//! has to stay as it is, so that inputs stay valid from run to run.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::outside::{Scene, PLACEHOLDER};
use pbstore_fuzz::{within, InMemory, Steering};
use pbstore_pxar::{extract_archive, Decoder, ExtractOptions, ExtractStats, Flags, Pattern, PxarError, Silent};

/// Content buffer of 1 MiB, the input's buffer, and what the decoder may have.
const HEAP_BOUND: usize = 8 << 20;

const PATTERNS: [&str; 8] = ["*", "!w*", "/sub", "**/secret", "!*.txt", "hard", "a*/", "/way/**"];

/// Append-only and immutable files could not be removed after the test.
const UNREMOVABLE: Flags = Flags(0x1_0000 | 0x40_0000);

fuzz_target!(|input: &[u8]| {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    let scene = SCENE.get_or_init(Scene::new);
    let mut steering = Steering::new(input);
    let choice = steering.byte();
    let options = options(choice, steering.byte());
    let (archive, payload) = steering.streams();
    let mut archive = archive.to_vec();
    replace(&mut archive, PLACEHOLDER, scene.outside_path());
    within(HEAP_BOUND, || {
        if let Err(error) = extract(&archive, payload, scene, choice >> 7 == 1, &options) {
            assert!(!error.to_string().contains('\n'));
        }
    });
    scene.check_and_clear();
});

fn extract(
    archive: &[u8],
    payload: Option<&[u8]>,
    scene: &Scene,
    at_any_place: bool,
    options: &ExtractOptions,
) -> Result<ExtractStats, PxarError> {
    match payload {
        _ if at_any_place => {
            let decoder = Decoder::at(InMemory::shared(archive), payload.map(InMemory::shared));
            extract_archive(decoder, scene.target(), options, &mut Silent)
        }
        Some(payload) => extract_archive(Decoder::with_payload(archive, payload), scene.target(), options, &mut Silent),
        None => extract_archive(Decoder::new(archive), scene.target(), options, &mut Silent),
    }
}

fn options(choice: u8, patterns: u8) -> ExtractOptions {
    let bit = |number: u8| choice >> number & 1 == 1;
    let chosen = PATTERNS.iter().enumerate().filter(|(number, _)| patterns >> number & 1 == 1);
    let patterns = chosen.map(|(_, text)| Pattern::parse(text.as_bytes()).unwrap()).collect();
    let mut features = Flags::DEFAULT.without(UNREMOVABLE);
    if bit(6) {
        features = features.without(Flags::OWNERSHIP | Flags::ACL);
    }
    // Only root can remove what is in directories that nobody may write to.
    if !Scene::is_root() {
        features = features.without(Flags::PERMISSIONS | Flags::ACL);
    }
    ExtractOptions {
        features,
        allow_existing_dirs: bit(0),
        overwrite_files: bit(1),
        overwrite_symlinks: bit(2),
        overwrite_hardlinks: bit(3),
        ignore_device_errors: bit(4),
        patterns,
        strict: bit(5),
    }
}

fn replace(bytes: &mut [u8], from: &[u8; 32], to: &[u8; 32]) {
    let mut start = 0;
    while let Some(found) = bytes[start..].windows(from.len()).position(|window| window == from) {
        start += found;
        bytes[start..start + from.len()].copy_from_slice(to);
    }
}
