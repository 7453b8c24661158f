//! Exclude patterns as pxar.md 4.1 describes them, tried in every way there is. Slow, and only for patterns that are in
//! order.

/// Whether a whole path matches a pattern without `!` and without its last slash.
pub fn matches(glob: &[u8], path: &[u8]) -> bool {
    matches_from(glob, path, true)
}

fn matches_from(glob: &[u8], path: &[u8], component_start: bool) -> bool {
    if component_start && glob == b"**" {
        return true;
    }
    if let (true, Some(rest)) = (component_start, glob.strip_prefix(b"**/")) {
        let later = (0..path.len()).filter(|at| path[*at] == b'/').any(|at| matches_from(rest, &path[at + 1..], true));
        return later || matches_from(rest, path, true);
    }
    let Some((first, rest)) = glob.split_first() else { return path.is_empty() };
    if *first == b'*' {
        // Several stars in a row are one.
        let rest = &rest[rest.iter().take_while(|byte| **byte == b'*').count()..];
        let run = path.iter().take_while(|byte| **byte != b'/').count();
        return (0..=run).any(|length| matches_from(rest, &path[length..], false));
    }
    let Some((byte, path)) = path.split_first() else { return false };
    let (accepted, rest, literal) = match first {
        b'?' => (*byte != b'/', rest, None),
        b'[' => {
            let (accepted, rest) = class_accepts(rest, *byte);
            (accepted, rest, None)
        }
        b'\\' => (rest[0] == *byte, &rest[1..], Some(rest[0])),
        plain => (plain == byte, rest, Some(*plain)),
    };
    accepted && matches_from(rest, path, literal == Some(b'/'))
}

/// Whether a class, behind its bracket, has a byte; and what follows the class.
fn class_accepts(class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match class.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, class),
    };
    let mut accepted = false;
    while rest[0] != b']' {
        if rest.starts_with(b"[:") {
            let end = rest[2..].windows(2).position(|pair| pair == b":]").unwrap() + 2;
            accepted |= named_class_accepts(&rest[2..end], byte);
            rest = &rest[end + 2..];
            continue;
        }
        let low = member(&mut rest);
        let mut high = low;
        if rest[0] == b'-' {
            rest = &rest[1..];
            high = member(&mut rest);
        }
        accepted |= low <= byte && byte <= high;
    }
    (accepted != negated, &rest[1..])
}

fn member(rest: &mut &[u8]) -> u8 {
    let escape = usize::from(rest[0] == b'\\');
    let byte = rest[escape];
    *rest = &rest[escape + 1..];
    byte
}

fn named_class_accepts(name: &[u8], byte: u8) -> bool {
    let character = char::from(byte);
    match name {
        b"alnum" => character.is_ascii_alphanumeric(),
        b"alpha" => character.is_ascii_alphabetic(),
        b"blank" => matches!(byte, 9 | 32),
        b"cntrl" => matches!(byte, 0..=31 | 127),
        b"digit" => character.is_ascii_digit(),
        b"graph" => matches!(byte, 33..=126),
        b"lower" => character.is_ascii_lowercase(),
        b"print" => matches!(byte, 32..=126),
        b"punct" => character.is_ascii_punctuation(),
        b"space" => matches!(byte, 9..=13 | 32),
        b"upper" => character.is_ascii_uppercase(),
        b"xdigit" => character.is_ascii_hexdigit(),
        other => panic!("a class of an unknown name got through: {other:?}"),
    }
}
