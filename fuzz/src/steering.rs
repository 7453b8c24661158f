//! The first bytes of an input, which choose what a target does with the others.

/// Takes choices off the front of an input; when it is used up, everything is zero.
pub struct Steering<'a> {
    rest: &'a [u8],
}

impl<'a> Steering<'a> {
    /// Starts at the front of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        *first
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// Whether the next byte is odd.
    pub fn coin(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// All that is left, as an archive and, if the length in front leaves something over, a payload stream.
    pub fn streams(mut self) -> (&'a [u8], Option<&'a [u8]>) {
        let length = u16::from_le_bytes(self.bytes());
        match self.rest.split_at_checked(length.into()) {
            Some((archive, payload)) => (archive, Some(payload)),
            None => (self.rest, None),
        }
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}
