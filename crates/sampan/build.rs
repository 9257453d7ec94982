//! Links the binary at a fixed address.
//!
//! Each container has a supervisor process, which is this same binary. A position-independent executable has its
//! constant tables relocated at every start: each process then holds about 3 MiB of them as memory of its own, and needs
//! milliseconds longer to start. At a fixed address they stay pages of the file, which all processes share.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-no-pie");
}
