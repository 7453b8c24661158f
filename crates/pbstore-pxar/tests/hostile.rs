//! Archives that want out: nothing outside the target may be made, changed or linked to.

use std::fs;
use std::os::unix::fs::{symlink, MetadataExt};
use std::path::{Path, PathBuf};

use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{extract_archive, Decoder, Encoder, ExtractOptions, Pattern, PlainPayload, PxarError, Silent};
use tempfile::TempDir;

/// A target directory, and beside it a directory that has to stay as it is.
struct Scene {
    _base: TempDir,
    target: PathBuf,
    outside: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let base = TempDir::new().unwrap();
        let (target, outside) = (base.path().join("target"), base.path().join("outside"));
        fs::create_dir(&target).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "untouched").unwrap();
        Self { _base: base, target, outside }
    }

    fn outside_text(&self) -> Vec<u8> {
        self.outside.as_os_str().as_encoded_bytes().to_vec()
    }

    /// Extracts and checks that the outside is as before; returns what extraction said.
    fn extract(&self, made: &Made, options: &ExtractOptions) -> Result<(), PxarError> {
        let archive = made.archive.as_slice();
        let result = match &made.payload {
            None => extract_archive(Decoder::new(archive), &self.target, options, &mut Silent),
            Some(payload) => {
                let decoder = Decoder::with_payload(archive, payload.as_slice());
                extract_archive(decoder, &self.target, options, &mut Silent)
            }
        };
        let names: Vec<_> = fs::read_dir(&self.outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        let secret = self.outside.join("secret");
        assert_eq!(fs::read(&secret).unwrap(), b"untouched");
        assert_eq!(fs::metadata(&secret).unwrap().nlink(), 1);
        result.map(drop)
    }
}

fn everything_allowed() -> ExtractOptions {
    ExtractOptions {
        allow_existing_dirs: true,
        overwrite_files: true,
        overwrite_symlinks: true,
        overwrite_hardlinks: true,
        strict: false,
        ..ExtractOptions::default()
    }
}

fn metadata(mode: u64) -> Metadata {
    let (uid, gid) = owner();
    let mtime = Mtime { seconds: 1, nanoseconds: 2 };
    Metadata { stat: Stat { mode, uid, gid, mtime, flags: 0 }, ..Metadata::default() }
}

fn owner() -> (u32, u32) {
    let own = fs::metadata("/proc/self").unwrap();
    (own.uid(), own.gid())
}

const DIRECTORY: u64 = 0o040_755;
const FILE: u64 = 0o100_644;
const SYMLINK: u64 = 0o120_777;

type Archive<'a> = Encoder<'a, Vec<u8>>;

/// An archive, with its payload if it is a split one.
struct Made {
    archive: Vec<u8>,
    payload: Option<Vec<u8>>,
}

/// The same archive in version 1 and split.
fn archives(fill: impl Fn(&mut Archive)) -> [Made; 2] {
    let mut plain = Encoder::new(Vec::new(), &metadata(DIRECTORY)).unwrap();
    fill(&mut plain);
    let mut payload = PlainPayload(Vec::new());
    let mut split = Encoder::split(Vec::new(), &mut payload, None, &metadata(DIRECTORY)).unwrap();
    fill(&mut split);
    let archive = split.finish().unwrap().0;
    [Made { archive: plain.finish().unwrap().0, payload: None }, Made { archive, payload: Some(payload.0) }]
}

/// To stop at the first error, to replace and go on, and to do so with what a pattern matches.
fn all_options() -> [ExtractOptions; 3] {
    let patterns = vec![Pattern::parse_selecting(b"*").unwrap()];
    [ExtractOptions::default(), everything_allowed(), ExtractOptions { patterns, ..everything_allowed() }]
}

fn add_file(encoder: &mut Archive, name: &[u8]) -> pbstore_pxar::encoder::EntryStart {
    encoder.add_file(name, &metadata(FILE), 4, &mut b"evil".as_slice()).unwrap().0
}

