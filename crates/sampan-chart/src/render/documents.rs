//! What templates have written, as documents: manifests and hooks, in the order of installing them.

use std::collections::BTreeMap;

use super::hook::{DeletePolicy, Event, Hook};
use super::order::{install_key, uninstall_key};
use crate::chart::shape::{Fields, Record, Shape};
use crate::compatibility::Compatibility;
use crate::value::lossy;
use crate::value::quote::quote;

/// One document of a file, which is no hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The path of the file from the outermost chart on.
    pub path: String,
    /// The text without white space around it; Helm 4 keeps what stands behind it.
    pub content: String,
    /// What the document says of itself.
    pub head: Head,
}

/// What a document says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.annotations`
    pub annotations: BTreeMap<String, String>,
}

static HEAD: Record = Record {
    name: "SimpleHead",
    types: ["releaseutil.SimpleHead", "util.SimpleHead"],
    fields: &[
        ("apiVersion", Shape::Text),
        ("kind", Shape::Text),
        ("metadata", Shape::Record(&METADATA)),
    ],
};

static METADATA: Record = Record {
    name: "",
    types: [METADATA_TYPE; 2],
    fields: &[
        ("name", Shape::Text),
        ("annotations", Shape::Map(&Shape::Text)),
    ],
};

const METADATA_TYPE: &str = r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;

/// Sorts the files that templates have written into manifests and hooks, both in the order of installing them. Blank
/// files and blank documents are left out.
///
/// # Errors
/// When a document is no YAML, or not what a manifest must be.
pub(super) fn sort(
    files: &BTreeMap<String, Vec<u8>>,
    compatibility: Compatibility,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Manifest>, Vec<Hook>), String> {
    let files = files.iter().filter(|(path, _)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        !name.starts_with('_')
    });
    let files = files.map(|(path, content)| (path, lossy(content)));
    let files: Vec<_> = files.collect();
    let documents = files.iter().flat_map(|(path, content)| {
        let documents = split(content, compatibility).into_iter();
        documents.map(move |document| (*path, document))
    });
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, content) in documents {
        let head = head(content, compatibility);
        let head = head.map_err(|problem| format!("YAML parse error on {path}: {problem}"))?;
        let (path, content) = (path.to_owned(), content.to_owned());
        match head.annotations.get("helm.sh/hook") {
            None => manifests.push(Manifest {
                path,
                content,
                head,
            }),
            Some(names) => {
                if let Some(events) = hook_events(names) {
                    hooks.push(hook(path, content, head, events));
                } else {
                    let events = quote(names.as_bytes());
                    warnings.push(format!("info: skipping unknown hook: {events}"));
                }
            }
        }
    }
    manifests.sort_by_cached_key(|manifest| install_key(&manifest.head.kind, compatibility));
    hooks.sort_by_cached_key(|hook| install_key(&hook.kind, compatibility));
    Ok((manifests, hooks))
}

/// The documents of the manifests of a release, in the order of uninstalling them.
///
/// # Errors
/// When a document is no YAML, or not what a manifest must be.
pub fn uninstall_order(
    manifest: &str,
    compatibility: Compatibility,
) -> Result<Vec<Manifest>, String> {
    let documents = split(manifest, compatibility).into_iter();
    let manifests = documents.map(|content| {
        let head = head(content, compatibility);
        let head = head.map_err(|problem| format!("YAML parse error on manifest: {problem}"))?;
        Ok(Manifest {
            path: String::new(),
            content: content.to_owned(),
            head,
        })
    });
    let mut manifests = manifests.collect::<Result<Vec<_>, String>>()?;
    manifests.sort_by_cached_key(|manifest| uninstall_key(&manifest.head.kind, compatibility));
    Ok(manifests)
}

fn head(content: &str, compatibility: Compatibility) -> Result<Head, String> {
    let mut fields = Fields::default();
    fields.read(content.as_bytes(), &HEAD, compatibility)?;
    let metadata = fields.record("metadata");
    Ok(Head {
        api_version: fields.text("apiVersion"),
        kind: fields.text("kind"),
        name: metadata
            .map(|metadata| metadata.text("name"))
            .unwrap_or_default(),
        annotations: metadata
            .and_then(|metadata| metadata.text_map("annotations"))
            .unwrap_or_default(),
    })
}

/// The events of a hook, or none when one of them is unknown.
fn hook_events(events: &str) -> Option<Vec<Event>> {
    events
        .split(',')
        .map(|event| Event::parse(&event.trim().to_lowercase()))
        .collect()
}

fn hook(path: String, manifest: String, head: Head, events: Vec<Event>) -> Hook {
    let policies = |annotation: &str| {
        let policies = head
            .annotations
            .get(annotation)
            .map(|policies| policies.split(','));
        policies
            .into_iter()
            .flatten()
            .map(|policy| policy.trim().to_lowercase())
            .collect::<Vec<_>>()
    };
    let delete_policies = policies("helm.sh/hook-delete-policy")
        .into_iter()
        .map(DeletePolicy::from)
        .collect();
    let log_policies = policies("helm.sh/hook-output-log-policy");
    let weight = head
        .annotations
        .get("helm.sh/hook-weight")
        .and_then(|weight| weight.parse().ok())
        .unwrap_or(0);
    Hook {
        name: head.name,
        kind: head.kind,
        path,
        manifest,
        events,
        weight,
        delete_policies,
        log_policies,
    }
}

/// Splits a text into its documents: at `---` where the text or a line begins, with all white space around it.
pub(crate) fn split(text: &str, compatibility: Compatibility) -> Vec<&str> {
    let text = match compatibility {
        Compatibility::Helm3 => text.trim(),
        Compatibility::Helm4 => text.trim_start(),
    };
    let mut documents = Vec::new();
    let mut rest = text;
    let mut found = rest
        .strip_prefix("---")
        .map(|behind| ("", behind))
        .or_else(|| next_separator(rest));
    while let Some((document, behind)) = found {
        documents.push(document);
        rest = behind.trim_start_matches(is_blank);
        found = next_separator(rest);
    }
    documents.push(rest);
    documents.retain(|document| !document.trim().is_empty());
    let trimmed = documents.into_iter().map(|document| match compatibility {
        Compatibility::Helm3 => document.trim(),
        Compatibility::Helm4 => document.trim_start(),
    });
    trimmed.collect()
}

/// What stands before and behind the next separator that begins a line.
fn next_separator(text: &str) -> Option<(&str, &str)> {
    const SEPARATOR: &[u8] = b"\n---";
    let found = memchr::memmem::find(text.as_bytes(), SEPARATOR)?;
    let (before, behind) = (&text[..found], &text[found + SEPARATOR.len()..]);
    Some((before.trim_end_matches(is_blank), behind))
}

/// White space as regular expressions of Go understand it.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{c}' | '\r' | ' ')
}
