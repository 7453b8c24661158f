//! Zip files, read back by their directory and checked against what stands in front of the members.

mod archives;

use archives::{add_file, archive, metadata, tar, zip, DIRECTORY};
use flate2::{Decompress, FlushDecompress};

/// A member as the directory has it, with its content.
struct Member {
    name: Vec<u8>,
    mode: u32,
    content: Vec<u8>,
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes[offset..offset + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

/// Count, length and start of the directory.
fn directory(zip: &[u8]) -> [u64; 3] {
    let end = zip.len() - 22;
    assert_eq!(u32_at(zip, end), 0x0605_4b50);
    let plain = [u16_at(zip, end + 10).into(), u32_at(zip, end + 12).into(), u32_at(zip, end + 16).into()];
    if plain[0] < 0xffff {
        return plain;
    }
    let locator = end - 20;
    assert_eq!(u32_at(zip, locator), 0x0706_4b50);
    let large = u64_at(zip, locator + 8) as usize;
    assert_eq!((large + 56, u32_at(zip, large), u64_at(zip, large + 4)), (locator, 0x0606_4b50, 44));
    assert_eq!(u64_at(zip, large + 24), u64_at(zip, large + 32));
    [32, 40, 48].map(|offset| u64_at(zip, large + offset))
}

fn members(zip: &[u8]) -> Vec<Member> {
    let [count, bytes, start] = directory(zip);
    let mut rest = &zip[start as usize..][..bytes as usize];
    let (mut found, mut position) = (Vec::new(), 0);
    while !rest.is_empty() {
        assert_eq!(u32_at(rest, 0), 0x0201_4b50);
        let [name_bytes, extra_bytes] = [28, 30].map(|offset| usize::from(u16_at(rest, offset)));
        let name = &rest[46..46 + name_bytes];
        let (crc, packed, plain) = (u32_at(rest, 16), u32_at(rest, 20) as usize, u32_at(rest, 24) as usize);
        // Members stand in the order of the directory without anything between them.
        assert_eq!(u32_at(rest, 42) as usize, position);
        let local = &zip[position..];
        assert_eq!(u32_at(local, 0), 0x0403_4b50);
        assert_eq!(local[6..14], rest[8..16]);
        assert_eq!(&local[30..30 + name_bytes], name);
        let start = 30 + name_bytes + usize::from(u16_at(local, 28));
        let data = &local[start..start + packed];
        let content = match u16_at(rest, 10) {
            0 => data.to_vec(),
            _ => inflated(data, plain),
        };
        assert_eq!((content.len(), crc32fast::hash(&content)), (plain, crc));
        position += start + packed;
        if u16_at(rest, 8) & 8 != 0 {
            let descriptor = &local[start + packed..][..16];
            assert_eq!(u32_at(descriptor, 0), 0x0807_4b50);
            assert_eq!(descriptor[4..], rest[16..28]);
            position += 16;
        }
        found.push(Member { name: name.to_vec(), mode: u32_at(rest, 38) >> 16, content });
        rest = &rest[46 + name_bytes + extra_bytes..];
    }
    assert_eq!((found.len() as u64, position as u64), (count, start));
    found
}

fn inflated(data: &[u8], length: usize) -> Vec<u8> {
    let mut plain = Vec::with_capacity(length);
    let mut inflate = Decompress::new(false);
    while plain.len() < length {
        inflate.decompress_vec(&data[inflate.total_in() as usize..], &mut plain, FlushDecompress::Finish).unwrap();
    }
    plain
}

fn names(zip: &[u8]) -> Vec<String> {
    members(zip).iter().map(|member| String::from_utf8_lossy(&member.name).into_owned()).collect()
}

#[test]
fn directories_files_and_links() {
    let root = archive(|archive| {
        let outer = add_file(archive, b"a", b"outside");
        archive.begin_directory(b"d", &metadata(0o040_700)).unwrap();
        add_file(archive, b"empty", b"");
        add_file(archive, b"file", b"some text");
        archive.add_hardlink(b"hard", b"a", outer).unwrap();
        archive.add_symlink(b"link", &metadata(0o120_777), b"../target").unwrap();
        archive.add_special(b"pipe", &metadata(0o010_600)).unwrap();
        archive.add_special(b"socket", &metadata(0o140_600)).unwrap();
        archive.begin_directory(b"sub", &metadata(DIRECTORY)).unwrap();
        archive.end_directory().unwrap();
        archive.end_directory().unwrap();
    });
    let found = members(&zip(&root, b"d").unwrap());
    let expected: [(&[u8], u32, &[u8]); 6] = [
        (b"d/", 0o040_700, b""),
        (b"d/empty", 0o100_640, b""),
        (b"d/file", 0o100_640, b"some text"),
        (b"d/hard", 0o100_640, b"outside"),
        (b"d/link", 0o120_777, b"../target"),
        (b"d/sub/", 0o040_755, b""),
    ];
    assert!(found.iter().map(|member| (&member.name[..], member.mode, &member.content[..])).eq(expected));
    assert_eq!(names(&zip(&root, b"").unwrap())[..3], ["a", "d/", "d/empty"]);
    assert_eq!(names(&zip(&root, b"d/sub").unwrap()), ["sub/"]);
}

#[test]
fn an_empty_archive_is_an_empty_zip() {
    let root = archive(|_| ());
    assert!(names(&zip(&root, b"").unwrap()).is_empty());
    assert_eq!(tar(&root, b"").unwrap(), [0; 1024]);
}

#[test]
fn long_content_in_many_portions() {
    let noise: Vec<u8> = (0..5_000_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let root = archive(|archive| {
        add_file(archive, b"noise", &noise);
        add_file(archive, b"small", b"x");
        add_file(archive, b"zeros", &vec![0; 9_000_000]);
    });
    let found = members(&zip(&root, b"").unwrap());
    assert!(found[0].content == noise);
    assert_eq!(found[1].content, b"x");
    assert!(found[2].content == vec![0; 9_000_000]);
}

#[test]
fn more_members_than_16_bits_count() {
    let count = 70_000;
    let root = archive(|archive| {
        for number in 0..count {
            archive
                .add_file(format!("name-{number:06}").as_bytes(), &metadata(0o100_600), 0, &mut [].as_slice())
                .unwrap();
        }
    });
    let found = members(&zip(&root, b"").unwrap());
    assert_eq!(found.len(), count);
    assert_eq!(found[count - 1].name, b"name-069999");
}

#[test]
fn deep_trees_up_to_the_longest_path() {
    let name = [b'x'; 255];
    for (depth, fits) in [(200, true), (255, true), (256, false)] {
        let root = archive(|archive| {
            (0..depth).for_each(|_| archive.begin_directory(&name, &metadata(DIRECTORY)).unwrap());
            (0..depth).for_each(|_| archive.end_directory().unwrap());
        });
        let made = zip(&root, b"");
        assert_eq!(made.is_ok(), fits, "{depth}");
        assert_eq!(tar(&root, b"").is_ok(), fits, "{depth}");
        match made {
            Ok(bytes) => assert_eq!(members(&bytes).len(), depth),
            Err(error) => assert!(error.to_string().contains("longer than 65534 bytes"), "{error}"),
        }
    }
}