/// Replaces a placeholder in an archive by something of the same length that the encoder refuses to write.
fn forge(made: &Made, placeholder: &[u8], forged: &[u8]) -> Made {
    assert_eq!(placeholder.len(), forged.len());
    let mut archive = made.archive.clone();
    let start = archive.windows(placeholder.len()).position(|bytes| bytes == placeholder).unwrap();
    archive[start..start + forged.len()].copy_from_slice(forged);
    Made { archive, payload: made.payload.clone() }
}

#[test]
fn a_symlink_is_no_directory_to_descend_into() {
    for options in all_options() {
        for form in 0..2 {
            let scene = Scene::new();
            let made = archives(|encoder| {
                encoder.add_symlink(b"way", &metadata(SYMLINK), &scene.outside_text()).unwrap();
                encoder.begin_directory(b"way", &metadata(DIRECTORY)).unwrap();
                add_file(encoder, b"secret");
                add_file(encoder, b"more");
                encoder.end_directory().unwrap();
            });
            scene.extract(&made[form], &options).unwrap_err();
        }
    }
}

#[test]
fn a_directory_that_is_only_passed_is_none_behind_a_symlink_either() {
    let patterns = vec![Pattern::parse_selecting(b"/way/secret").unwrap()];
    for form in 0..2 {
        let scene = Scene::new();
        symlink(&scene.outside, scene.target.join("way")).unwrap();
        let made = archives(|encoder| {
            encoder.begin_directory(b"way", &metadata(DIRECTORY)).unwrap();
            encoder.begin_directory(b"a", &metadata(DIRECTORY)).unwrap();
            encoder.end_directory().unwrap();
            add_file(encoder, b"secret");
            encoder.end_directory().unwrap();
        });
        let options = ExtractOptions { patterns: patterns.clone(), ..everything_allowed() };
        let error = scene.extract(&made[form], &options).unwrap_err();
        assert!(matches!(error, PxarError::Incomplete { count: 1 }), "{error}");
    }
}

#[test]
fn a_file_does_not_write_through_a_symlink() {
    for options in all_options() {
        for form in 0..2 {
            let scene = Scene::new();
            let secret = [scene.outside_text().as_slice(), b"/secret"].concat();
            let made = archives(|encoder| {
                encoder.add_symlink(b"way", &metadata(SYMLINK), &secret).unwrap();
                add_file(encoder, b"way");
            });
            let result = scene.extract(&made[form], &options);
            let is_file = fs::symlink_metadata(scene.target.join("way")).unwrap().is_file();
            assert_eq!((is_file, result.is_ok()), (options.overwrite_files, options.overwrite_files));
        }
    }
}

#[test]
fn an_existing_symlink_is_replaced_and_not_followed() {
    let made = archives(|encoder| {
        encoder.begin_directory(b"directory", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"secret");
        encoder.end_directory().unwrap();
        add_file(encoder, b"file");
    });
    for made in made {
        let scene = Scene::new();
        symlink(&scene.outside, scene.target.join("directory")).unwrap();
        symlink(scene.outside.join("secret"), scene.target.join("file")).unwrap();
        let error = scene.extract(&made, &everything_allowed()).unwrap_err();
        assert!(matches!(error, PxarError::Incomplete { count: 1 }), "{error}");
        assert_eq!(fs::read(scene.target.join("file")).unwrap(), b"evil");
    }
}

#[test]
fn an_existing_hard_link_is_not_written_through() {
    let made = archives(|encoder| {
        add_file(encoder, b"shared");
    });
    for made in made {
        let scene = Scene::new();
        let inside = scene.target.join("shared");
        fs::hard_link(scene.outside.join("secret"), &inside).unwrap();
        scene.extract(&made, &everything_allowed()).unwrap();
        assert_eq!(fs::read(inside).unwrap(), b"evil");
    }
}

