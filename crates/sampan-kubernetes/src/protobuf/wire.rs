//! The wire format of protobuf: numbered fields, one after the other.

/// The value of a field, as far as the wire tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data<'a> {
    /// A number of variable length.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Four bytes.
    Fixed32,
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
}

/// Reads fields from bytes.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// What does not fit.
type Broken = &'static str;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field: its number and its value.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Data<'a>)>, Broken> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|number| *number != 0)
            .ok_or("a field has an impossible number")?;
        let data = match tag & 7 {
            0 => Data::Varint(self.varint()?),
            1 => Data::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => Data::Bytes(self.bytes()?),
            5 => {
                self.fixed::<4>()?;
                Data::Fixed32
            }
            _ => return Err("a field has a wire type that is not used"),
        };
        Ok(Some((number, data)))
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// A number of at most ten bytes, the lowest seven bits first.
    pub(super) fn varint(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for (index, byte) in self.rest.iter().copied().take(10).enumerate() {
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err("a number is cut off or too large")
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or("a number is cut off")?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.varint()?;
        let (bytes, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or("a value is cut off")?;
        self.rest = rest;
        Ok(bytes)
    }
}
