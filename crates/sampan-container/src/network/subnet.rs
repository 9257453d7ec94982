//! A block of IPv4 addresses.

use std::fmt;
use std::net::Ipv4Addr;

/// A block of IPv4 addresses in CIDR notation (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Net {
    address: Ipv4Addr,
    prefix: u8,
}

impl Ipv4Net {
    /// The block of `2^(32 - prefix)` addresses that holds `address`.
    #[must_use]
    pub fn new(address: Ipv4Addr, prefix: u8) -> Self {
        let prefix = prefix.min(32);
        let address = Ipv4Addr::from_bits(address.to_bits() & mask(prefix));
        Self { address, prefix }
    }

    /// The first address.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Length of the prefix in bits.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the address is in the block.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.address.to_bits()
    }

    /// Whether the blocks share an address.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let prefix = self.prefix.min(other.prefix);
        (self.address.to_bits() ^ other.address.to_bits()) & mask(prefix) == 0
    }

    /// The address at this position, if the block is large enough.
    #[must_use]
    pub fn nth(&self, position: u32) -> Option<Ipv4Addr> {
        (u64::from(position) < 1 << (32 - self.prefix))
            .then(|| Ipv4Addr::from_bits(self.address.to_bits() + position))
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Ipv4Net {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}
