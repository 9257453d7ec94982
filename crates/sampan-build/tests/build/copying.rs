//! COPY and ADD in the corners: what leaves its place, what is left out, what comes along.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use sampan_build::Outcome;
use sampan_model::Hint;

use crate::site::{self, Site};

#[test]
fn a_heredoc_stays_below_the_destination() {
    let site = Site::new();
    let outside = site.context().join("../outside");
    for name in [
        "../outside",
        "a/b",
        "..",
        ".",
        &outside.display().to_string(),
    ] {
        for text in [
            format!("FROM scratch\nCOPY <<{name} /dir/\ntext\n{name}\n"),
            format!("FROM scratch\nADD <<{name} /dir/\ntext\n{name}\n"),
            format!("FROM busybox\nRUN <<{name}\n#!/bin/sh\ntrue\n{name}\n"),
            format!("FROM scratch\nONBUILD COPY <<{name} /dir/\ntext\n{name}\n"),
        ] {
            site.dockerfile(&text);
            let error = site.try_build().unwrap_err();
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains("without `/`"), "{text}: {error:?}");
        }
    }
    assert!(!outside.exists());
}

#[test]
fn the_owner_of_an_archive_is_changed_in_the_image_only() {
    let site = Site::new();
    let outside = site.context().join("outside");
    fs::write(&outside, "of the machine").unwrap();
    fs::set_permissions(&outside, Permissions::from_mode(0o4755)).unwrap();
    let context = site.context().display().to_string();
    site::shell(&format!(
        "cd {context}; tar --absolute-names -cf absolute.tar {context}/outside; \
         git init -q repository; cd repository; echo text > file; git add file; \
         git -c user.name=x -c user.email=x@y commit -qm first; git archive -o ../git.tar HEAD"
    ));
    site.dockerfile("FROM busybox\nADD --chown=1000:1000 absolute.tar git.tar /added/\n");
    let (image, _) = site.image(&site.build());
    let root = site.files(&image);
    let inside = format!("added{context}/outside");
    for (path, mode) in [(inside.as_str(), 0o4755), ("added/file", 0o664)] {
        let metadata = root.path(path).metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1000, 1000), "{path}");
        assert_eq!(metadata.mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(outside.metadata().unwrap().uid(), 0);
}

#[test]
fn attributes_of_files_belong_to_the_copy_and_to_its_key() {
    const NAME: &str = "security.capability";
    // `cap_net_bind_service=ep`, in the form of `linux/capability.h`.
    const VALUE: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let site = Site::new();
    site.write("server", "program");
    let server = site.context().join("server");
    site.dockerfile("FROM busybox AS one\nCOPY server /\nFROM busybox\nCOPY --from=one server /\n");
    site.build();
    assert_eq!(site.build_with_outcomes().1, [Outcome::Cached; 4]);
    rustix::fs::setxattr(&server, NAME, &VALUE, rustix::fs::XattrFlags::empty()).unwrap();
    let (built, outcomes) = site.build_with_outcomes();
    assert_eq!(
        (outcomes[1], outcomes[3]),
        (Outcome::Done, Outcome::Done),
        "{outcomes:?}"
    );
    let root = site.files(&site.image(&built).0);
    let mut value = [0; 64];
    let length = rustix::fs::getxattr(root.path("server"), NAME, &mut value).unwrap();
    assert_eq!(value[..length], VALUE);
}

