//! Files of kustomizations: read within bounds, and only from below the folder that refers to them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::Error;
use super::kustomization::Kustomization;
use super::resource::Resource;
use super::write::to_json;
use crate::yaml;

/// The names that a kustomization may have.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The largest file, in bytes.
const FILE_LIMIT_BYTES: u64 = 16 << 20;

/// A folder with a kustomization.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without links in it.
    pub(super) root: PathBuf,
    /// The kustomization.
    pub(super) file: PathBuf,
}

impl Folder {
    /// Finds the kustomization of a folder and reads it.
    pub(super) fn open(path: &Path) -> Result<(Self, Kustomization), Error> {
        let root = path.canonicalize().map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let files: Vec<PathBuf> = NAMES.iter().map(|name| root.join(name)).collect();
        let mut found = files.into_iter().filter(|file| file.is_file());
        let file = match (found.next(), found.next()) {
            (None, _) => return Err(Error::NoFile(root)),
            (Some(_), Some(_)) => return Err(Error::ManyFiles(root)),
            (Some(file), None) => file,
        };
        let folder = Self { root, file };
        let content = read(&folder.file)?;
        let mut documents = documents(&folder.file, &content)?;
        let Some(document) = documents.pop().filter(|_| documents.is_empty()) else {
            return Err(folder.wrong("one document is wanted".to_owned()));
        };
        let kustomization: Kustomization = serde_json::from_value(without_nulls(document))
            .map_err(|error| folder.wrong(error.to_string()))?;
        match kustomization.unsupported() {
            None => Ok((folder, kustomization)),
            Some(field) => Err(Error::Unsupported {
                path: folder.file,
                field,
            }),
        }
    }

    pub(super) fn wrong(&self, problem: String) -> Error {
        Error::Form {
            path: self.file.clone(),
            problem,
        }
    }

    /// The content of a file that the kustomization names.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        read(&self.inside(name)?)
    }

    /// The resources in a file that the kustomization names.
    pub(super) fn resources(&self, name: &str) -> Result<Vec<Resource>, Error> {
        let path = self.inside(name)?;
        resources(&path, &read(&path)?)
    }

    /// A file in or below the folder, links resolved.
    fn inside(&self, name: &str) -> Result<PathBuf, Error> {
        if name.contains("://") {
            return Err(Error::Remote {
                path: self.file.clone(),
                address: name.to_owned(),
            });
        }
        let path = self.root.join(name);
        let real = path
            .canonicalize()
            .map_err(|source| Error::Read { path, source })?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(Error::Outside {
                path: real,
                root: self.root.clone(),
            })
        }
    }
}

/// A field without a value is as good as none.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(key, value)| (key, without_nulls(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.len() > FILE_LIMIT_BYTES {
        let problem = format!("it has more than {FILE_LIMIT_BYTES} bytes");
        return Err(failed(std::io::Error::other(problem)));
    }
    fs::read(path).map_err(failed)
}

/// The resources in a text; those of lists stand for themselves, behind the others.
pub(super) fn resources(path: &Path, content: &[u8]) -> Result<Vec<Resource>, Error> {
    let (mut found, mut listed) = (Vec::new(), Vec::new());
    for document in documents(path, content)? {
        add(path, document, &mut found, &mut listed)?;
    }
    found.append(&mut listed);
    Ok(found)
}

fn add(
    path: &Path,
    document: Value,
    found: &mut Vec<Resource>,
    listed: &mut Vec<Resource>,
) -> Result<(), Error> {
    let wrong = |problem: &str| Error::Form {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let Value::Object(mut map) = document else {
        return Err(wrong("a resource is a mapping"));
    };
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind.ends_with("List")
        && let Some(Value::Array(items)) = map.get_mut("items").map(Value::take)
    {
        for item in items {
            let mut inner = Vec::new();
            add(path, item, listed, &mut inner)?;
            listed.append(&mut inner);
        }
        return Ok(());
    }
    let resource =
        Resource::new(map).ok_or_else(|| wrong("a resource without `kind` or `metadata.name`"))?;
    found.push(resource);
    Ok(())
}

/// The documents of a text, without empty ones.
pub(super) fn documents(path: &Path, content: &[u8]) -> Result<Vec<Value>, Error> {
    let text = String::from_utf8_lossy(content);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found = Vec::new();
    for document in split(text) {
        let value = yaml::decode_exact(document.as_bytes()).map_err(|error| Error::Form {
            path: path.to_owned(),
            problem: error.to_string(),
        })?;
        match to_json(&value) {
            Value::Null => {}
            value => found.push(value),
        }
    }
    Ok(found)
}

/// Splits at lines that begin with `---` and hold nothing else but a comment.
fn split(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let rest = line.strip_prefix("---").map(str::trim);
        match rest {
            Some(rest) if rest.is_empty() || rest.starts_with('#') => documents.push(String::new()),
            _ => documents.last_mut().expect("there is one").push_str(line),
        }
    }
    documents
}
