//! Classes of characters that are one byte each, for passing many of them at once.

/// Which bytes belong to a class.
pub(super) struct Class([bool; 256]);

/// What goes on with a plain scalar wherever it stands.
pub(super) const WORD: Class = Class::without(b" \t:,?[]{}'\"\\#");
/// What goes on with a scalar in quotes.
pub(super) const QUOTED: Class = Class::without(b" \t'\"\\");
/// What goes on with a line.
pub(super) const LINE: Class = Class::without(b"");
/// The space.
pub(super) const SPACE: Class = {
    let mut bytes = [false; 256];
    bytes[b' ' as usize] = true;
    Class(bytes)
};

impl Class {
    /// The printable characters of ASCII and the tab, without some.
    const fn without(others: &[u8]) -> Self {
        let mut bytes = [false; 256];
        bytes[b'\t' as usize] = true;
        let mut byte = b' ' as usize;
        while byte <= b'~' as usize {
            bytes[byte] = true;
            byte += 1;
        }
        let mut other = 0;
        while other < others.len() {
            bytes[others[other] as usize] = false;
            other += 1;
        }
        Self(bytes)
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// Whether all bytes are of a kind. Nobody leaves early: so the processor looks at many bytes at once.
pub(super) fn all(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_of_kind(*byte))
}
