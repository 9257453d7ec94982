//! The form in which the catalogue is written down, and how it is read.
//!
//! One statement a line, words are separated by a blank; `#` begins a comment.
//! ```text
//! group apps                      what follows is of this group; `core` has no name, `meta` is shared by all
//! version v1                      and of this version
//! kind Deployment deployments namespaced +9 ~33 -36 >apps/v2.Deployment
//!                                 a kind, its plural (`-` when it is only a body), `namespaced` or `cluster`,
//!                                 since 1.9, deprecated in 1.33, removed in 1.36, replaced by another
//! enum PullPolicy Always | Never | Sometimes +29
//!                                 texts that a field takes, some of them in some versions only; `""` is the empty one
//! type ContainerPort              a structure; the lines below it are its fields:
//!   containerPort 3 int32 !=      name, number in protobuf, type, marks
//!   protocol 4 Protocol +26 -31   since 1.26, until 1.31 and with it
//!   labels 5 {string}             a map; `[T]` is a list, `<T>` a list that is a message of its own
//!   ports 6 [ContainerPort]:containerPort,protocol
//!                                 a list whose items differ in these fields; without any, in their values
//!   - 7 core/v1.VolumeSource <    a structure of another group, whose fields stand among these in JSON
//!   items 8 JSONSchemaProps|list  a schema or a list of such, or `bool`, or `strings`
//! ```
//! Marks: `*` the value is written when given, `=` always, and else when not empty; `!` it is required; `<` inline.

use std::collections::HashMap;

use crate::catalog::Catalog;
use crate::kind::{Kind, KindName, ResourceName};
use crate::structure::{
    Enumeration, EnumerationId, EnumerationValue, Field, Presence, Scalar, SchemaOr, Structure,
    StructureId, Type, Unique,
};
use crate::version::{Span, Version};

/// A line that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{line}` cannot be read")]
pub(crate) struct Malformed {
    line: String,
}

/// Where a name is looked up: the group and version that it is written in.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    group: &'static str,
    version: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Named {
    Structure(StructureId),
    Enumeration(EnumerationId),
}

