//! Extraction of any archive, with any options: nothing outside of the target may change.
//!
//! The first byte chooses options. `@@@…@` (32 times) in an archive stands for the absolute path of the directory that
//! has to stay as it is, so that inputs stay valid from run to run.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use pbstore_fuzz::outside::{Scene, PLACEHOLDER};
use pbstore_fuzz::{within, Steering};
use pbstore_pxar::{extract_archive, ExtractOptions, Flags, Silent};

/// Content buffer of 1 MiB, the input's buffer, and what the decoder may have.
const HEAP_BOUND: usize = 8 << 20;

/// Append-only and immutable files could not be removed after the test.
const UNREMOVABLE: Flags = Flags(0x1_0000 | 0x40_0000);

fuzz_target!(|input: &[u8]| {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    let scene = SCENE.get_or_init(Scene::new);
    let mut steering = Steering::new(input);
    let options = options(steering.byte());
    let mut archive = steering.rest().to_vec();
    replace(&mut archive, PLACEHOLDER, scene.outside_path());
    within(HEAP_BOUND, || {
        if let Err(error) = extract_archive(archive.as_slice(), scene.target(), &options, &mut Silent) {
            assert!(!error.to_string().contains('\n'));
        }
    });
    scene.check_and_clear();
});

fn options(choice: u8) -> ExtractOptions {
    let bit = |number: u8| choice >> number & 1 == 1;
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
