//! Names of images, as far as pipelines compare them.

/// The name without tag and digest, in its short form: `docker.io/library/redis:7` is `redis`.
#[must_use]
pub fn short_name(image: &str) -> &str {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let name = match name[last..].find(':') {
        Some(colon) => &name[..last + colon],
        None => name,
    };
    let name = ["docker.io/", "index.docker.io/", "registry-1.docker.io/"]
        .iter()
        .find_map(|host| name.strip_prefix(host))
        .unwrap_or(name);
    match name.strip_prefix("library/") {
        Some(short) if !short.contains('/') => short,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn tags_and_the_usual_registry_are_left_out() {
        for (image, expected) in [
            ("golang", "golang"),
            ("golang:1.21", "golang"),
            ("library/golang:1", "golang"),
            ("docker.io/library/golang@sha256:00", "golang"),
            ("index.docker.io/plugins/docker:18", "plugins/docker"),
            ("gcr.io/library/golang:1", "gcr.io/library/golang"),
            ("localhost:5000/a/b:c@sha256:00", "localhost:5000/a/b"),
            ("localhost:5000/a", "localhost:5000/a"),
        ] {
            assert_eq!(short_name(image), expected, "{image}");
        }
    }
}
