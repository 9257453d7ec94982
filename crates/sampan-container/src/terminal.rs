//! The size of a terminal.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::pty::Winsize;

/// The size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    rows: u16,
    columns: u16,
}

impl Size {
    pub(crate) fn new(rows: u16, columns: u16) -> Self {
        Self { rows, columns }
    }

    /// The size as it is sent.
    pub(crate) fn to_bytes(self) -> [u8; 4] {
        let ([first, second], [third, fourth]) =
            (self.rows.to_le_bytes(), self.columns.to_le_bytes());
        [first, second, third, fourth]
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let &[first, second, third, fourth] = bytes else {
            return None;
        };
        Some(Self {
            rows: u16::from_le_bytes([first, second]),
            columns: u16::from_le_bytes([third, fourth]),
        })
    }

    /// Gives a terminal this size; its foreground processes are told with `SIGWINCH`.
    #[expect(unsafe_code, reason = "ioctls are unsafe in general")]
    pub(crate) fn set(self, terminal: &impl AsFd) -> io::Result<()> {
        let size = Winsize {
            ws_row: self.rows,
            ws_col: self.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the request reads one `winsize` structure, which lives until the call returns.
        unsafe { set_size(terminal.as_fd().as_raw_fd(), &raw const size) }?;
        Ok(())
    }
}

nix::ioctl_write_ptr_bad!(set_size, nix::libc::TIOCSWINSZ, Winsize);
