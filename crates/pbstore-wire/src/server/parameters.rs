//! Parameters of the calls that the front serves itself: strict, from the query, errors as the API words them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use pbstore_format::{digest, Digest};
use percent_encoding::percent_decode_str;

/// Query parameters that are being taken out one by one; what is left over in the end is an error.
pub(crate) struct Parameters {
    values: BTreeMap<String, String>,
    errors: BTreeMap<String, String>,
}

impl Parameters {
    pub(crate) fn parse(query: &str) -> Self {
        let mut parameters = Self { values: BTreeMap::new(), errors: BTreeMap::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            if name == "_dc" {
                continue;
            }
            if parameters.values.insert(name.clone(), value).is_some() {
                parameters.errors.insert(name, "duplicate parameter.".into());
            }
        }
        parameters
    }

    pub(crate) fn integer(&mut self, name: &str, range: RangeInclusive<u32>) -> u32 {
        self.take(name, |value| {
            let digits = (1..=19).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = value.parse().ok().filter(|_| digits).ok_or("expected an integer")?;
            let (minimum, maximum) = (*range.start(), *range.end());
            if number < u64::from(minimum) {
                return Err(format!("value must have a minimum value of {minimum} (got {number})"));
            }
            let too_large = || format!("value must have a maximum value of {maximum} (got {number})");
            u32::try_from(number).ok().filter(|number| *number <= maximum).ok_or_else(too_large)
        })
    }

    pub(crate) fn digest(&mut self, name: &str) -> Digest {
        self.take(name, |value| {
            let lower = value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let parsed = digest::from_hex(value).ok().filter(|_| lower);
            parsed.ok_or_else(|| "value does not match the regex pattern".into())
        })
    }

    fn take<T: Default>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let parsed = match self.values.remove(name) {
            None => Err("parameter is missing and it is not optional.".into()),
            Some(value) => parse(&value),
        };
        parsed.unwrap_or_else(|reason| {
            self.errors.entry(name.into()).or_insert(reason);
            T::default()
        })
    }

    /// Everything that was wrong, in the API's words.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        for name in std::mem::take(&mut self.values).into_keys() {
            self.errors.entry(name).or_insert("schema does not allow additional properties.".into());
        }
        let mut errors = self.errors.into_iter();
        match (errors.next(), errors.len()) {
            (None, _) => Ok(()),
            (Some((name, reason)), 0) => Err(format!("parameter verification failed - '{}': {reason}", short(&name))),
            (Some(first), _) => {
                let lines = std::iter::once(first).chain(errors.take(MAX_LINES));
                let lines = lines.map(|(name, reason)| format!("\n- '{}': {reason}", short(&name)));
                Err(format!("parameter verification failed:{}", lines.collect::<String>()))
            }
        }
    }
}

/// A hostile query has no right to a long answer.
const MAX_LINES: usize = 16;
const MAX_NAME_CHARS: usize = 64;

fn short(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(MAX_NAME_CHARS).collect()
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(query: &str) -> Result<(u32, Digest), String> {
        let mut parameters = Parameters::parse(query);
        let values = (parameters.integer("wid", 1..=256), parameters.digest("digest"));
        parameters.finish().map(|()| values)
    }

    fn digest_text() -> String {
        "ab".repeat(32)
    }

    #[test]
    fn takes_what_is_asked_for() {
        assert_eq!(chunk(&format!("digest={}&wid=7", digest_text())), Ok((7, [0xab; 32])));
        assert_eq!(chunk(&format!("_dc=1&digest={}&wid=%37", digest_text())), Ok((7, [0xab; 32])));
    }

    #[test]
    fn names_the_one_that_is_wrong() {
        let digest = digest_text();
        for (query, text) in [
            (format!("digest={digest}"), "'wid': parameter is missing and it is not optional."),
            (format!("digest={digest}&wid=0"), "'wid': value must have a minimum value of 1 (got 0)"),
            (format!("digest={digest}&wid=257"), "'wid': value must have a maximum value of 256 (got 257)"),
            (format!("digest={digest}&wid=-1"), "'wid': expected an integer"),
            (format!("digest={digest}&wid=+1"), "'wid': expected an integer"),
            (format!("digest={digest}&wid="), "'wid': expected an integer"),
            (format!("digest={digest}&wid=1&wid=1"), "'wid': duplicate parameter."),
            (format!("digest={digest}&wid=1&x=1"), "'x': schema does not allow additional properties."),
            (format!("digest={}&wid=1", digest.to_uppercase()), "'digest': value does not match the regex pattern"),
            ("digest=00&wid=1".into(), "'digest': value does not match the regex pattern"),
        ] {
            assert_eq!(chunk(&query), Err(format!("parameter verification failed - {text}")), "{query}");
        }
    }

    #[test]
    fn lists_all_that_are_wrong() {
        let text = chunk("wid=0").unwrap_err();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.starts_with("parameter verification failed:\n- 'digest': "), "{text}");
    }

    #[test]
    fn keeps_answers_to_hostile_queries_short() {
        let query: Vec<String> = (0..5000).map(|number| format!("{number}%0a{}=1", "x".repeat(500))).collect();
        assert!(chunk(&query.join("&")).unwrap_err().len() < 4096);
    }
}
