//! Listening for HTTP: connections with limits and deadlines, TLS by the site's own authority, and the drain at the end.
//!
//! It knows connections and certificates, not what is asked over them: a service takes the requests. Each
//! connection takes the same way: a place within the limit, TLS where it is spoken, then HTTP/1.1 or HTTP/2 until the
//! client leaves or the shutdown comes. A client that is slow to say what it wants loses its place.
//!
//! [`Listener`] takes connections, [`Certificates`] are shown to them, [`Authority`] signs those, and [`secret`] keeps
//! what must not be read by others in `keys/`. A service finds out who asks by the extension [`Peer`] of a request.

mod activity;
mod authority;
mod certificates;
mod connection;
mod file_state;
mod files;
mod issue;
mod listener;
mod peer;
mod peers;
pub mod secret;
mod stream;

pub use authority::Authority;
pub use certificates::{Certificates, TlsError};
pub use file_state::FileState;
pub use issue::Identity;
pub use listener::{Listener, Settings, Tls};
pub use peer::Peer;
pub use secret::KeysError;
