//! Messages between processes of one machine, with open files beside them.
//!
//! A `SOCK_SEQPACKET` socket keeps the bounds of messages, so nothing needs framing. What is sent:
//!
//! | request | payload | files | answer |
//! |---|---|---|---|
//! | `Start` | | | [`Reply`] |
//! | `Kill` | signal | | [`Reply`] |
//! | `Wait` | | | [`Exit`](crate::Exit) once the container has ended |
//! | `Attach` | | input, output, errors, or the terminal | [`Reply`], then [`Exit`](crate::Exit) |
//! | `Resize` | rows, columns | | none; on the connection of an attachment |
//! | `Exec` | [`ExecSpec`](crate::ExecSpec) | input, output, errors, or none | [`Reply`] with the terminal, then [`Exit`](crate::Exit) |
//! | `ExecKill` | signal | | none; on the connection of a command |

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType,
    UnixAddr,
};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of a shim's socket in the container's directory.
pub(crate) const SOCKET: &str = "shim.sock";

/// The longest message.
const LIMIT_BYTES: usize = 160 * 1024;

/// What is asked of a shim; the first byte of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Start,
    Kill,
    Wait,
    Attach,
    Resize,
    Exec,
    ExecKill,
}

impl Request {
    const ALL: [Self; 7] = [
        Self::Start,
        Self::Kill,
        Self::Wait,
        Self::Attach,
        Self::Resize,
        Self::Exec,
        Self::ExecKill,
    ];

    fn code(self) -> u8 {
        match self {
            Self::Start => b'S',
            Self::Kill => b'K',
            Self::Wait => b'W',
            Self::Attach => b'A',
            Self::Resize => b'R',
            Self::Exec => b'E',
            Self::ExecKill => b'k',
        }
    }

    pub(crate) fn parse(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|request| request.code() == code)
    }
}

/// How a request went.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    NotRunning,
    CommandNotFound(String),
    CommandNotExecutable {
        command: String,
        reason: String,
    },
    /// The kernel refused to listen on a port of the host, with this error number.
    Port {
        mapping: String,
        code: i32,
    },
    Failed(String),
}

impl Reply {
    /// The result for the caller; `what` makes the error of a failure.
    pub(crate) fn into_result(self, id: &str, what: fn(String) -> Error) -> Result<(), Error> {
        match self {
            Self::Done => Ok(()),
            Self::NotRunning => Err(Error::NotRunning(id.to_owned())),
            Self::CommandNotFound(command) => Err(Error::CommandNotFound(command)),
            Self::CommandNotExecutable { command, reason } => {
                Err(Error::CommandNotExecutable { command, reason })
            }
            Self::Port { mapping, code } => Err(Error::Port {
                mapping,
                source: io::Error::from_raw_os_error(code),
            }),
            Self::Failed(message) => Err(what(message)),
        }
    }
}

/// A received message.
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) files: Vec<OwnedFd>,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Connection(OwnedFd);

impl Connection {
    /// Two ends of one connection.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = nix::sys::socket::socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        Ok((Self(one), Self(other)))
    }

    /// Connects to the shim that serves a container's directory.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        // The path of a socket is short by definition, that of a data directory need not be.
        let opened = std::fs::File::open(directory)?;
        let path = format!("/proc/self/fd/{}/{SOCKET}", opened.as_raw_fd());
        let socket = new_socket(SockFlag::SOCK_CLOEXEC)?;
        nix::sys::socket::connect(socket.as_raw_fd(), &UnixAddr::new(path.as_str())?)?;
        Ok(Self(socket))
    }

    /// Sends a request.
    pub(crate) fn request(
        &self,
        request: Request,
        payload: &[u8],
        files: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let code = [request.code()];
        self.send_parts(&[IoSlice::new(&code), IoSlice::new(payload)], files)
    }

    /// Sends a value as JSON.
    pub(crate) fn send(&self, value: &impl Serialize, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = serde_json::to_vec(value)?;
        self.send_parts(&[IoSlice::new(&bytes)], files)
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&self, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_parts(&[IoSlice::new(bytes)], files)
    }

    fn send_parts(&self, parts: &[IoSlice<'_>], files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let numbers: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&numbers)];
        let control: &[ControlMessage<'_>] = if numbers.is_empty() { &[] } else { &rights };
        let flags = MsgFlags::MSG_NOSIGNAL;
        nix::sys::socket::sendmsg::<()>(self.0.as_raw_fd(), parts, control, flags, None)?;
        Ok(())
    }

    /// Receives a message; none when the other end is closed.
    pub(crate) fn receive(&self) -> io::Result<Option<Message>> {
        let mut bytes = vec![0; LIMIT_BYTES];
        let mut control = nix::cmsg_space!([RawFd; 4]);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let (length, files) = loop {
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            match nix::sys::socket::recvmsg::<()>(
                self.0.as_raw_fd(),
                &mut parts,
                Some(&mut control),
                flags,
            ) {
                Ok(received) => {
                    let mut files = Vec::new();
                    for message in received.cmsgs()? {
                        if let ControlMessageOwned::ScmRights(numbers) = message {
                            files.extend(numbers.into_iter().map(own));
                        }
                    }
                    break (received.bytes, files);
                }
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::ECONNRESET) => break (0, Vec::new()),
                Err(error) => return Err(error.into()),
            }
        };
        if length == 0 {
            return Ok(None);
        }
        bytes.truncate(length);
        bytes.shrink_to_fit();
        Ok(Some(Message { bytes, files }))
    }

    /// Receives a value sent as JSON; `None` when the other end is closed.
    pub(crate) fn receive_value<T: for<'de> Deserialize<'de>>(
        &self,
    ) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        match self.receive()? {
            Some(message) => Ok(Some((
                serde_json::from_slice(&message.bytes)?,
                message.files,
            ))),
            None => Ok(None),
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Where a shim is asked.
pub(crate) struct Listener(OwnedFd);

impl Listener {
    /// Listens in the current directory.
    pub(crate) fn bind_here() -> io::Result<Self> {
        let socket = new_socket(SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK)?;
        nix::sys::socket::bind(socket.as_raw_fd(), &UnixAddr::new(SOCKET)?)?;
        nix::sys::socket::listen(&socket, Backlog::new(128)?)?;
        Ok(Self(socket))
    }

    /// The next connection, if one waits.
    pub(crate) fn accept(&self) -> io::Result<Option<Connection>> {
        match nix::sys::socket::accept4(self.0.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
            Ok(number) => Ok(Some(Connection(own(number)))),
            Err(nix::Error::EAGAIN | nix::Error::EINTR | nix::Error::ECONNABORTED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn new_socket(flags: SockFlag) -> io::Result<OwnedFd> {
    Ok(nix::sys::socket::socket(
        AddressFamily::Unix,
        SockType::SeqPacket,
        flags,
        None,
    )?)
}

/// Takes ownership of a file that the kernel has just made for this process.
#[expect(unsafe_code, reason = "nix hands received files over as plain numbers")]
pub(crate) fn own(number: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(number) }
}
