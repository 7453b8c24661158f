//! Tar files, read back field by field.

mod archives;

use archives::{add_file, archive, metadata, tar, DIRECTORY, FILE, TIME};
use pbstore_pxar::metadata::{Mtime, Stat};
use pbstore_pxar::{Device, Directory};

#[derive(Debug, PartialEq)]
struct Member {
    name: Vec<u8>,
    kind: char,
    link: Vec<u8>,
    content: Vec<u8>,
}

fn text(field: &[u8]) -> Vec<u8> {
    field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

fn number(field: &[u8]) -> i128 {
    if field[0] & 0x80 == 0 {
        return i128::from_str_radix(std::str::from_utf8(&text(field)).unwrap(), 8).unwrap();
    }
    let first = i128::from(((field[0] << 1) as i8) >> 1);
    field[1..].iter().fold(first, |number, byte| number << 8 | i128::from(*byte))
}

fn padded(length: usize) -> usize {
    length.div_ceil(512) * 512
}

/// The members with what pseudo members say of them.
fn members(mut tar: &[u8]) -> Vec<Member> {
    let (mut found, mut long_name, mut long_link) = (Vec::new(), None, None);
    loop {
        let (header, rest) = tar.split_at(512);
        if header == [0; 512] {
            assert_eq!(rest, [0; 512]);
            return found;
        }
        let mut blank = header.to_vec();
        blank[148..156].fill(b' ');
        assert_eq!(number(&header[148..156]), blank.iter().map(|byte| i128::from(*byte)).sum::<i128>());
        assert_eq!(&header[257..265], b"ustar  \0");
        let length = number(&header[124..136]) as usize;
        let content = rest[..length].to_vec();
        assert!(rest[length..padded(length)].iter().all(|byte| *byte == 0));
        tar = &rest[padded(length)..];
        match header[156] {
            b'L' => long_name = Some(text(&content)),
            b'K' => long_link = Some(text(&content)),
            kind => {
                let name = long_name.take().unwrap_or_else(|| text(&header[..100]));
                let link = long_link.take().unwrap_or_else(|| text(&header[157..257]));
                found.push(Member { name, kind: kind.into(), link, content });
            }
        }
    }
}

fn listed(root: &Directory, path: &[u8]) -> Vec<(String, char, String)> {
    let members = members(&tar(root, path).unwrap());
    let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    members.iter().map(|member| (shown(&member.name), member.kind, shown(&member.link))).collect()
}

fn line(name: &str, kind: char, link: &str) -> (String, char, String) {
    (name.to_owned(), kind, link.to_owned())
}

#[test]
fn one_of_everything() {
    let root = archive(|archive| {
        archive.begin_directory(b"d", &metadata(DIRECTORY)).unwrap();
        archive.add_device(b"block", &metadata(0o060_600), Device { major: 259, minor: 300_000 }).unwrap();
        archive.add_device(b"char", &metadata(0o020_600), Device { major: 1, minor: 3 }).unwrap();
        archive.begin_directory(b"empty", &metadata(0o040_700)).unwrap();
        archive.end_directory().unwrap();
        add_file(archive, b"file", b"some text");
        archive.add_symlink(b"link", &metadata(0o120_777), b"../target").unwrap();
        archive.add_special(b"pipe", &metadata(0o010_600)).unwrap();
        archive.add_special(b"socket", &metadata(0o140_600)).unwrap();
        archive.end_directory().unwrap();
    });
    let expected = [
        line("d", '5', ""),
        line("d/block", '4', ""),
        line("d/char", '3', ""),
        line("d/empty", '5', ""),
        line("d/file", '0', ""),
        line("d/link", '2', "../target"),
        line("d/pipe", '6', ""),
    ];
    assert_eq!(listed(&root, b"d"), expected);
    assert_eq!(listed(&root, b""), expected);
    let bytes = tar(&root, b"/d/").unwrap();
    assert_eq!(members(&bytes)[4].content, b"some text");
    let header = &bytes[512..1024];
    let fields = [100..108, 108..116, 116..124, 136..148, 329..337, 337..345].map(|field| number(&header[field]));
    assert_eq!(fields, [0o600, 1000, 2000, TIME.into(), 259, 300_000]);
}

#[test]
fn hard_links_find_their_file_or_bring_its_content() {
    let root = archive(|archive| {
        archive.begin_directory(b"a", &metadata(DIRECTORY)).unwrap();
        let outer = add_file(archive, b"outer", b"outside");
        archive.end_directory().unwrap();
        archive.begin_directory(b"b", &metadata(DIRECTORY)).unwrap();
        archive.begin_directory(b"c", &metadata(DIRECTORY)).unwrap();
        let inner = add_file(archive, b"inner", b"inside");
        archive.add_hardlink(b"to-inner", b"b/c/inner", inner).unwrap();
        archive.add_hardlink(b"to-outer-1", b"a/outer", outer).unwrap();
        archive.add_hardlink(b"to-outer-2", b"a/outer", outer).unwrap();
        archive.end_directory().unwrap();
        archive.add_hardlink(b"lies", b"b/c", outer).unwrap();
        archive.add_hardlink(b"lies-too", b"b/c/to-inner", inner).unwrap();
        archive.end_directory().unwrap();
    });
    let below = |prefix: &str| {
        vec![
            line(&format!("{prefix}c"), '5', ""),
            line(&format!("{prefix}c/inner"), '0', ""),
            line(&format!("{prefix}c/to-inner"), '1', &format!("{prefix}c/inner")),
            line(&format!("{prefix}c/to-outer-1"), '0', ""),
            line(&format!("{prefix}c/to-outer-2"), '1', &format!("{prefix}c/to-outer-1")),
            line(&format!("{prefix}lies"), '1', &format!("{prefix}c/to-outer-1")),
            line(&format!("{prefix}lies-too"), '0', ""),
        ]
    };
    assert_eq!(listed(&root, b"b")[1..], below("b/"));
    let members = members(&tar(&root, b"b").unwrap());
    assert_eq!(members[4].content, b"outside");
    assert_eq!(members[7].content, b"inside");
    assert!(members.iter().filter(|member| member.kind == '1').all(|member| member.content.is_empty()));
    // From further in, the first file lies outside as well; from the root, everything is inside.
    assert_eq!(listed(&root, b"b/c")[2], line("c/to-inner", '1', "c/inner"));
    assert!(listed(&root, b"").contains(&line("b/c/to-outer-1", '1', "a/outer")));
}

#[test]
fn names_and_targets_of_any_length_in_any_encoding() {
    let names: Vec<Vec<u8>> = [1, 50, 99, 100, 101, 255].map(|length| vec![0xe9; length]).into();
    let target = vec![b'x'; 1000];
    let root = archive(|archive| {
        archive.begin_directory(&names[5], &metadata(DIRECTORY)).unwrap();
        for name in &names {
            add_file(archive, name, name);
        }
        archive.add_symlink(b"to", &metadata(0o120_777), &target).unwrap();
        archive.end_directory().unwrap();
    });
    let found = members(&tar(&root, b"").unwrap());
    let paths = names.iter().map(|name| [&names[5][..], b"/", name].concat());
    assert!(found[1..7].iter().map(|member| member.name.clone()).eq(paths));
    assert!(found[1..7].iter().map(|member| &member.content).eq(&names));
    assert_eq!(found[7].link, target);
    let inside = members(&tar(&root, &names[5]).unwrap());
    assert_eq!(inside[1..], found[1..]);
}

#[test]
fn times_and_owners_of_any_size() {
    let root = archive(|archive| {
        for (name, seconds) in [(b"a", -1), (b"b", i64::MIN), (b"c", i64::MAX)] {
            let stat = Stat { mode: FILE, uid: u32::MAX, gid: 3_000_000_000, ..Stat::default() };
            let mut metadata = metadata(FILE);
            metadata.stat = Stat { mtime: Mtime { seconds, nanoseconds: 0 }, ..stat };
            archive.add_file(name, &metadata, 0, &mut [].as_slice()).unwrap();
        }
    });
    let bytes = tar(&root, b"").unwrap();
    for (header, seconds) in bytes.chunks(512).zip([-1, i64::MIN, i64::MAX]) {
        let fields = [108..116, 116..124, 136..148].map(|field| number(&header[field]));
        assert_eq!(fields, [u32::MAX.into(), 3_000_000_000, seconds.into()]);
    }
}

#[test]
fn a_device_that_cannot_be_ends_the_download() {
    let root = archive(|archive| {
        archive.add_device(b"d", &metadata(0o060_600), Device { major: 1 << 32, minor: 0 }).unwrap();
    });
    let error = tar(&root, b"").unwrap_err();
    assert_eq!(error.to_string(), "\"d\" cannot be put into a tar file: no system has such a device number");
}

#[test]
fn long_content_in_many_portions() {
    let noise: Vec<u8> = (0..5_000_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let root = archive(|archive| {
        add_file(archive, b"noise", &noise);
        add_file(archive, b"zeros", &vec![0; 9_000_000]);
    });
    let found = members(&tar(&root, b"").unwrap());
    assert!(found[0].content == noise);
    assert!(found[1].content == vec![0; 9_000_000]);
}