#[test]
fn hard_links_do_not_leave_the_target() {
    let scene = Scene::new();
    let outside = scene.outside_text();
    let absolute = [outside.as_slice(), b"/secret"].concat();
    for target in
        [b"../outside/secret".as_slice(), b"sub/../../outside/secret", b"way/secret", b"ok", b"sub", &absolute]
    {
        let made = archives(|encoder| {
            let start = add_file(encoder, b"a");
            encoder.add_symlink(b"ok", &metadata(SYMLINK), &absolute).unwrap();
            encoder.begin_directory(b"sub", &metadata(DIRECTORY)).unwrap();
            encoder.end_directory().unwrap();
            encoder.add_symlink(b"way", &metadata(SYMLINK), &outside).unwrap();
            encoder.add_hardlink(b"zz", target, start).unwrap();
        });
        for options in all_options() {
            for made in &made {
                let scene = Scene {
                    target: scene.target.join("fresh"),
                    outside: scene.outside.clone(),
                    _base: TempDir::new().unwrap(),
                };
                let error = scene.extract(made, &options).unwrap_err();
                assert!(!scene.target.join("zz").exists(), "{error}");
                fs::remove_dir_all(&scene.target).unwrap();
            }
        }
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let single = archives(|encoder| {
        add_file(encoder, b"qqq");
    });
    let directory = archives(|encoder| {
        encoder.begin_directory(b"qq", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"secret");
        encoder.end_directory().unwrap();
    });
    for options in all_options() {
        for made in &single {
            for forged in [b"..\0".as_slice(), b"a/b", b"/bc", b".\0\0", b"\0\0\0"] {
                let scene = Scene::new();
                let error = scene.extract(&forge(made, b"qqq", forged), &options).unwrap_err();
                assert!(matches!(error, PxarError::Malformed { .. }), "{error}");
                assert_eq!(fs::read_dir(&scene.target).unwrap().count(), 0);
            }
        }
        for made in &directory {
            Scene::new().extract(&forge(made, b"qq", b".."), &options).unwrap_err();
        }
    }
}

#[test]
fn a_second_entry_of_the_same_name_is_refused_or_replaces() {
    let made = archives(|encoder| {
        add_file(encoder, b"twice");
        add_file(encoder, b"twice");
    });
    for made in made {
        Scene::new().extract(&made, &ExtractOptions::default()).unwrap_err();
        Scene::new().extract(&made, &everything_allowed()).unwrap();
    }
}

#[test]
fn a_directory_is_never_replaced() {
    let made = archives(|encoder| {
        encoder.begin_directory(b"d", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"inside");
        encoder.end_directory().unwrap();
        add_file(encoder, b"d");
        encoder.add_symlink(b"d", &metadata(SYMLINK), b"..").unwrap();
    });
    for made in made {
        let scene = Scene::new();
        let error = scene.extract(&made, &everything_allowed()).unwrap_err();
        assert!(matches!(error, PxarError::Incomplete { count: 2 }), "{error}");
        assert!(scene.target.join("d/inside").exists());
    }
}

#[test]
fn deep_archives_are_extracted_with_few_descriptors() {
    let depth = 4000;
    let made = archives(|encoder| {
        for _ in 0..depth {
            encoder.begin_directory(b"directory-with-a-longer-name", &metadata(DIRECTORY)).unwrap();
        }
        add_file(encoder, b"bottom");
        for _ in 0..depth {
            encoder.end_directory().unwrap();
        }
    });
    let plain_length = made[0].archive.len();
    let only_the_bottom = vec![Pattern::parse_selecting(b"bottom").unwrap()];
    for (made, patterns) in [(&made[0], Vec::new()), (&made[1], only_the_bottom)] {
        let scene = Scene::new();
        scene.extract(made, &ExtractOptions { patterns, ..ExtractOptions::default() }).unwrap();
        let mut again = Vec::new();
        let options = pbstore_pxar::CreateOptions::default();
        pbstore_pxar::create_archive(&scene.target, &mut again, None, &options, &mut Silent).unwrap();
        // Not compared byte by byte: the file system may report attributes that the archive made above does not have.
        assert_eq!(again.len(), plain_length);
        remove_deep(&scene.target);
    }
}

/// `remove_dir_all` recurses; this one moves the tree up level by level.
fn remove_deep(target: &Path) {
    let status = std::process::Command::new("rm").arg("-rf").arg(target).status().unwrap();
    assert!(status.success());
}
