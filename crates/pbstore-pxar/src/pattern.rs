//! Exclusion patterns in the style of gitignore, byte-wise and case-sensitive (pxar.md 4.1).
//!
//! A pattern is a list of tokens. Matching moves a sorted list of path positions through the tokens, so no pattern
//! takes more than pattern length times path length steps, and nothing recurses.

use crate::error::PxarError;

/// One exclusion (or, after `!`, inclusion) pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Vec<u8>,
    written: Option<Vec<u8>>,
    tokens: Vec<Token>,
    includes: bool,
    directories_only: bool,
    whole_path: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `?`: any byte but the slash.
    AnyByte,
    /// `*`: any run without a slash.
    AnyRun,
    /// `**/` at the start of a component: any number of whole components.
    AnyComponents,
    /// `**` as the last component: all the rest.
    Everything,
    /// `[...]`, true for the bytes that match.
    Class(Box<[bool; 256]>),
}

/// What a matching pattern decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Leave the entry out.
    Exclude,
    /// Keep the entry, whatever earlier patterns say.
    Include,
}

impl Pattern {
    /// Reads a pattern as `--exclude` and lines of `.pxarexclude` have it. `.` and `..` components are resolved.
    pub fn parse(text: &[u8]) -> Result<Self, PxarError> {
        Self::read(text, "exclude pattern")
    }

    /// Reads a pattern of what to extract.
    pub fn parse_selecting(text: &[u8]) -> Result<Self, PxarError> {
        Self::read(text, "match pattern")
    }

    fn read(text: &[u8], what: &str) -> Result<Self, PxarError> {
        let (includes, body) = match text.strip_prefix(b"!") {
            Some(body) => (true, body),
            None => (false, text),
        };
        let mut resolved = resolve_dots(body);
        // What was behind "./" must not become the mark of an inclusion.
        if let (Some(body), false) = (&mut resolved, includes) {
            if body.starts_with(b"!") {
                body.insert(0, b'\\');
            }
        }
        let body = resolved.as_deref().unwrap_or(body);
        let (directories_only, glob) = match body.strip_suffix(b"/") {
            Some(glob) => (true, glob),
            None => (false, body),
        };
        let tokens = tokens(glob).map_err(|reason| {
            PxarError::Invalid(format!("error in {what} {}: {reason}", crate::report::quoted(text)))
        })?;
        let mut normal = if includes { b"!".to_vec() } else { Vec::new() };
        normal.extend_from_slice(body);
        let written = resolved.is_some().then(|| text.to_vec());
        Ok(Self { text: normal, written, tokens, includes, directories_only, whole_path: false })
    }

    /// Reads a line of the `.pxarexclude` file in `directory` (path from the root with leading slash, empty for the
    /// root itself): a leading slash means that directory.
    pub fn parse_in(text: &[u8], directory: &[u8]) -> Result<Self, PxarError> {
        let mut pattern = Self::parse(text)?;
        if pattern.tokens.first() == Some(&Token::Byte(b'/')) {
            let prefix = directory.iter().map(|byte| Token::Byte(*byte));
            pattern.tokens.splice(0..0, prefix);
            pattern.whole_path = true;
        }
        Ok(pattern)
    }

    /// The pattern as it is recorded in an archive.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The pattern as it was written, if resolving `.` and `..` changed it.
    pub fn changed_from(&self) -> Option<&[u8]> {
        self.written.as_deref()
    }

    /// What the pattern says about `path`, which has a leading slash; `None` if it does not match.
    pub fn verdict(&self, path: &[u8], is_directory: bool) -> Option<Verdict> {
        if self.directories_only && !is_directory {
            return None;
        }
        let verdict = if self.includes { Verdict::Include } else { Verdict::Exclude };
        self.matches(path).then_some(verdict)
    }

    fn matches(&self, path: &[u8]) -> bool {
        // Most patterns end in a plain byte: this spares most paths the rest.
        if let (Some(Token::Byte(last)), Some(end)) = (self.tokens.last(), path.last()) {
            if last != end {
                return false;
            }
        }
        let mut positions = vec![0];
        if !self.whole_path {
            let starts = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            positions.extend(starts.map(|(index, _)| index + 1));
        }
        for token in &self.tokens {
            positions = advance(token, path, &positions);
            if positions.is_empty() {
                return false;
            }
        }
        positions.last() == Some(&path.len())
    }
}