type Names = HashMap<(&'static str, &'static str, &'static str), Named>;

/// Reads all texts together: they refer to each other.
pub(crate) fn read(texts: &[&'static str]) -> Result<Catalog, Malformed> {
    let mut reader = Reader {
        names: names(texts),
        place: Place::default(),
        kinds: Vec::new(),
        structures: Vec::new(),
        enumerations: Vec::new(),
    };
    for line in texts.iter().flat_map(|text| text.lines()) {
        reader.line(line).ok_or_else(|| Malformed {
            line: line.to_owned(),
        })?;
    }
    for kind in &reader.kinds {
        let structure = kind.structure.map(|id| &mut reader.structures[id.0]);
        if let Some(structure) = structure {
            structure.is_kind = true;
        }
    }
    Ok(Catalog::new(
        reader.kinds,
        reader.structures,
        reader.enumerations,
    ))
}

/// The names of structures and enumerations, numbered as they will be read.
fn names(texts: &[&'static str]) -> Names {
    let mut names = Names::new();
    let mut place = Place::default();
    let (mut structures, mut enumerations) = (0, 0);
    for line in texts.iter().flat_map(|text| text.lines()) {
        // Most lines are fields.
        if line.starts_with(' ') {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "group" => place.group = group(rest),
            "version" => place.version = rest,
            "type" => {
                let id = Named::Structure(StructureId(structures));
                names.insert((place.group, place.version, rest), id);
                structures += 1;
            }
            "enum" => {
                let name = rest.split(' ').next().unwrap_or_default();
                let id = Named::Enumeration(EnumerationId(enumerations));
                names.insert((place.group, place.version, name), id);
                enumerations += 1;
            }
            _ => {}
        }
    }
    names
}

struct Reader {
    names: Names,
    place: Place,
    kinds: Vec<Kind>,
    structures: Vec<Structure>,
    enumerations: Vec<Enumeration>,
}

impl Reader {
    fn line(&mut self, line: &'static str) -> Option<()> {
        if let Some(field) = line.strip_prefix("  ") {
            let field = self.field(field)?;
            self.structures.last_mut()?.fields.push(field);
            return Some(());
        }
        if line.is_empty() || line.starts_with('#') {
            return Some(());
        }
        let (word, rest) = line.split_once(' ')?;
        match word {
            "group" => self.place.group = group(rest),
            "version" => self.place.version = rest,
            "kind" => {
                let kind = self.kind(rest)?;
                self.kinds.push(kind);
            }
            "enum" => self.enumerations.push(enumeration(rest)?),
            "type" => self.structures.push(Structure {
                group: self.place.group,
                version: self.place.version,
                name: rest,
                is_kind: false,
                fields: Vec::new(),
            }),
            _ => return None,
        }
        Some(())
    }

    fn kind(&self, text: &'static str) -> Option<Kind> {
        let mut words = text.split(' ');
        let Place { group, version } = self.place;
        let kind = words.next()?;
        let (plural, scope) = (words.next()?, words.next()?);
        let namespaced = scope == "namespaced";
        let structure = match self.names.get(&(group, version, kind)) {
            Some(Named::Structure(id)) => Some(*id),
            _ => None,
        };
        let mut kind = Kind {
            name: KindName {
                group,
                version,
                kind,
            },
            resource: (plural != "-").then_some(ResourceName { plural, namespaced }),
            since: None,
            deprecated: None,
            removed: None,
            replacement: None,
            structure,
        };
        for word in words {
            let (mark, rest) = word.split_at_checked(1)?;
            match mark {
                "+" => kind.since = Some(minor(rest)?),
                "~" => kind.deprecated = Some(minor(rest)?),
                "-" => kind.removed = Some(minor(rest)?),
                ">" => kind.replacement = Some(kind_name(rest)?),
                _ => return None,
            }
        }
        Some(kind)
    }

    fn field(&self, text: &'static str) -> Option<Field> {
        let mut words = text.split(' ');
        let (name, number, value) = (words.next()?, words.next()?, words.next()?);
        let (value, unique) = match value.split_once(':') {
            None => (value, Unique::Nothing),
            Some((value, "")) => (value, Unique::Values),
            Some((value, keys)) => (value, Unique::Keys(keys.split(',').collect())),
        };
        let mut field = Field {
            name,
            number: number.parse().ok()?,
            value: self.value(value)?,
            presence: Presence::WhenNotEmpty,
            required: false,
            inline: false,
            unique,
            span: Span::default(),
        };
        for word in words {
            if !read_span(word, &mut field.span)? {
                read_marks(word, &mut field)?;
            }
        }
        Some(field)
    }

    fn value(&self, text: &'static str) -> Option<Type> {
        let within = |open: char, close: char| {
            let inner = text.strip_prefix(open)?.strip_suffix(close)?;
            self.value(inner).map(Box::new)
        };
        match text.as_bytes().first()? {
            b'[' => return within('[', ']').map(Type::List),
            b'<' => return within('<', '>').map(Type::NamedList),
            b'{' => return within('{', '}').map(Type::Map),
            _ => {}
        }
        if let Some(scalar) = scalar(text) {
            return Some(Type::Scalar(scalar));
        }
        if let Some((schema, other)) = text.split_once('|') {
            let Type::Structure(schema) = self.value(schema)? else {
                return None;
            };
            let other = match other {
                "list" => SchemaOr::List,
                "bool" => SchemaOr::Bool,
                "strings" => SchemaOr::Strings,
                _ => return None,
            };
            return Some(Type::SchemaOr(other, schema));
        }
        let name = match kind_name(text) {
            Some(name) => (name.group, name.version, name.kind),
            None => (self.place.group, self.place.version, text),
        };
        Some(match self.names.get(&name)? {
            Named::Structure(id) => Type::Structure(*id),
            Named::Enumeration(id) => Type::Enumeration(*id),
        })
    }
}

fn scalar(text: &str) -> Option<Scalar> {
    Some(match text {
        "string" => Scalar::String,
        "bool" => Scalar::Bool,
        "int32" => Scalar::Int32,
        "int64" => Scalar::Int64,
        "double" => Scalar::Double,
        "bytes" => Scalar::Bytes,
        "quantity" => Scalar::Quantity,
        "int-or-string" => Scalar::IntOrString,
        "time" => Scalar::Time,
        "microtime" => Scalar::MicroTime,
        "duration" => Scalar::Duration,
        "raw" => Scalar::RawExtension,
        "fields" => Scalar::Fields,
        "json" => Scalar::Json,
        _ => return None,
    })
}

fn enumeration(text: &'static str) -> Option<Enumeration> {
    let (name, values) = text.split_once(' ')?;
    let values = values.split(" | ").map(enumeration_value);
    Some(Enumeration {
        name,
        values: values.collect::<Option<_>>()?,
    })
}

/// A text, which may have blanks within, and its versions.
fn enumeration_value(text: &'static str) -> Option<EnumerationValue> {
    let mut span = Span::default();
    let mut text = text;
    while let Some((before, word)) = text.rsplit_once(' ') {
        if !read_span(word, &mut span)? {
            break;
        }
        text = before;
    }
    let text = if text == "\"\"" { "" } else { text };
    Some(EnumerationValue { text, span })
}

/// Reads `+29` and `-31`; says whether it was one of them.
fn read_span(word: &str, span: &mut Span) -> Option<bool> {
    if let Some(since) = word.strip_prefix('+') {
        span.since = Some(minor(since)?);
    } else if let Some(until) = word.strip_prefix('-') {
        span.until = Some(minor(until)?);
    } else {
        return Some(false);
    }
    Some(true)
}

fn read_marks(word: &str, field: &mut Field) -> Option<()> {
    for mark in word.chars() {
        match mark {
            '*' => field.presence = Presence::WhenGiven,
            // What can be absent is absent, rather than null.
            '=' if field.presence == Presence::WhenGiven => {}
            '=' => field.presence = Presence::Always,
            '!' => field.required = true,
            '<' => field.inline = true,
            _ => return None,
        }
    }
    Some(())
}

fn minor(text: &str) -> Option<Version> {
    text.parse().ok().map(Version::of_minor)
}

/// The name of a group: the core group has none.
fn group(text: &'static str) -> &'static str {
    if text == "core" { "" } else { text }
}

/// Reads `apps/v1.Deployment`.
fn kind_name(text: &'static str) -> Option<KindName> {
    let (of, rest) = text.split_once('/')?;
    let (version, kind) = rest.split_once('.')?;
    Some(KindName {
        group: group(of),
        version,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_means_nothing_is_refused() {
        let texts = [
            "nonsense",
            "  field 1 string",
            "group core\nversion v1\ntype T\n  field 1 Missing",
            "group core\nversion v1\ntype T\n  field x string",
            "group core\nversion v1\ntype T\n  field 1 string ?",
            "group core\nversion v1\ntype T\n  field 1 [string",
            "group core\nversion v1\ntype T\n  field 1 string +x",
            "group core\nversion v1\nkind T ts",
        ];
        for text in texts {
            assert!(read(&[text]).is_err(), "{text}");
        }
    }
}
