//! The catalog's two variable-length integers (catalog.md 2).

/// Appends an unsigned number: 7 bits a byte, lowest first, high bit set while more follow.
pub fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number: a negative one is its magnitude with all high bits set, and a zero byte.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    if value >= 0 {
        return put_unsigned(out, value as u64);
    }
    let mut magnitude = value.unsigned_abs();
    while magnitude > 0 {
        out.push(magnitude as u8 | 0x80);
        magnitude >>= 7;
    }
    out.push(0);
}

/// Takes an unsigned number off the front; `None` if it is cut off or does not fit.
pub fn take_unsigned(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(input)?;
        value |= shifted(byte & 0x7f, shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Takes a signed number off the front; `None` if it is cut off or does not fit.
pub fn take_signed(input: &mut &[u8]) -> Option<i64> {
    let mut magnitude = 0;
    for shift in (0..=70).step_by(7) {
        let byte = take_byte(input)?;
        if byte == 0 {
            return 0i64.checked_sub_unsigned(magnitude);
        }
        if shift > 63 {
            return None;
        }
        magnitude |= shifted(byte & 0x7f, shift)?;
        if byte < 0x80 {
            return i64::try_from(magnitude).ok();
        }
    }
    None
}

fn shifted(bits: u8, shift: u32) -> Option<u64> {
    let value = u64::from(bits) << shift;
    (value >> shift == u64::from(bits)).then_some(value)
}

fn take_byte(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsigned(value: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_unsigned(&mut out, value);
        out
    }

    fn signed(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put_signed(&mut out, value);
        out
    }

    #[test]
    fn unsigned_numbers_of_the_table() {
        assert_eq!(unsigned(0), [0]);
        assert_eq!(unsigned(127), [0x7f]);
        assert_eq!(unsigned(128), [0x80, 1]);
        assert_eq!(unsigned(300), [0xac, 2]);
        assert_eq!(unsigned(1_048_576), [0x80, 0x80, 0x40]);
        assert_eq!(unsigned(u64::MAX), [[0xff; 9].as_slice(), &[1]].concat());
    }

    #[test]
    fn signed_numbers_of_the_table() {
        assert_eq!(signed(0), [0]);
        assert_eq!(signed(-1), [0x81, 0]);
        assert_eq!(signed(-127), [0xff, 0]);
        assert_eq!(signed(-128), [0x80, 0x81, 0]);
        assert_eq!(signed(-300), [0xac, 0x82, 0]);
        assert_eq!(signed(1_700_000_000), [0x80, 0xe2, 0xcf, 0xaa, 6]);
        assert_eq!(signed(i64::MIN), [[0x80; 9].as_slice(), &[0x81, 0]].concat());
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert_eq!(take_unsigned(&mut [0xff; 9].as_slice()), None);
        assert_eq!(take_unsigned(&mut [[0xff; 9].as_slice(), &[2]].concat().as_slice()), None);
        assert_eq!(take_signed(&mut [[0xff; 9].as_slice(), &[1]].concat().as_slice()), None);
        assert_eq!(take_signed(&mut [[0x80; 9].as_slice(), &[0x81, 0x81, 0]].concat().as_slice()), None);
        assert_eq!(take_signed(&mut [[0x81; 10].as_slice(), &[0]].concat().as_slice()), None);
    }

    proptest! {
        #[test]
        fn numbers_survive_a_round_trip(a: u64, b: i64) {
            let mut bytes = unsigned(a);
            bytes.extend(signed(b));
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_unsigned(&mut rest), Some(a));
            prop_assert_eq!(take_signed(&mut rest), Some(b));
            prop_assert!(rest.is_empty());
        }
    }
}
