//! Releases.

use sampan_bundle::release::{self, ReleaseError};

use crate::support::Side;

#[test]
fn a_release_is_read_as_it_was_made() {
    let side = Side::new();
    let made = side.release("1.0.0", b"one").unwrap();
    let read = release::open(&side.store, &"shop@1.0.0".parse().unwrap()).unwrap();
    assert_eq!(made.descriptor, read.descriptor);
    assert_eq!(read.app.version.as_str(), "1.0.0");
    let images: Vec<_> = read
        .images
        .iter()
        .map(|(name, _)| name.familiar())
        .collect();
    assert_eq!(images, ["shop-db:1", "shop-web:1"]);
    let files = read.files(&side.store).unwrap();
    assert_eq!(
        files,
        [("k/web.yaml".to_owned(), b"kind: Service\n".to_vec())]
    );
    let chart = read.chart(&side.store, "charts/shop").unwrap();
    assert_eq!(chart, b"packed");
    let error = read.chart(&side.store, "charts/web").unwrap_err();
    assert!(matches!(error, ReleaseError::NoChart { .. }), "{error}");
    assert_eq!(side.releases(), ["shop@1.0.0"]);
}

#[test]
fn a_bundle_carries_the_charts_of_a_release() {
    let (vendor, site) = (Side::new(), Side::new());
    vendor.release("1.0.0", b"one").unwrap();
    site.load(&vendor.pack("1.0.0", None)).unwrap();
    let loaded = release::open(&site.store, &"shop@1.0.0".parse().unwrap()).unwrap();
    let chart = loaded.chart(&site.store, "charts/shop").unwrap();
    assert_eq!(chart, b"packed");
}

#[test]
fn the_same_content_is_the_same_release_wherever_it_is_made() {
    let (one, other) = (Side::new(), Side::new());
    let digest = one.release("1.0.0", b"one").unwrap().digest().unwrap();
    assert_eq!(
        one.release("1.0.0", b"one").unwrap().digest().unwrap(),
        digest
    );
    assert_eq!(
        other.release("1.0.0", b"one").unwrap().digest().unwrap(),
        digest
    );
}

#[test]
fn a_release_never_changes() {
    let side = Side::new();
    let first = side.release("1.0.0", b"one").unwrap().digest().unwrap();
    let error = side.release("1.0.0", b"two").unwrap_err();
    assert!(matches!(error, ReleaseError::Exists { existing, .. } if existing == first));
    let kept = release::open(&side.store, &"shop@1.0.0".parse().unwrap()).unwrap();
    assert_eq!(kept.digest().unwrap(), first);
}

#[test]
fn a_release_that_is_not_there_is_told_with_those_that_are() {
    let side = Side::new();
    side.release("1.0.0", b"one").unwrap();
    let error = release::open(&side.store, &"shop@2.0.0".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no release `shop@2.0.0`");
    let hint = sampan_model::Hint::hint(&error).unwrap();
    assert_eq!(hint, "there are: shop@1.0.0");
}
