//! Archives that want out: nothing outside the target may be made, changed or linked to.

use std::fs;
use std::os::unix::fs::{symlink, MetadataExt};
use std::path::{Path, PathBuf};

use pbstore_pxar::metadata::{Metadata, Mtime, Stat};
use pbstore_pxar::{extract_archive, Encoder, ExtractOptions, PxarError, Silent};
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
    fn extract(&self, archive: &[u8], options: &ExtractOptions) -> Result<(), PxarError> {
        let result = extract_archive(archive, &self.target, options, &mut Silent).map(drop);
        let names: Vec<_> = fs::read_dir(&self.outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"]);
        let secret = self.outside.join("secret");
        assert_eq!(fs::read(&secret).unwrap(), b"untouched");
        assert_eq!(fs::metadata(&secret).unwrap().nlink(), 1);
        result
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

type Archive = Encoder<'static, Vec<u8>>;

fn archive(fill: impl FnOnce(&mut Archive)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), &metadata(DIRECTORY)).unwrap();
    fill(&mut encoder);
    encoder.finish().unwrap().0
}

fn add_file(encoder: &mut Archive, name: &[u8]) -> pbstore_pxar::encoder::EntryStart {
    encoder.add_file(name, &metadata(FILE), 4, &mut b"evil".as_slice()).unwrap().0
}

/// Replaces a placeholder in an archive by something of the same length that the encoder refuses to write.
fn forge(mut archive: Vec<u8>, placeholder: &[u8], forged: &[u8]) -> Vec<u8> {
    assert_eq!(placeholder.len(), forged.len());
    let start = archive.windows(placeholder.len()).position(|bytes| bytes == placeholder).unwrap();
    archive[start..start + forged.len()].copy_from_slice(forged);
    archive
}

#[test]
fn a_symlink_is_no_directory_to_descend_into() {
    for options in [ExtractOptions::default(), everything_allowed()] {
        let scene = Scene::new();
        let bytes = archive(|encoder| {
            encoder.add_symlink(b"way", &metadata(SYMLINK), &scene.outside_text()).unwrap();
            encoder.begin_directory(b"way", &metadata(DIRECTORY)).unwrap();
            add_file(encoder, b"secret");
            add_file(encoder, b"more");
            encoder.end_directory().unwrap();
        });
        scene.extract(&bytes, &options).unwrap_err();
    }
}

#[test]
fn a_file_does_not_write_through_a_symlink() {
    let scene = Scene::new();
    let secret = [scene.outside_text().as_slice(), b"/secret"].concat();
    let bytes = archive(|encoder| {
        encoder.add_symlink(b"way", &metadata(SYMLINK), &secret).unwrap();
        add_file(encoder, b"way");
    });
    scene.extract(&bytes, &ExtractOptions::default()).unwrap_err();
    let scene = Scene::new();
    scene.extract(&bytes, &everything_allowed()).unwrap();
    assert!(fs::symlink_metadata(scene.target.join("way")).unwrap().is_file());
}

#[test]
fn an_existing_symlink_is_replaced_and_not_followed() {
    let scene = Scene::new();
    symlink(&scene.outside, scene.target.join("directory")).unwrap();
    symlink(scene.outside.join("secret"), scene.target.join("file")).unwrap();
    let bytes = archive(|encoder| {
        encoder.begin_directory(b"directory", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"secret");
        encoder.end_directory().unwrap();
        add_file(encoder, b"file");
    });
    let error = scene.extract(&bytes, &everything_allowed()).unwrap_err();
    assert!(matches!(error, PxarError::Incomplete { count: 1 }), "{error}");
    assert_eq!(fs::read(scene.target.join("file")).unwrap(), b"evil");
}

#[test]
fn an_existing_hard_link_is_not_written_through() {
    let scene = Scene::new();
    let inside = scene.target.join("shared");
    fs::hard_link(scene.outside.join("secret"), &inside).unwrap();
    let bytes = archive(|encoder| {
        add_file(encoder, b"shared");
    });
    scene.extract(&bytes, &everything_allowed()).unwrap();
    assert_eq!(fs::read(inside).unwrap(), b"evil");
}

