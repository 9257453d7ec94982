//! Packing and loading.

use std::fs;
use std::io::{self, Read};
use std::process::Command;

use sampan_bundle::BundleError;
use sampan_bundle::bundle;
use sampan_bundle::release::{self, ReleaseError};
use sampan_model::Hint as _;

use crate::support::Side;

#[test]
fn a_full_bundle_brings_the_release() {
    let (vendor, site) = (Side::new(), Side::new());
    let made = vendor.release("1.0.0", b"one").unwrap();
    let bytes = vendor.pack("1.0.0", None);
    assert_eq!(bytes.len() as u64, vendor.plan("1.0.0", None).file_bytes());
    assert_eq!(bytes, vendor.pack("1.0.0", None));
    let summary = site.load(&bytes).unwrap();
    assert_eq!(summary.bundle_bytes, bytes.len() as u64);
    assert_eq!((summary.new_blobs, summary.held_blobs), (13, 0));
    let loaded = release::open(&site.store, &"shop@1.0.0".parse().unwrap()).unwrap();
    assert_eq!(loaded.digest().unwrap(), made.digest().unwrap());
    let again = site.load(&bytes).unwrap();
    assert_eq!((again.new_blobs, again.held_blobs), (0, 13));
}

#[test]
fn a_delta_brings_what_is_new_and_says_what_it_needs() {
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    vendor.release("1.1.0", b"two").unwrap();
    let delta = vendor.pack("1.1.0", Some("1.0.0"));
    let plan = vendor.plan("1.1.0", Some("1.0.0"));
    let error = site.load(&delta).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("this bundle builds on `shop@1.0.0`, not held here"),
        "{text}"
    );
    for required in &plan.contents().requires {
        assert!(text.contains(&required.digest.to_string()), "{text}");
    }
    assert!(text.contains("of shop-web:1, shop-db:1") || text.contains("of shop-db:1, shop-web:1"));
    assert!(
        error
            .hint()
            .unwrap()
            .contains("load the bundle of `shop@1.0.0` first")
    );
    site.load(&vendor.pack("1.0.0", None)).unwrap();
    let summary = site.load(&delta).unwrap();
    assert_eq!(summary.held_blobs, 0);
    assert_eq!(site.releases(), ["shop@1.0.0", "shop@1.1.0"]);
    let loaded = release::open(&site.store, &"shop@1.1.0".parse().unwrap()).unwrap();
    assert!(site.store.missing(&loaded.descriptor).unwrap().is_empty());
}

#[test]
fn no_altered_byte_goes_unnoticed() {
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    let mut bytes = vendor.pack("1.0.0", None);
    // A step of one holds too, but takes half a minute.
    for at in (0..bytes.len()).step_by(13) {
        bytes[at] ^= 1 << (at % 8);
        let error = site.load(&bytes).unwrap_err();
        let found = matches!(
            error,
            BundleError::Altered { .. }
                | BundleError::NotABundle { .. }
                | BundleError::Contents { .. }
                | BundleError::Format { .. }
                | BundleError::Inconsistent { .. }
                | BundleError::Truncated { .. }
        );
        assert!(found, "byte {at}: {error:?}");
        assert!(site.releases().is_empty(), "byte {at}");
        bytes[at] ^= 1 << (at % 8);
    }
    site.load(&bytes).unwrap();
    bytes.push(0);
    assert!(matches!(
        site.load(&bytes),
        Err(BundleError::Altered { .. })
    ));
}

#[test]
fn a_cut_bundle_says_how_much_is_there() {
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    let bytes = vendor.pack("1.0.0", None);
    for length in (1..bytes.len()).step_by(97) {
        let error = site.load(&bytes[..length]).unwrap_err();
        let expected = length as u64;
        assert!(
            matches!(error, BundleError::Truncated { offset, .. } if offset == expected),
            "{length}: {error:?}"
        );
        assert!(site.releases().is_empty());
    }
    let error = site.load(&bytes[..bytes.len() - 1]).unwrap_err();
    let whole = bytes.len();
    assert_eq!(
        error.to_string(),
        format!(
            "the bundle is cut off: it has {} of {whole} bytes",
            whole - 1
        )
    );
}

