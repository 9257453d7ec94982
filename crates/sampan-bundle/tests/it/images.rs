//! Images in bundles that belong to no release.

use sampan_bundle::BundleError;
use sampan_bundle::bundle::Bundle;
use sampan_oci::{Descriptor, Reference};

use crate::support::Side;

fn named(name: &str, image: &Descriptor) -> (Reference, Descriptor) {
    (name.parse().unwrap(), image.clone())
}

fn pack(side: &Side, images: &[(Reference, Descriptor)]) -> Vec<u8> {
    let bundle = Bundle::plan_with_images(&side.store, &[], images, &[]).unwrap();
    bundle.write(&side.store, Vec::new(), &mut |_| {}).unwrap()
}

#[test]
fn images_travel_with_their_names() {
    let (vendor, site) = (Side::new(), Side::new());
    let golang = vendor.image(&[b"base", b"go"]);
    let runner = vendor.image(&[b"base", b"runner"]);
    let images = [
        named("golang:1.21", &golang),
        named("localhost:7080/ci/runner:22", &runner),
    ];
    let bytes = pack(&vendor, &images);
    assert_eq!(
        pack(&vendor, &images),
        bytes,
        "the same images make the same bundle"
    );
    let summary = site.load(&bytes).unwrap();
    assert_eq!(summary.images, [images[0].0.clone(), images[1].0.clone()]);
    assert_eq!(summary.releases, []);
    for (name, image) in &images {
        assert_eq!(site.store.resolve(name).unwrap().as_ref(), Some(image));
        assert_eq!(site.store.missing(image).unwrap(), []);
    }
    assert_eq!(site.load(&bytes).unwrap().new_blobs, 0);
}

#[test]
fn a_name_moves_and_the_digest_stays() {
    let (vendor, site) = (Side::new(), Side::new());
    let (old, new) = (vendor.image(&[b"old"]), vendor.image(&[b"new"]));
    for image in [&old, &new] {
        site.load(&pack(&vendor, &[named("golang:1.21", image)]))
            .unwrap();
    }
    let name: Reference = "golang:1.21".parse().unwrap();
    assert_eq!(site.store.resolve(&name).unwrap(), Some(new));
    let pinned: Reference = format!("golang@{}", old.digest()).parse().unwrap();
    assert_eq!(site.store.resolve(&pinned).unwrap(), Some(old));
}

#[test]
fn images_and_releases_share_a_bundle() {
    let (vendor, site) = (Side::new(), Side::new());
    let release = vendor.release("1.0.0", b"one").unwrap();
    let base = vendor.image(&[&[b'b'; 5000]]);
    let plan = |since: &[_]| {
        let images = [named("base:1", &base)];
        Bundle::plan_with_images(
            &vendor.store,
            std::slice::from_ref(&release.name),
            &images,
            since,
        )
    };
    let bundle = plan(&[]).unwrap();
    let bytes = bundle
        .write(&vendor.store, Vec::new(), &mut |_| {})
        .unwrap();
    site.load(&bytes).unwrap();
    assert_eq!(site.releases(), ["shop@1.0.0"]);
    assert!(
        site.store
            .resolve(&"base:1".parse().unwrap())
            .unwrap()
            .is_some()
    );
    // The base of an image is left out where the other side holds it.
    let images = [named("base:1", &base)];
    let since = [release.name.clone()];
    let delta = Bundle::plan_with_images(&vendor.store, &[], &images, &since).unwrap();
    assert!(!delta.contents().is_full());
    let delta = delta.write(&vendor.store, Vec::new(), &mut |_| {}).unwrap();
    assert!(matches!(
        Side::new().load(&delta),
        Err(BundleError::Missing { .. })
    ));
    site.load(&delta).unwrap();
}

#[test]
fn names_of_releases_and_half_images_are_refused() {
    let vendor = Side::new();
    let image = vendor.image(&[b"x"]);
    for name in [
        "sampan.local/releases/shop:1.0.0",
        "a@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let plan = Bundle::plan_with_images(&vendor.store, &[], &[named(name, &image)], &[]);
        assert!(
            matches!(plan, Err(BundleError::Inconsistent { .. })),
            "{name}"
        );
    }
    let twice = [named("a:1", &image), named("a:1", &image)];
    let plan = Bundle::plan_with_images(&vendor.store, &[], &twice, &[]);
    assert!(matches!(plan, Err(BundleError::Inconsistent { .. })));
    assert!(matches!(
        Bundle::plan(&vendor.store, &[], &[]),
        Err(BundleError::Empty)
    ));
    let bytes = pack(&vendor, &[named("a:1", &image)]);
    // A bundle that is cut off gives no names.
    let site = Side::new();
    site.load(&bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(site.store.references().unwrap(), []);
}