/// The verdict of a list of patterns: the last one that matches decides.
pub fn verdict<'a>(
    patterns: impl DoubleEndedIterator<Item = &'a Pattern>,
    path: &[u8],
    is_directory: bool,
) -> Option<Verdict> {
    patterns.rev().find_map(|pattern| pattern.verdict(path, is_directory))
}

/// Where in `path` a match can go on after `token`, for sorted `positions` where it can be now.
fn advance(token: &Token, path: &[u8], positions: &[usize]) -> Vec<usize> {
    let step = |accepts: &dyn Fn(u8) -> bool| {
        let fits = |position: &&usize| path.get(**position).is_some_and(|byte| accepts(*byte));
        positions.iter().filter(fits).map(|position| position + 1).collect()
    };
    match token {
        Token::Byte(expected) => step(&|byte| byte == *expected),
        Token::AnyByte => step(&|byte| byte != b'/'),
        Token::Class(class) => step(&|byte| class[usize::from(byte)]),
        Token::AnyRun => runs(path, positions),
        Token::AnyComponents => component_starts(path, positions),
        Token::Everything => vec![path.len()],
    }
}

fn runs(path: &[u8], positions: &[usize]) -> Vec<usize> {
    let mut reached = Vec::new();
    let mut uncovered = 0;
    for position in positions {
        // Starts inside a run that was walked already reach nothing new.
        if *position < uncovered {
            continue;
        }
        let end = path[*position..].iter().position(|byte| *byte == b'/').map_or(path.len(), |run| position + run);
        reached.extend(*position..=end);
        uncovered = end + 1;
    }
    reached
}

fn component_starts(path: &[u8], positions: &[usize]) -> Vec<usize> {
    let Some(first) = positions.first() else { return Vec::new() };
    let mut reached = positions.to_vec();
    let slashes = path.iter().enumerate().skip(*first).filter(|(_, byte)| **byte == b'/');
    reached.extend(slashes.map(|(index, _)| index + 1));
    reached.sort_unstable();
    reached.dedup();
    reached
}

fn tokens(glob: &[u8]) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut rest = glob;
    let mut component_start = true;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let token = match byte {
            b'*' if component_start && after == b"*" => {
                rest = &[];
                Token::Everything
            }
            b'*' if component_start && after.starts_with(b"*/") => {
                rest = &after[2..];
                tokens.push(Token::AnyComponents);
                continue;
            }
            b'*' => {
                let stars = after.iter().take_while(|byte| **byte == b'*').count();
                rest = &after[stars..];
                Token::AnyRun
            }
            b'?' => Token::AnyByte,
            b'[' => class(&mut rest)?,
            b'\\' => Token::Byte(take(&mut rest).ok_or("a backslash at the end")?),
            byte => Token::Byte(*byte),
        };
        component_start = token == Token::Byte(b'/');
        tokens.push(token);
    }
    Ok(tokens)
}

/// Reads a class behind its opening bracket.
fn class(rest: &mut &[u8]) -> Result<Token, &'static str> {
    const UNCLOSED: &str = "a class without its closing bracket";
    let mut members = [false; 256];
    let negated = rest.first() == Some(&b'^');
    if negated {
        take(rest);
    }
    let mut first = true;
    loop {
        let byte = take(rest).ok_or(UNCLOSED)?;
        let low = match byte {
            b']' => break,
            b'[' if rest.first() == Some(&b':') => {
                named_class(rest, &mut members)?;
                first = false;
                continue;
            }
            b'-' if !first => return Err("a '-' in a class that is neither first nor between two bytes"),
            b'\\' => take(rest).ok_or(UNCLOSED)?,
            byte => byte,
        };
        first = false;
        let mut high = low;
        if rest.first() == Some(&b'-') {
            take(rest);
            high = match take(rest).ok_or(UNCLOSED)? {
                b']' => return Err("a range without its end"),
                b'\\' => take(rest).ok_or(UNCLOSED)?,
                byte => byte,
            };
        }
        for member in low..=high {
            members[usize::from(member)] = true;
        }
    }
    if negated {
        members.iter_mut().for_each(|member| *member = !*member);
    }
    Ok(Token::Class(Box::new(members)))
}

