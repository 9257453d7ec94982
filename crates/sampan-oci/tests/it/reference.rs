//! Names of images.

use sampan_oci::{Digest, Reference};

#[test]
fn short_names_are_completed_and_shortened_again() {
    let cases = [
        ("debian", "docker.io/library/debian:latest", "debian:latest"),
        (
            "debian:bookworm-slim",
            "docker.io/library/debian:bookworm-slim",
            "debian:bookworm-slim",
        ),
        (
            "index.docker.io/debian",
            "docker.io/library/debian:latest",
            "debian:latest",
        ),
        (
            "grafana/grafana:9",
            "docker.io/grafana/grafana:9",
            "grafana/grafana:9",
        ),
        (
            "docker.io/a.b/c",
            "docker.io/a.b/c:latest",
            "docker.io/a.b/c:latest",
        ),
        (
            "localhost/web",
            "localhost/web:latest",
            "localhost/web:latest",
        ),
        (
            "host:5000/a/b__c:1",
            "host:5000/a/b__c:1",
            "host:5000/a/b__c:1",
        ),
        (
            "[::1]:5000/web",
            "[::1]:5000/web:latest",
            "[::1]:5000/web:latest",
        ),
        (
            "a--b/c.d_e",
            "docker.io/a--b/c.d_e:latest",
            "a--b/c.d_e:latest",
        ),
    ];
    for (text, canonical, familiar) in cases {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), canonical);
        assert_eq!(reference.familiar(), familiar);
        assert_eq!(familiar.parse::<Reference>().unwrap(), reference);
        assert_eq!(canonical.parse::<Reference>().unwrap(), reference);
    }
}

#[test]
fn a_digest_takes_the_place_of_the_default_tag() {
    let digest = Digest::of_bytes(b"");
    let reference: Reference = format!("web@{digest}").parse().unwrap();
    assert_eq!((reference.tag(), reference.digest()), (None, Some(&digest)));
    let both: Reference = format!("web:1@{digest}").parse().unwrap();
    assert_eq!((both.tag(), both.digest()), (Some("1"), Some(&digest)));
    assert_eq!(both.with_tag("2").unwrap().familiar(), "web:2");
}

#[test]
fn what_is_no_name_is_refused() {
    let cases = [
        "",
        ":",
        "@",
        "/",
        "a//b",
        "Web",
        "web:",
        "web:-1",
        "web:a b",
        "-web",
        "web-",
        "a..b",
        "a___b",
        "a_-b",
        "ho_st.x/web",
        "host:99999/web",
        "host:x/web",
        ".host/web",
        "web@sha256:12",
        "web@md5:00",
        "web@",
        "a/",
        "/a",
        "wéb",
        "[::g]:1/web",
        "a b",
    ];
    for text in cases {
        assert!(text.parse::<Reference>().is_err(), "`{text}` was accepted");
    }
    assert!("a".repeat(300).parse::<Reference>().is_err());
    assert!(
        format!("a:{}", "1".repeat(129))
            .parse::<Reference>()
            .is_err()
    );
}