#[test]
fn patterns_reach_what_an_ignored_folder_takes_back_in() {
    let site = Site::new();
    site.write("services/a/package.json", "a");
    site.write("services/b/package.json", "b");
    site.write("services/b/secret", "no");
    site.write("services/c/other", "no");
    site.write("docs/text", "no");
    site.write("top.json", "no");
    site.write(".dockerignore", "*\n!services/*/package.json\n");
    site.dockerfile(
        "FROM scratch\nCOPY --parents services/*/package.json /named/\nCOPY */*/*.json /flat/\n\
         COPY * /all/\nCOPY services/b/* /one/\n",
    );
    let (image, _) = site.image(&site.build());
    let mut found = site.files(&image).list();
    found.retain(|path| path.contains("json") || path.contains("secret") || path.contains("text"));
    found.sort();
    let expected = [
        "all/a/package.json",
        "all/b/package.json",
        "flat/package.json",
        "named/services/a/package.json",
        "named/services/b/package.json",
        "one/package.json",
    ];
    assert_eq!(found, expected);
    site.dockerfile("FROM scratch\nCOPY docs /docs\n");
    let hint = site.try_build().unwrap_err().hint();
    assert_eq!(hint.as_deref(), Some("add `!docs` to `.dockerignore`"));
}

#[test]
fn a_mount_of_the_context_shows_what_takes_part_in_the_build() {
    let site = Site::new();
    site.write("app/kept", "yes");
    site.write("app/secret", "no");
    site.write("plain/file", "plain");
    site.write(".dockerignore", "**/secret\n");
    site.dockerfile(
        "FROM busybox\n\
         RUN --mount=target=/context --mount=source=plain,target=/plain \
         --mount=source=app/kept,target=/file \
         ls /context/app > /seen; cat /file /plain/file >> /seen\n",
    );
    let (image, _) = site.image(&site.build());
    let seen = fs::read_to_string(site.files(&image).path("seen")).unwrap();
    assert_eq!(seen, "kept\nyesplain");
    site.write("app/secret", "changed");
    assert_eq!(site.build_with_outcomes().1, [Outcome::Cached; 2]);
    assert!(site.is_tidy());
}

#[test]
fn large_files_that_are_gone_are_forgotten() {
    let site = Site::new();
    let large = "x".repeat(100_000);
    site.write("one", &large);
    site.write("two", &large);
    let contexts = site.context().join("../data/cache/build/contexts");
    let remembered = || {
        let memory = fs::read_dir(&contexts).unwrap().next().unwrap().unwrap();
        let memory: serde_json::Value =
            serde_json::from_slice(&fs::read(memory.path()).unwrap()).unwrap();
        memory.as_object().unwrap().len()
    };
    // Files that were written just now are not remembered, whatever their modification time says.
    site::wait_until_settled(&site.context().join("two"));
    site.dockerfile("FROM scratch\nCOPY . /\n");
    site.build();
    assert_eq!(remembered(), 2);
    fs::remove_file(site.context().join("two")).unwrap();
    site.build();
    assert_eq!(remembered(), 1);
}

#[test]
fn names_of_one_owner_are_not_those_of_all() {
    let site = Site::new();
    site.dockerfile("FROM busybox\nLABEL of=all\n");
    site.build_as("base:1");
    let all = site.store.resolve(&"base:1".parse().unwrap()).unwrap();
    let space = "owner.example";
    let own = |tag: &str| sampan_build::BuildRequest {
        tags: vec![tag.parse().unwrap()],
        space: Some(space.to_owned()),
        ..site.request()
    };
    site.dockerfile("FROM busybox\nLABEL of=owner\n");
    let built = site.build_request(&own("base:1"));
    assert_eq!(
        site.store.resolve(&"base:1".parse().unwrap()).unwrap(),
        all,
        "what others mean by the name stays"
    );
    let name: sampan_oci::Reference = "base:1".parse().unwrap();
    assert_eq!(
        name.within(space).familiar(),
        "owner.example/docker.io/library/base:1"
    );
    let kept = site.store.resolve(&name.within(space)).unwrap();
    assert_eq!(kept, Some(built.descriptor.clone()));
    // The owner's builds stand on it.
    site.dockerfile("FROM base:1\n");
    let next = site.build_request(&own("next:1"));
    assert_eq!(next.digest, built.digest);
    let local: sampan_oci::Reference = "localhost:7080/a/b".parse().unwrap();
    assert_eq!(
        local.within(space).familiar(),
        "owner.example/localhost__7080/a/b:latest"
    );
}
