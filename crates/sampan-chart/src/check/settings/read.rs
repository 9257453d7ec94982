//! The text of a `.sampan-lint.yaml`.

use sampan_kubernetes::version::VersionError;
use sampan_model::yaml::{self, Content, Location, Node, YamlError};
use sampan_model::{Hint, nearest};

use super::{External, Ignore, Settings, own};
use crate::check::finding::Grade;
use crate::check::own::{OwnRule, OwnRuleError};
use crate::check::rule::Rule;

/// What is wrong with a file of settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It is no YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A key that means nothing.
    #[error("{location}: `{key}` is not known here")]
    UnknownKey {
        /// Where it stands.
        location: Location,
        /// The key.
        key: String,
        /// The key that may be meant.
        near: Option<&'static str>,
        /// All that are known there.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    #[error("{location}: `{key}` is missing")]
    Missing {
        /// Where it should stand.
        location: Location,
        /// The key.
        key: &'static str,
        /// What it is for.
        advice: &'static str,
    },
    /// A value of another kind, or one that means nothing.
    #[error("{location}: {problem}")]
    Invalid {
        /// Where it stands.
        location: Location,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        advice: String,
    },
    /// An expression of an own rule.
    #[error("{location}: the expression of `{rule}` is wrong")]
    Expression {
        /// Where it stands.
        location: Location,
        /// The rule's id.
        rule: String,
        /// What is wrong with it.
        #[source]
        problem: OwnRuleError,
    },
}

impl Hint for SettingsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Yaml(error) => error.hint(),
            Self::UnknownKey { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::UnknownKey { known, .. } => Some(format!("known are {}", known.join(", "))),
            Self::Missing { advice, .. } => Some((*advice).to_owned()),
            Self::Invalid { advice, .. } => Some(advice.clone()),
            Self::Expression { .. } => Some("it is an expression of CEL over `object`, and `pod` for what holds one; it is true where the rule holds".to_owned()),
        }
    }
}

const KEYS: &[&str] = &[
    "kubernetesVersion",
    "failOn",
    "enable",
    "disable",
    "grades",
    "external",
    "ignore",
    "hosts",
    "crds",
    "rules",
];
const WHY: &str = "an exception needs a `reason`, so that it can go when the reason is gone";

pub(super) fn settings(file: &str, text: &str) -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    let Some(root) = yaml::documents(file, text)?.into_iter().next() else {
        return Ok(settings);
    };
    let fields = Fields::of(&root, KEYS)?;
    if let Some(text) = fields.text("kubernetesVersion")? {
        let version = text.parse().map_err(|error: VersionError| {
            fields.invalid(
                "kubernetesVersion",
                error.to_string(),
                "write a version such as `\"1.33\"`",
            )
        })?;
        settings.kubernetes_version = Some(version);
    }
    if let Some(node) = fields.node("failOn") {
        settings.fail_on = grade(node)?;
    }
    settings.enable = fields.texts("enable")?;
    settings.hosts = fields.texts("hosts")?;
    settings.crds = fields.texts("crds")?;
    for node in fields.items("disable")? {
        let fields = Fields::of(node, &["rule", "reason"])?;
        fields.required("reason", WHY)?;
        settings
            .disable
            .push(fields.required("rule", "name the rule or group")?);
    }
    if let Some(node) = fields.node("grades") {
        for (key, value) in node.entries() {
            settings.grades.push((key.name.clone(), grade(value)?));
        }
    }
    for node in fields.items("external")? {
        settings.external.push(external(node)?);
    }
    for node in fields.items("ignore")? {
        settings.ignore.push(ignore(node)?);
    }
    for node in fields.items("rules")? {
        settings.own.push(own_rule(node)?);
    }
    known_rules(&settings, &root)?;
    Ok(settings)
}

