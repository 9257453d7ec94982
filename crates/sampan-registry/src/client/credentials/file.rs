//! One file in the form of docker's `config.json`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Credential, CredentialError, Secret, program};

/// What docker calls its own registry in files.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The file's JSON; what is not known here is kept as it is.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    root: Map<String, Value>,
}

/// The key under which docker keeps what belongs to `host`.
pub(super) fn server(host: &str) -> String {
    if host == "docker.io" {
        DOCKER_HUB.to_owned()
    } else {
        host.to_owned()
    }
}

/// Lets only one program at a time change the file; given back when dropped.
pub(super) fn lock(path: &Path) -> Result<fs::File, CredentialError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let locked = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| fs::File::open(folder))
        .and_then(|folder| folder.lock().map(|()| folder));
    locked.map_err(|source| CredentialError::File {
        action: "lock",
        path: folder.to_owned(),
        source,
    })
}

impl File {
    /// Reads the file; a missing one is empty.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(source) if absent(&source) => Vec::new(),
            Err(source) => {
                return Err(CredentialError::File {
                    action: "read",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let root = if bytes.trim_ascii().is_empty() {
            Map::new()
        } else {
            serde_json::from_slice(&bytes).map_err(|source| CredentialError::Parse {
                path: path.to_owned(),
                source,
            })?
        };
        Ok(Self {
            path: path.to_owned(),
            root,
        })
    }

    pub(super) fn find(
        &self,
        host: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        if let Some(helper) = self.helper(host)
            && let Some(found) = program::get(&helper, &server(host))?
        {
            return Ok(Some(found));
        }
        let Some(auths) = self.root.get("auths").and_then(Value::as_object) else {
            return Ok(None);
        };
        // Podman knows entries for a part of a registry: `host/team/app` before `host/team` before `host`.
        let mut scope = format!("{host}/{repository}");
        loop {
            let found = auths.iter().find(|(key, _)| normal(key) == scope);
            if let Some((_, entry)) = found
                && let Some(credential) = self.entry(host, entry)?
            {
                return Ok(Some(credential));
            }
            match scope.rsplit_once('/') {
                Some((shorter, _)) => scope = shorter.to_owned(),
                None => return Ok(None),
            }
        }
    }

    /// Whether there is an entry for the host or a part of it that holds anything.
    pub(super) fn has(&self, host: &str) -> bool {
        let auths = self.root.get("auths").and_then(Value::as_object);
        auths.into_iter().flatten().any(|(key, entry)| {
            let of_host = normal(key).split('/').next() == Some(host);
            of_host && entry.as_object().is_some_and(|entry| !entry.is_empty())
        })
    }

    fn entry(&self, host: &str, entry: &Value) -> Result<Option<Credential>, CredentialError> {
        let field = |name: &str| {
            let text = entry.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        if let Some(token) = field("identitytoken") {
            return Ok(Some(Credential::Identity(Secret::new(token))));
        }
        if let Some(token) = field("registrytoken") {
            return Ok(Some(Credential::Bearer(Secret::new(token))));
        }
        if let (Some(username), Some(password)) = (field("username"), field("password")) {
            return Ok(Some(Credential::Password {
                username: username.to_owned(),
                password: Secret::new(password),
            }));
        }
        let Some(auth) = field("auth") else {
            return Ok(None);
        };
        let decoded = STANDARD.decode(auth).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = text.as_deref().and_then(|text| text.split_once(':'));
        let (username, password) = pair.ok_or_else(|| CredentialError::Entry {
            host: host.to_owned(),
            path: self.path.clone(),
        })?;
        Ok(Some(Credential::Password {
            username: username.to_owned(),
            // Docker of old padded the text with zeros.
            password: Secret::new(password.trim_end_matches('\0')),
        }))
    }

    /// The helper that keeps the secrets of `host`.
    pub(super) fn helper(&self, host: &str) -> Option<String> {
        let of_host = self.root.get("credHelpers").and_then(Value::as_object);
        let of_host = of_host.and_then(|helpers| {
            let found = helpers.iter().find(|(key, _)| normal(key) == host);
            found.and_then(|(_, name)| name.as_str())
        });
        let of_all = || self.root.get("credsStore").and_then(Value::as_str);
        of_host
            .or_else(of_all)
            // The name becomes a part of the name of a program that is run.
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .map(str::to_owned)
    }

    pub(super) fn set(&mut self, host: &str, username: &str, password: &Secret) {
        let auth = STANDARD.encode(format!("{username}:{}", password.reveal()));
        self.insert(host, json!({ "auth": auth }));
    }

    /// What docker leaves in the file for a host whose secret a helper keeps.
    pub(super) fn set_empty(&mut self, host: &str) {
        self.insert(host, json!({}));
    }

    fn insert(&mut self, host: &str, entry: Value) {
        self.remove(host);
        let auths = self.root.entry("auths").or_insert_with(|| json!({}));
        if !auths.is_object() {
            *auths = json!({});
        }
        if let Some(auths) = auths.as_object_mut() {
            auths.insert(server(host), entry);
        }
    }

    /// Takes all entries of `host` away and says whether there were any.
    pub(super) fn remove(&mut self, host: &str) -> bool {
        let Some(auths) = self.root.get_mut("auths").and_then(Value::as_object_mut) else {
            return false;
        };
        let before = auths.len();
        auths.retain(|key, _| normal(key) != host);
        auths.len() < before
    }

    /// Replaces the file, legible for its owner only.
    pub(super) fn write(&self) -> Result<(), CredentialError> {
        // A link to a file that is kept elsewhere stays a link.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        self.replace(&path).map_err(|source| CredentialError::File {
            action: "write",
            path: path.clone(),
            source,
        })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut text = serde_json::to_vec_pretty(&self.root)?;
        text.push(b'\n');
        let temporary = tempfile::Builder::new()
            .prefix(".config.json-")
            .tempfile_in(folder)?;
        let mut file: &fs::File = temporary.as_file();
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(&text)?;
        file.sync_all()?;
        temporary.persist(path).map_err(|error| error.error)?;
        OpenOptions::new().read(true).open(folder)?.sync_all()
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A key as a host with an optional path: docker and others have written `https://host/v1/` too.
fn normal(key: &str) -> &str {
    let host = key
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .trim_end_matches("/v1")
        .trim_end_matches("/v2");
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}
