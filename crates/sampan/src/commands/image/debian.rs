//! What makes a Debian system fit for an image, after the model of Debian's own `-slim` images.

use sampan_oci::archive::{Entry, Kind};

/// Directories whose content belongs to a running machine.
const VOLATILE: [&str; 4] = ["dev/", "proc/", "sys/", "tmp/"];

/// Directories whose files are caches, logs or states; programs expect the directories themselves.
const EMPTIED: [&str; 5] = [
    "var/lib/apt/lists/",
    "var/cache/apt/",
    "var/cache/ldconfig/",
    "var/log/",
    "var/lib/systemd/",
];

/// Files that say something of the machine on which the system was made, or hold what was before.
const DROPPED: [&str; 8] = [
    "etc/hostname",
    "etc/resolv.conf",
    "etc/machine-id",
    "etc/.pwd.lock",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
];

/// Documentation, manuals and translations.
const DOCUMENTATION: [&str; 7] = [
    "usr/share/doc/",
    "usr/share/groff/",
    "usr/share/info/",
    "usr/share/linda/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
];

/// What dpkg leaves out when packages are installed later; the same as [`DOCUMENTATION`].
const DPKG: &str = "\
# This is a slim image: documentation, manuals and translations are left out.
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/man/*
# An image is thrown away when its making is interrupted.
force-unsafe-io
";

const APT: &str = "\
// Packages and their index are fetched once and never kept.
DPkg::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };
APT::Update::Post-Invoke { \"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true\"; };
Dir::Cache::pkgcache \"\";
Dir::Cache::srcpkgcache \"\";
Acquire::Languages \"none\";
Acquire::GzipIndexes \"true\";
APT::AutoRemove::SuggestsImportant \"false\";
";

const POLICY: &str = "#!/bin/sh\n# No service starts while an image is made.\nexit 101\n";

/// Whether a file of the bootstrapped system belongs into the image.
pub(super) fn keep(entry: &Entry, documentation: bool) -> bool {
    let path = entry.path.as_slice();
    let below = |directories: &[&str]| {
        directories
            .iter()
            .any(|directory| path.starts_with(directory.as_bytes()))
    };
    if below(&VOLATILE) {
        return false;
    }
    // Also those of manuals: installers of packages fail where they are missing.
    if entry.kind == Kind::Directory {
        return true;
    }
    let dropped = DROPPED.iter().any(|name| path == name.as_bytes());
    if dropped || path.ends_with(b"-old") || below(&EMPTIED) {
        return false;
    }
    let copyright = path.starts_with(b"usr/share/doc/") && path.ends_with(b"/copyright");
    let aliases = path == b"usr/share/locale/locale.alias";
    documentation || copyright || aliases || !below(&DOCUMENTATION)
}

/// The settings that fit package management to images.
pub(super) fn settings(documentation: bool) -> Vec<(Entry, Vec<u8>)> {
    let file = |path: &str, mode: u32, content: &str| {
        let entry = Entry {
            mode,
            ..Entry::file(path, content.len() as u64)
        };
        (entry, content.as_bytes().to_vec())
    };
    let mut files = vec![
        file("etc/apt/apt.conf.d/90image", 0o644, APT),
        file("usr/sbin/policy-rc.d", 0o755, POLICY),
    ];
    if !documentation {
        files.push(file("etc/dpkg/dpkg.cfg.d/90image", 0o644, DPKG));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slim_images_keep_programs_licences_and_directories() {
        let kept = |path: &str| keep(&Entry::file(path, 0), false);
        for path in ["usr/bin/ls", "usr/share/doc/apt/copyright", "etc/passwd"] {
            assert!(kept(path), "{path}");
        }
        let gone = [
            "usr/share/doc/apt/changelog.gz",
            "usr/share/man/man1/ls.1.gz",
            "var/lib/apt/lists/x",
            "var/lib/dpkg/status-old",
            "var/log/dpkg.log",
            "dev/null",
            "etc/resolv.conf",
        ];
        for path in gone {
            assert!(!kept(path), "{path}");
        }
        for path in [
            "var/log/apt",
            "var/lib/apt/lists/partial",
            "usr/share/man/man1",
        ] {
            assert!(keep(&Entry::directory(path), false), "{path}");
        }
        assert!(keep(&Entry::file("usr/share/man/man1/ls.1.gz", 0), true));
    }
}