#[test]
fn other_files_are_named() {
    let site = Side::new();
    let mut zeros = vec![0; 1024];
    for (bytes, found) in [
        (b"".to_vec(), "it is empty or begins with zeros"),
        (zeros.clone(), "it is empty or begins with zeros"),
        (b"\x1f\x8b\x08\0".to_vec(), "it is compressed with gzip"),
        (b"hello".to_vec(), "it does not begin as one"),
    ] {
        let error = site.load(&bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("this is not a bundle: {found}"));
    }
    zeros[..4].copy_from_slice(b"file");
    zeros[257..262].copy_from_slice(b"ustar");
    assert!(
        site.load(&zeros)
            .unwrap_err()
            .to_string()
            .ends_with("some other tar archive")
    );
}

#[test]
fn a_release_of_the_same_name_and_other_content_stays() {
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    let held = site.release("1.0.0", b"other").unwrap();
    let error = site.load(&vendor.pack("1.0.0", None)).unwrap_err();
    assert!(
        matches!(error, BundleError::Release(ReleaseError::Exists { .. })),
        "{error:?}"
    );
    let kept = release::open(&site.store, &held.name).unwrap();
    assert_eq!(kept.digest().unwrap(), held.digest().unwrap());
}

#[test]
fn what_was_verified_before_an_interruption_is_kept() {
    struct Interrupted<'bytes>(&'bytes [u8]);
    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("unplugged"));
            }
            let length = buffer.len().min(100);
            self.0.read(&mut buffer[..length])
        }
    }
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    let bytes = vendor.pack("1.0.0", None);
    let mut half = Interrupted(&bytes[..bytes.len() / 2]);
    let error = bundle::load(&site.store, &mut half, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BundleError::Read(_)), "{error:?}");
    assert!(site.releases().is_empty());
    let summary = site.load(&bytes).unwrap();
    assert!(
        summary.held_blobs > 0 && summary.new_blobs > 0,
        "{summary:?}"
    );
}

#[test]
fn packing_does_not_ship_a_damaged_blob() {
    let vendor = Side::new();
    let made = vendor.release("1.0.0", b"one").unwrap();
    let output = vendor.data.path().join("shop.sampan");
    fs::write(&output, "old").unwrap();
    let layer = vendor
        .store
        .image(&made.images[0].1)
        .unwrap()
        .manifest
        .layers()[0]
        .clone();
    let path = vendor
        .store
        .blob_path(&layer.digest().as_ref().parse().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[10] ^= 1;
    fs::write(&path, bytes).unwrap();
    let plan = vendor.plan("1.0.0", None);
    let error = plan
        .write_file(&vendor.store, &output, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, BundleError::Store(_)), "{error:?}");
    assert_eq!(fs::read(&output).unwrap(), b"old");
    assert!(!vendor.data.path().join("shop.sampan.partial").exists());
}

#[test]
fn other_oci_tools_read_a_full_bundle() {
    let vendor = Side::new();
    vendor.release("1.0.0", b"one").unwrap();
    let output = vendor.data.path().join("shop-1.0.0.sampan");
    vendor
        .plan("1.0.0", None)
        .write_file(&vendor.store, &output, &mut |_| {})
        .unwrap();
    let contents = bundle::inspect(&output).unwrap();
    assert!(contents.is_full());
    assert_eq!(contents.releases[0].name.to_string(), "shop@1.0.0");
    let skopeo = Command::new("skopeo")
        .args(["inspect", "--override-arch", "amd64"])
        .arg(format!("oci-archive:{}", output.display()))
        .output()
        .unwrap();
    assert!(
        skopeo.status.success(),
        "{}",
        String::from_utf8_lossy(&skopeo.stderr)
    );
}