/// Each rule that is named must exist: a slip would otherwise hide nothing, in silence.
fn known_rules(settings: &Settings, root: &Node) -> Result<(), SettingsError> {
    let listed = |list: &str| root.get(list).map_or(&[][..], Node::items).iter();
    let named = listed("disable")
        .chain(listed("ignore"))
        .filter_map(|item| item.get("rule"));
    let enabled = listed("enable");
    let graded = root.get("grades").map_or(&[][..], Node::entries).iter();
    let graded = graded.map(|(key, _)| (key.name.as_str(), &key.location));
    let nodes = named
        .chain(enabled)
        .filter_map(|node| Some((node.as_str()?, &node.location)));
    for (pattern, location) in nodes.chain(graded) {
        if !settings.knows(pattern) {
            let near = nearest(pattern, settings.rules().map(|rule| &*rule.id));
            return Err(SettingsError::Invalid {
                location: location.clone(),
                problem: format!("there is no rule `{pattern}`"),
                advice: near.map_or_else(
                    || "`sampan lint --list-rules` lists them".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            });
        }
    }
    Ok(())
}

/// The rules of a file that holds nothing else.
pub(super) fn own_rules(file: &str, text: &str) -> Result<Vec<Rule>, SettingsError> {
    let Some(root) = yaml::documents(file, text)?.into_iter().next() else {
        return Ok(Vec::new());
    };
    if let Content::Sequence(items) = &root.content {
        return items.iter().map(own_rule).collect();
    }
    let fields = Fields::of(&root, &["rules"])?;
    fields.items("rules")?.iter().map(own_rule).collect()
}

fn external(node: &Node) -> Result<External, SettingsError> {
    let fields = Fields::of(node, &["kind", "name", "namespace", "keys", "reason"])?;
    let keys = fields.node("keys").is_some();
    Ok(External {
        kind: fields.required("kind", "say the kind, such as `Secret`")?,
        name: fields.required("name", "say the name; `*` stands for any part of it")?,
        namespace: fields.text("namespace")?,
        keys: if keys {
            Some(fields.texts("keys")?)
        } else {
            None
        },
    })
}

fn ignore(node: &Node) -> Result<Ignore, SettingsError> {
    let fields = Fields::of(node, &["rule", "object", "file", "reason"])?;
    Ok(Ignore {
        rule: fields.required("rule", "name the rule; `*` stands for any part of it")?,
        object: fields.text("object")?,
        file: fields.text("file")?,
        reason: fields.required("reason", WHY)?,
    })
}

fn own_rule(node: &Node) -> Result<Rule, SettingsError> {
    let known = &[
        "id",
        "grade",
        "kinds",
        "summary",
        "why",
        "mend",
        "expression",
        "at",
    ];
    let fields = Fields::of(node, known)?;
    let id = fields.required("id", "give the rule an id, such as `team-label`")?;
    let expression = fields.required(
        "expression",
        "give a CEL expression that is true where the rule holds",
    )?;
    let place = fields.node("expression").unwrap_or(node);
    let at = fields.text("at")?;
    let compiled =
        OwnRule::new(&expression, fields.texts("kinds")?, at.as_deref()).map_err(|problem| {
            SettingsError::Expression {
                location: place.location.clone(),
                rule: id.clone(),
                problem,
            }
        })?;
    if crate::check::rules::find(&id).is_some() {
        return Err(fields.invalid(
            "id",
            format!("there is a rule `{id}` already"),
            "choose another id",
        ));
    }
    let grade = fields.node("grade").map_or(Ok(Grade::Warning), grade)?;
    let texts = [
        fields.required("summary", "say in one line what must hold")?,
        fields.text("why")?.unwrap_or_default(),
        fields.text("mend")?.unwrap_or_default(),
    ];
    Ok(own(compiled, texts, id, grade))
}

fn grade(node: &Node) -> Result<Grade, SettingsError> {
    match node.as_str() {
        Some("warning") => Ok(Grade::Warning),
        Some("critical") => Ok(Grade::Critical),
        _ => Err(SettingsError::Invalid {
            location: node.location.clone(),
            problem: "this is no grade".to_owned(),
            advice: "write `warning` or `critical`".to_owned(),
        }),
    }
}

/// A mapping whose keys are all known.
struct Fields<'a>(&'a Node);

impl<'a> Fields<'a> {
    fn of(node: &'a Node, known: &'static [&'static str]) -> Result<Self, SettingsError> {
        let Content::Mapping(entries) = &node.content else {
            return Err(SettingsError::Invalid {
                location: node.location.clone(),
                problem: format!(
                    "here stands {}, and a mapping is expected",
                    node.type_name()
                ),
                advice: format!("write a mapping with {}", known.join(", ")),
            });
        };
        match entries
            .iter()
            .find(|(key, _)| !known.contains(&key.name.as_str()))
        {
            None => Ok(Self(node)),
            Some((key, _)) => Err(SettingsError::UnknownKey {
                location: key.location.clone(),
                near: nearest(&key.name, known.iter().copied())
                    .and_then(|near| known.iter().copied().find(|known| *known == near)),
                key: key.name.clone(),
                known,
            }),
        }
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.0.at(&[key])
    }

    fn invalid(&self, key: &str, problem: String, advice: &str) -> SettingsError {
        SettingsError::Invalid {
            location: self.node(key).unwrap_or(self.0).location.clone(),
            problem,
            advice: advice.to_owned(),
        }
    }

    fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        let Some(node) = self.node(key) else {
            return Ok(None);
        };
        match node.scalar() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.invalid(
                key,
                format!("`{key}` is {}", node.type_name()),
                "write text",
            )),
        }
    }

    fn required(&self, key: &'static str, advice: &'static str) -> Result<String, SettingsError> {
        self.text(key)?
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| SettingsError::Missing {
                location: self.0.location.clone(),
                key,
                advice,
            })
    }

    fn items(&self, key: &str) -> Result<&'a [Node], SettingsError> {
        match self.node(key) {
            None => Ok(&[]),
            Some(Node {
                content: Content::Sequence(items),
                ..
            }) => Ok(items),
            Some(node) => Err(self.invalid(
                key,
                format!("`{key}` is {}", node.type_name()),
                "write a list",
            )),
        }
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, SettingsError> {
        let items = self.items(key)?.iter();
        let texts = items.map(|item| item.scalar().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(|| {
            self.invalid(
                key,
                format!("`{key}` holds more than text"),
                "write a list of texts",
            )
        })
    }
}