#[test]
fn hard_links_do_not_leave_the_target() {
    let scene = Scene::new();
    let outside = scene.outside_text();
    let absolute = [outside.as_slice(), b"/secret"].concat();
    for target in
        [b"../outside/secret".as_slice(), b"sub/../../outside/secret", b"way/secret", b"ok", b"sub", &absolute]
    {
        for options in [ExtractOptions::default(), everything_allowed()] {
            let bytes = archive(|encoder| {
                let start = add_file(encoder, b"a");
                encoder.add_symlink(b"ok", &metadata(SYMLINK), &absolute).unwrap();
                encoder.begin_directory(b"sub", &metadata(DIRECTORY)).unwrap();
                encoder.end_directory().unwrap();
                encoder.add_symlink(b"way", &metadata(SYMLINK), &outside).unwrap();
                encoder.add_hardlink(b"zz", target, start).unwrap();
            });
            let scene = Scene {
                target: scene.target.join("fresh"),
                outside: scene.outside.clone(),
                _base: TempDir::new().unwrap(),
            };
            let error = scene.extract(&bytes, &options).unwrap_err();
            assert!(!scene.target.join("zz").exists(), "{error}");
            fs::remove_dir_all(&scene.target).unwrap();
        }
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let single = archive(|encoder| {
        add_file(encoder, b"qqq");
    });
    for forged in [b"..\0".as_slice(), b"a/b", b"/bc", b".\0\0", b"\0\0\0"] {
        let scene = Scene::new();
        let bytes = forge(single.clone(), b"qqq", forged);
        let error = scene.extract(&bytes, &everything_allowed()).unwrap_err();
        assert!(matches!(error, PxarError::Malformed { .. }), "{error}");
        assert_eq!(fs::read_dir(&scene.target).unwrap().count(), 0);
    }
    let scene = Scene::new();
    let directory = archive(|encoder| {
        encoder.begin_directory(b"qq", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"secret");
        encoder.end_directory().unwrap();
    });
    scene.extract(&forge(directory, b"qq", b".."), &everything_allowed()).unwrap_err();
}

#[test]
fn a_second_entry_of_the_same_name_is_refused_or_replaces() {
    let bytes = archive(|encoder| {
        add_file(encoder, b"twice");
        add_file(encoder, b"twice");
    });
    Scene::new().extract(&bytes, &ExtractOptions::default()).unwrap_err();
    Scene::new().extract(&bytes, &everything_allowed()).unwrap();
}

#[test]
fn a_directory_is_never_replaced() {
    let scene = Scene::new();
    let bytes = archive(|encoder| {
        encoder.begin_directory(b"d", &metadata(DIRECTORY)).unwrap();
        add_file(encoder, b"inside");
        encoder.end_directory().unwrap();
        add_file(encoder, b"d");
        encoder.add_symlink(b"d", &metadata(SYMLINK), b"..").unwrap();
    });
    let error = scene.extract(&bytes, &everything_allowed()).unwrap_err();
    assert!(matches!(error, PxarError::Incomplete { count: 2 }), "{error}");
    assert!(scene.target.join("d/inside").exists());
}

#[test]
fn deep_archives_are_extracted_with_few_descriptors() {
    let scene = Scene::new();
    let depth = 4000;
    let bytes = archive(|encoder| {
        for _ in 0..depth {
            encoder.begin_directory(b"directory-with-a-longer-name", &metadata(DIRECTORY)).unwrap();
        }
        add_file(encoder, b"bottom");
        for _ in 0..depth {
            encoder.end_directory().unwrap();
        }
    });
    scene.extract(&bytes, &ExtractOptions::default()).unwrap();
    let mut again = Vec::new();
    let options = pbstore_pxar::CreateOptions::default();
    pbstore_pxar::create_archive(Path::new(&scene.target), &mut again, None, &options, &mut Silent).unwrap();
    // The file system may report attributes that the archive made above does not have.
    assert_eq!(again.len(), bytes.len());
    remove_deep(&scene.target);
}

/// `remove_dir_all` recurses; this one moves the tree up level by level.
fn remove_deep(target: &Path) {
    let status = std::process::Command::new("rm").arg("-rf").arg(target).status().unwrap();
    assert!(status.success());
}
