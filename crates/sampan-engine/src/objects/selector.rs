//! Label and field selectors, as queries write them.

use serde_json::Value;

/// A selector that cannot be read; the text is what Kubernetes answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

/// Which labels an object must have: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Empty matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<LabelRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct LabelRule {
    key: String,
    test: LabelTest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelTest {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads the text of a `labelSelector` parameter.
    ///
    /// # Errors
    /// When it does not follow the syntax.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        split(text)
            .into_iter()
            .map(|rule| {
                LabelRule::parse(rule)
                    .ok_or_else(|| SelectorError(format!("unable to parse requirement: {rule:?}")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the object's labels satisfy all rules.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.0.iter().all(|rule| {
            let value = labels
                .and_then(|labels| labels.get(&rule.key))
                .and_then(Value::as_str);
            rule.test.passes(value)
        })
    }
}

/// Splits at the commas that are not in brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|rule| !rule.is_empty())
    .collect()
}

impl LabelRule {
    fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix('!') {
            return Self::new(key, LabelTest::Absent);
        }
        if let Some((head, values)) = text.split_once('(') {
            let values = values.strip_suffix(')')?;
            let values = values
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect();
            let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
            let rule = match operator {
                "in" => LabelTest::In(values),
                "notin" => LabelTest::NotIn(values),
                _ => return None,
            };
            return Self::new(key, rule);
        }
        if let Some((key, value)) = text.split_once("!=") {
            return Self::new(key, LabelTest::NotIn(vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Self::new(key, LabelTest::In(vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = text.split_once('>') {
            return Self::new(key, LabelTest::Greater(value.trim().parse().ok()?));
        }
        if let Some((key, value)) = text.split_once('<') {
            return Self::new(key, LabelTest::Less(value.trim().parse().ok()?));
        }
        Self::new(text, LabelTest::Exists)
    }

    fn new(key: &str, test: LabelTest) -> Option<Self> {
        let key = key.trim();
        let valid = !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
        valid.then(|| Self {
            key: key.to_owned(),
            test,
        })
    }
}

impl LabelTest {
    fn passes(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(wanted) => value.is_some_and(|value| wanted.iter().any(|one| one == value)),
            Self::NotIn(unwanted) => {
                value.is_none_or(|value| !unwanted.iter().any(|one| one == value))
            }
            Self::Greater(limit) => number().is_some_and(|number| number > *limit),
            Self::Less(limit) => number().is_some_and(|number| number < *limit),
        }
    }
}

/// Which fields an object must have: `metadata.name=a,status.phase!=b`. Empty matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<FieldRule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRule {
    path: Vec<String>,
    value: String,
    equal: bool,
}

/// What may be selected by, besides `metadata.name` and `metadata.namespace`, for each kind.
const SELECTABLE: &[(&str, &[&str])] = &[
    (
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
    ),
    (
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "reason",
            "reportingComponent",
            "reportingController",
            "source",
            "type",
        ],
    ),
    ("Namespace", &["status.phase"]),
    ("Node", &["spec.unschedulable"]),
    ("Secret", &["type"]),
    ("ReplicaSet", &["status.replicas"]),
    ("Service", &["spec.clusterIP", "spec.type"]),
];

impl FieldSelector {
    /// Reads the text of a `fieldSelector` parameter for objects of a kind.
    ///
    /// # Errors
    /// When it does not follow the syntax or names a field that the kind is not selected by.
    pub fn parse(text: &str, kind: &str) -> Result<Self, SelectorError> {
        let mut rules = Vec::new();
        for rule in text.split(',').filter(|rule| !rule.is_empty()) {
            let (field, value, equal) = if let Some((field, value)) = rule.split_once("!=") {
                (field, value, false)
            } else if let Some((field, value)) =
                rule.split_once("==").or_else(|| rule.split_once('='))
            {
                (field, value, true)
            } else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{rule}'"
                )));
            };
            if !is_selectable(kind, field) {
                return Err(SelectorError(format!("field label not supported: {field}")));
            }
            rules.push(FieldRule {
                path: field.split('.').map(str::to_owned).collect(),
                value: value.to_owned(),
                equal,
            });
        }
        Ok(Self(rules))
    }

    /// Whether the object's fields satisfy all rules. A missing field counts as empty.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|rule| {
            let mut value = Some(object);
            for part in &rule.path {
                value = value.and_then(|value| value.get(part));
            }
            let text = match value {
                Some(Value::String(text)) => text.clone(),
                // `source` of an event is selected by its component.
                Some(Value::Object(map)) => map
                    .get("component")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                Some(Value::Null) | None if rule.path.last().is_some_and(|last| is_flag(last)) => {
                    "false".to_owned()
                }
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            (text == rule.value) == rule.equal
        })
    }
}

/// Fields that are false when absent.
fn is_flag(field: &str) -> bool {
    matches!(field, "unschedulable" | "hostNetwork")
}

fn is_selectable(kind: &str, field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
        || SELECTABLE
            .iter()
            .any(|(one, fields)| *one == kind && fields.contains(&field))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_are_matched_by_every_operator() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "n": "5"}}});
        for yes in [
            "",
            "app=web",
            "app==web",
            "app in (web, api),tier",
            "app!=db",
            "missing!=x",
            "!missing",
            "tier notin (back)",
            "n>4",
            "n<6",
        ] {
            assert!(LabelSelector::parse(yes).unwrap().matches(&object), "{yes}");
        }
        for no in [
            "app=db",
            "app in (db)",
            "missing",
            "!app",
            "tier notin (front,back)",
            "n>5",
        ] {
            assert!(!LabelSelector::parse(no).unwrap().matches(&object), "{no}");
        }
        assert!(LabelSelector::parse("a in b").is_err());
        assert!(LabelSelector::parse("a b").is_err());
    }

    #[test]
    fn fields_are_matched_and_unknown_ones_refused() {
        let pod = json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        let matches = |text: &str| FieldSelector::parse(text, "Pod").unwrap().matches(&pod);
        assert!(matches("metadata.name=a,status.phase!=Failed"));
        assert!(matches("spec.nodeName="));
        assert!(!matches("status.phase=Failed"));
        let error = FieldSelector::parse("spec.unknown=1", "Pod").unwrap_err();
        assert_eq!(error.to_string(), "field label not supported: spec.unknown");
    }
}
