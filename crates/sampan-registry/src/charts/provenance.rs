//! Provenance files: `<name>-<version>.tgz.prov`, which only their readers can verify.

const BEGINNING: &str = "-----BEGIN PGP SIGNED MESSAGE-----";

/// The chart that a provenance file speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl Provenance {
    /// Reads a provenance file; nothing when the bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix(BEGINNING)?;
        let field = |name| text.lines().skip(1).find_map(|line| value(line, name));
        Some(Self {
            name: field("name:")?,
            version: field("version:")?,
        })
    }
}

fn value(line: &str, name: &str) -> Option<String> {
    let value = line.strip_prefix(name)?.strip_prefix([' ', '*'])?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_are_those_of_the_chart() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: web\nversion: \"1.0.0\"\n\n...\nfiles:\n  web-1.0.0.tgz: sha256:ab\n";
        let read = Provenance::read(text.as_bytes()).unwrap();
        assert_eq!(
            (read.name.as_str(), read.version.as_str()),
            ("web", "1.0.0")
        );
        assert_eq!(Provenance::read(b"name: web\nversion: 1.0.0\n"), None);
        assert_eq!(
            Provenance::read(b"-----BEGIN PGP SIGNED MESSAGE-----\nname: web\n"),
            None
        );
        assert_eq!(
            Provenance::read(b"-----BEGIN PGP SIGNED MESSAGE-----\nname: \nversion: 1\n"),
            None
        );
        assert_eq!(Provenance::read(&[0xff]), None);
    }
}
