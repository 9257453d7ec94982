//! What must hold for any bytes that are taken for an object in protobuf: it is read or refused in bounded time, depth and
//! memory, and what was read is an object with a kind.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-kubernetes`.

use sampan_kubernetes::Version;
use sampan_kubernetes::protobuf;

/// Reads bytes as an object of the oldest and of the newest version of Kubernetes.
///
/// # Panics
/// When what was read is no object.
pub(crate) fn protobuf(bytes: &[u8]) {
    for version in [Version::OLDEST, Version::NEWEST] {
        if let Ok(object) = protobuf::decode(bytes, version) {
            assert!(object["kind"].is_string() && object["apiVersion"].is_string());
        }
    }
}