/// Reads `:alpha:]` and adds its members.
fn named_class(rest: &mut &[u8], members: &mut [bool; 256]) -> Result<(), &'static str> {
    let end = rest.windows(2).skip(1).position(|pair| pair == b":]").ok_or("a class name without its end")? + 1;
    let accepts: fn(&u8) -> bool = match &rest[1..end] {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| (0x20..0x7f).contains(byte),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return Err("an unknown class name"),
    };
    for byte in 0..=u8::MAX {
        members[usize::from(byte)] |= accepts(&byte);
    }
    *rest = &rest[end + 2..];
    Ok(())
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// Resolves `.` and `..` components; `None` if there are none.
fn resolve_dots(body: &[u8]) -> Option<Vec<u8>> {
    let dotted = |part: &[u8]| part == b"." || part == b"..";
    if !body.split(|byte| *byte == b'/').any(dotted) {
        return None;
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in body.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut resolved = parts.join(&b'/');
    if body.starts_with(b"/") {
        resolved.insert(0, b'/');
    }
    if body.ends_with(b"/") && !resolved.ends_with(b"/") {
        resolved.push(b'/');
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern.as_bytes()).unwrap().verdict(path.as_bytes(), false).is_some()
    }

    #[test]
    fn patterns_match_as_specified() {
        for (pattern, path) in [
            ("foo", "/foo"),
            ("foo", "/a/b/foo"),
            ("/foo", "/foo"),
            ("a/b", "/x/a/b"),
            ("*.tmp", "/x/y.tmp"),
            ("f?o", "/fxo"),
            ("/**/foo", "/foo"),
            ("/**/foo", "/a/b/foo"),
            ("**/foo", "/a/foo"),
            ("a/**", "/a/b"),
            ("a/**", "/x/a/b/c"),
            ("**", "/anything"),
            ("a/**/b", "/a/b"),
            ("a/**/b", "/a/x/y/b"),
            ("a**b", "/axxb"),
            ("[a-c]x", "/bx"),
            ("[^a-c]x", "/dx"),
            ("[^f]*", "/foo"),
            ("[!a]x", "/!x"),
            ("[-a]", "/-"),
            ("[[:digit:]x]", "/7"),
            ("[\\]]", "/]"),
            ("\\*", "/*"),
            ("*a*b*c", "/xaxbxbxc"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_do_not_match_more() {
        for (pattern, path) in [
            ("/foo", "/a/foo"),
            ("foo", "/foobar"),
            ("a*b", "/a/b"),
            ("a**b", "/a/b"),
            ("a/**", "/a"),
            ("f?o", "/f/o"),
            ("[]", "/]"),
            ("[!a]x", "/bx"),
            ("[a-c]x", "/Bx"),
            ("a//b", "/a/b"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn bad_patterns_are_errors() {
        for pattern in ["a\\", "[a", "[a\\", "[^", "[a-", "[[:alpha:]", "[[:nothing:]]", "[a-]"] {
            assert!(Pattern::parse(pattern.as_bytes()).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_slash_at_the_end_means_directories() {
        let pattern = Pattern::parse(b"!cache/").unwrap();
        assert_eq!(pattern.verdict(b"/cache", false), None);
        assert_eq!(pattern.verdict(b"/cache", true), Some(Verdict::Include));
        assert_eq!(pattern.text(), b"!cache/");
    }

    #[test]
    fn the_last_match_decides() {
        let patterns = ["*.tmp", "!important.tmp"].map(|text| Pattern::parse(text.as_bytes()).unwrap());
        assert_eq!(verdict(patterns.iter(), b"/a.tmp", false), Some(Verdict::Exclude));
        assert_eq!(verdict(patterns.iter(), b"/important.tmp", false), Some(Verdict::Include));
        assert_eq!(verdict(patterns.iter(), b"/a.txt", false), None);
    }

    #[test]
    fn anchored_lines_of_a_file_mean_its_directory() {
        let pattern = Pattern::parse_in(b"/anchored", b"/ex[l").unwrap();
        assert!(pattern.verdict(b"/ex[l/anchored", false).is_some());
        assert!(pattern.verdict(b"/anchored", false).is_none());
        assert!(pattern.verdict(b"/x/ex[l/anchored", false).is_none());
        assert!(Pattern::parse_in(b"free", b"/exl").unwrap().verdict(b"/exl/a/free", false).is_some());
    }

    #[test]
    fn dots_are_resolved() {
        for (written, used) in [("./a/../b/", "b/"), ("!/../a", "!/a"), ("a/./b", "a/b"), ("./!a", "\\!a")] {
            let pattern = Pattern::parse(written.as_bytes()).unwrap();
            assert_eq!(pattern.text(), used.as_bytes());
            assert_eq!(Pattern::parse(used.as_bytes()).unwrap().includes, pattern.includes);
            assert_eq!(pattern.changed_from(), Some(written.as_bytes()));
        }
        assert_eq!(Pattern::parse(b"a/.b/..c").unwrap().changed_from(), None);
    }
}
