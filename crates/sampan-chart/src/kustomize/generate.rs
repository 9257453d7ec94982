//! Config maps and secrets made of files and texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::error::Error;
use super::files::Folder;
use super::index::Index;
use super::kustomization::{Generator, GeneratorOptions, Kustomization};
use super::resource::{Behavior, Resource, table};

/// The length of a line of base64 in secrets.
const LINE: usize = 70;

/// Adds what the generators make to the resources, or to those among them that they merge with or replace.
pub(super) fn run(
    folder: &Folder,
    kustomization: &Kustomization,
    resources: &mut Vec<Resource>,
) -> Result<(), Error> {
    let common = kustomization.generator_options.as_ref();
    let config_maps = kustomization.config_map_generator.iter();
    let secrets = kustomization.secret_generator.iter();
    let generators = config_maps
        .map(|generator| ("ConfigMap", generator))
        .chain(secrets.map(|generator| ("Secret", generator)));
    let mut generators = generators.peekable();
    if generators.peek().is_none() {
        return Ok(());
    }
    let mut index = Index::of(resources);
    for (kind, generator) in generators {
        let made = make(folder, kind, generator, common)?;
        absorb(resources, &mut index, made)?;
    }
    Ok(())
}

fn make(
    folder: &Folder,
    kind: &str,
    generator: &Generator,
    common: Option<&GeneratorOptions>,
) -> Result<Resource, Error> {
    if generator.name.is_empty() {
        return Err(folder.wrong("a configmap must have a name".to_owned()));
    }
    let mut value = Map::new();
    value.insert("apiVersion".to_owned(), "v1".into());
    value.insert("kind".to_owned(), kind.into());
    value.insert("metadata".to_owned(), json!({"name": generator.name}));
    if !generator.namespace.is_empty() {
        let namespace = generator.namespace.clone().into();
        table(&mut value, "metadata").insert("namespace".to_owned(), namespace);
    }
    if kind == "Secret" {
        let kind = if generator.kind.is_empty() {
            "Opaque"
        } else {
            &generator.kind
        };
        value.insert("type".to_owned(), kind.into());
    }
    for (key, content) in pairs(folder, generator)? {
        let (field, text) = match (kind, String::from_utf8(content)) {
            ("Secret", content) => {
                let bytes =
                    content.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                ("data", lines(&STANDARD.encode(bytes)))
            }
            (_, Ok(text)) => ("data", text),
            (_, Err(bytes)) => ("binaryData", lines(&STANDARD.encode(bytes.into_bytes()))),
        };
        let data = table(&mut value, field);
        if data.insert(key.clone(), text.into()).is_some() {
            let name = &generator.name;
            let problem = format!("configmap {name} illegally repeats the key `{key}`");
            return Err(folder.wrong(problem));
        }
    }
    let mut resource = Resource::new(value)
        .ok_or_else(|| folder.wrong("a generated resource has no name".to_owned()))?;
    resource.behavior = match generator.behavior.as_str() {
        "" | "create" | "unspecified" => Behavior::Create,
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        other => return Err(folder.wrong(format!("`{other}` is no behavior"))),
    };
    resource.apply(&merged(generator.options.as_ref(), common));
    Ok(resource)
}

/// The options of one generator on top of those of all.
fn merged(own: Option<&GeneratorOptions>, common: Option<&GeneratorOptions>) -> GeneratorOptions {
    let mut merged = common.cloned().unwrap_or_default();
    if let Some(own) = own {
        merged.labels.extend(own.labels.clone());
        merged.annotations.extend(own.annotations.clone());
        merged.disable_name_suffix_hash |= own.disable_name_suffix_hash;
        merged.immutable |= own.immutable;
    }
    merged
}

/// Long base64 is broken into lines.
fn lines(encoded: &str) -> String {
    if encoded.len() <= LINE {
        return encoded.to_owned();
    }
    let mut broken = String::new();
    for start in (0..encoded.len()).step_by(LINE) {
        let end = encoded.len().min(start + LINE);
        broken.push_str(&encoded[start..end]);
        broken.push('\n');
    }
    broken
}

fn pairs(folder: &Folder, generator: &Generator) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut pairs = Vec::new();
    let envs = generator.envs.iter();
    let envs = envs.chain(Some(&generator.env).filter(|name| !name.is_empty()));
    for name in envs {
        environment(folder, name, &mut pairs)?;
    }
    for literal in &generator.literals {
        match literal.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                pairs.push((key.to_owned(), unquoted(value).into()));
            }
            _ => {
                let problem = format!("invalid literal source {literal}, expected key=value");
                return Err(folder.wrong(problem));
            }
        }
    }
    for source in &generator.files {
        let (key, path) = match source.split_once('=') {
            None => (source.rsplit('/').next().unwrap_or(source), source.as_str()),
            Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => {
                (key, path)
            }
            Some(_) => {
                let problem = format!("`{source}` is neither a file nor KEY=FILE");
                return Err(folder.wrong(problem));
            }
        };
        pairs.push((key.to_owned(), folder.read(path)?));
    }
    let is_of_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bad = pairs
        .iter()
        .find(|(key, _)| key.is_empty() || !key.bytes().all(is_of_key));
    match bad {
        Some((key, _)) => Err(folder.wrong(format!("`{key}` is not a valid key name"))),
        None => Ok(pairs),
    }
}

fn environment(
    folder: &Folder,
    name: &str,
    pairs: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Error> {
    let content = folder.read(name)?;
    let text = String::from_utf8(content)
        .map_err(|_| folder.wrong(format!("`{name}` has invalid utf8 bytes")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    for line in text.lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        pairs.push((key.to_owned(), value.into()));
    }
    Ok(())
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

fn absorb(
    resources: &mut Vec<Resource>,
    index: &mut Index,
    mut made: Resource,
) -> Result<(), Error> {
    let id = made.id();
    let first = index.find(&id).first();
    let Some(old) = first.and_then(|place| resources.get_mut(*place)) else {
        if made.behavior != Behavior::Create {
            return Err(Error::NothingToMerge(id.to_string()));
        }
        index.add(&made, resources.len());
        resources.push(made);
        return Ok(());
    };
    if made.behavior == Behavior::Create {
        return Err(Error::Invalid(format!(
            "id `{id}` exists; behavior must be merge or replace"
        )));
    }
    for field in ["labels", "annotations"] {
        under(&mut made, old, &["metadata", field]);
    }
    if made.behavior == Behavior::Merge {
        under(&mut made, old, &["data"]);
        under(&mut made, old, &["binaryData"]);
    }
    let old_id = old.id();
    made.set_name(old_id.name);
    if old_id.namespace.is_empty() {
        made.metadata().remove("namespace");
    } else {
        made.metadata()
            .insert("namespace".to_owned(), old_id.namespace.into());
    }
    made.before.clone_from(&old.before);
    made.prefixes.clone_from(&old.prefixes);
    made.suffixes.clone_from(&old.suffixes);
    made.needs_hash = old.needs_hash;
    made.behavior = old.behavior;
    *old = made;
    Ok(())
}

/// Puts the entries of a table of an old resource under those of a new one.
fn under(new: &mut Resource, old: &Resource, path: &[&str]) {
    let mut found = Some(&old.value);
    for key in path {
        found = found
            .and_then(|table| table.get(*key))
            .and_then(Value::as_object);
    }
    let Some(found) = found.filter(|found| !found.is_empty()) else {
        return;
    };
    let mut target = &mut new.value;
    for key in path {
        target = table(target, key);
    }
    for (key, value) in found {
        target.entry(key).or_insert_with(|| value.clone());
    }
}
