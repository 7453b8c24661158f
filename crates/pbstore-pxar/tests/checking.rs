//! Archives are checked as an extraction would read them.

use std::io::Cursor;

use pbstore_pxar::{check_archive, create_archive, CheckStats, CreateOptions, Decoder, PxarError, Reporter, Silent};

fn archive() -> Vec<u8> {
    let source = tempfile::tempdir().unwrap();
    let root = source.path();
    std::fs::create_dir(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/hosts"), b"127.0.0.1 localhost\n").unwrap();
    std::fs::hard_link(root.join("etc/hosts"), root.join("etc/same")).unwrap();
    std::fs::write(root.join("noise"), [7; 5000]).unwrap();
    let mut archive = Vec::new();
    create_archive(root, &mut archive, None, &CreateOptions::default(), &mut Silent).unwrap();
    archive
}

fn check(archive: &[u8]) -> Result<CheckStats, PxarError> {
    check_archive(Decoder::new(Cursor::new(archive)), &mut Silent)
}

#[test]
fn a_whole_archive_is_counted() {
    assert_eq!(check(&archive()).unwrap(), CheckStats { entry_count: 5, file_bytes: 5020 });
}

#[test]
fn no_shorter_archive_passes() {
    let archive = archive();
    for length in 0..archive.len() {
        assert!(check(&archive[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_hard_link_to_nothing_is_named() {
    let mut archive = archive();
    let kind = 0x5126_9c84_22bd_7275_u64.to_le_bytes();
    let place = archive.windows(8).position(|window| window == kind).unwrap() + 16;
    archive[place] ^= 1;
    let error = check(&archive).unwrap_err().to_string();
    assert!(error.contains(r#"the hard link "etc/same" leads to no file in front of it"#), "{error}");
}

#[test]
fn whoever_watches_can_stop_it() {
    struct Impatient;
    impl Reporter for Impatient {
        fn warn(&mut self, _message: String) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let checked = check_archive(Decoder::new(Cursor::new(archive())), &mut Impatient);
    assert!(matches!(checked, Err(PxarError::Cancelled)));
}
