//! The parameters of a request.

use sampan_store::objects::Revision;
use serde::Deserialize;

use crate::error::Error;
use crate::objects::{FieldSelector, LabelSelector, ListRequest, Propagation};
use crate::resources::Resource;

/// No request lasts longer, whatever it asks for: the moment of its end can still be calculated with.
const LONGEST_TIMEOUT_SECONDS: u64 = 24 * 60 * 60;

/// All parameters that the API knows; unknown ones are ignored, as Kubernetes does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Query {
    pub(crate) label_selector: Option<String>,
    pub(crate) field_selector: Option<String>,
    pub(crate) limit: Option<String>,
    #[serde(rename = "continue")]
    pub(crate) continue_token: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) resource_version_match: Option<String>,
    pub(crate) watch: Option<String>,
    pub(crate) allow_watch_bookmarks: Option<String>,
    pub(crate) send_initial_events: Option<String>,
    pub(crate) timeout_seconds: Option<String>,
    pub(crate) dry_run: Option<String>,
    pub(crate) field_manager: Option<String>,
    pub(crate) field_validation: Option<String>,
    pub(crate) force: Option<String>,
    pub(crate) include_object: Option<String>,
    pub(crate) grace_period_seconds: Option<String>,
    pub(crate) propagation_policy: Option<String>,
    pub(crate) orphan_dependents: Option<String>,
}

/// What is done about fields that a kind does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    /// The request is refused.
    Strict,
    /// The answer carries warnings.
    Warn,
    /// Nothing.
    Ignore,
}

impl Query {
    /// Reads the part of a URL after the `?`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        // A parameter that occurs twice counts once: the first wins.
        let mut known = serde_json::Map::new();
        for (key, value) in form(text) {
            known.entry(key).or_insert_with(|| value.into());
        }
        serde_json::from_value(known.into()).map_err(|error| Error::BadRequest(error.to_string()))
    }

    pub(crate) fn is_watch(&self) -> bool {
        flag(self.watch.as_deref())
    }

    /// The name of the only object that is asked for, if a selector says so.
    pub(crate) fn named(&self) -> Option<String> {
        let selector = self.field_selector.as_deref()?;
        let mut terms = selector.split(',');
        let name = terms.find_map(|term| term.strip_prefix("metadata.name="))?;
        Some(name.trim_start_matches('=').to_owned())
    }

    pub(crate) fn wants_bookmarks(&self) -> bool {
        flag(self.allow_watch_bookmarks.as_deref())
    }

    pub(crate) fn is_forced(&self) -> bool {
        flag(self.force.as_deref())
    }

    /// Whether nothing is to be stored.
    pub(crate) fn is_dry_run(&self) -> Result<bool, Error> {
        match self.dry_run.as_deref() {
            None | Some("") => Ok(false),
            Some("All") => Ok(true),
            Some(other) => Err(Error::BadRequest(format!(
                "dryRun: Unsupported value: \"{other}\": supported values: \"All\""
            ))),
        }
    }

    pub(crate) fn field_validation(&self) -> Result<FieldValidation, Error> {
        match self.field_validation.as_deref() {
            Some("Strict") => Ok(FieldValidation::Strict),
            None | Some("" | "Warn") => Ok(FieldValidation::Warn),
            Some("Ignore") => Ok(FieldValidation::Ignore),
            Some(other) => Err(Error::BadRequest(format!(
                "fieldValidation: Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""
            ))),
        }
    }

    pub(crate) fn grace_seconds(&self) -> Result<Option<i64>, Error> {
        number(self.grace_period_seconds.as_deref(), "gracePeriodSeconds")
    }

    pub(crate) fn timeout_seconds(&self) -> Result<Option<u64>, Error> {
        let seconds = number(self.timeout_seconds.as_deref(), "timeoutSeconds")?;
        Ok(seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.min(LONGEST_TIMEOUT_SECONDS)))
    }

    /// The asked-for revision; `None` when any will do.
    pub(crate) fn revision(&self) -> Result<Option<Revision>, Error> {
        match self.resource_version.as_deref() {
            None | Some("" | "0") => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) if number > 0 => Ok(Some(Revision(number))),
                _ => Err(Error::BadRequest(format!(
                    "Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
                ))),
            },
        }
    }

    pub(crate) fn propagation(&self) -> Result<Option<Propagation>, Error> {
        match self.propagation_policy.as_deref() {
            None | Some("") => match self.orphan_dependents.as_deref() {
                None | Some("") => Ok(None),
                some if flag(some) => Ok(Some(Propagation::Orphan)),
                _ => Ok(Some(Propagation::Background)),
            },
            Some(word) => propagation(word).map(Some),
        }
    }

    /// Whether a watch begins with the objects that are there, ended by a bookmark.
    pub(crate) fn sends_initial_events(&self) -> Result<bool, Error> {
        let refused = |text: &str| {
            Err(Error::BadRequest(format!(
                "ListOptions.meta.k8s.io \"\" is invalid: {text}"
            )))
        };
        let given = self.send_initial_events.is_some();
        if given && !self.is_watch() {
            return refused(
                "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
            );
        }
        match (given, self.resource_version_match.as_deref()) {
            (true, Some("NotOlderThan")) => Ok(flag(self.send_initial_events.as_deref())),
            (true, _) => refused(
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ),
            (false, Some(_)) if self.is_watch() => refused(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ),
            (false, _) => Ok(false),
        }
    }

    /// The selectors of a request for objects of a resource.
    pub(crate) fn selectors(
        &self,
        resource: &Resource,
    ) -> Result<(LabelSelector, FieldSelector), Error> {
        let bad = |error: crate::objects::SelectorError| Error::BadRequest(error.to_string());
        Ok((
            LabelSelector::parse(self.label_selector.as_deref().unwrap_or_default())
                .map_err(bad)?,
            FieldSelector::parse(
                self.field_selector.as_deref().unwrap_or_default(),
                resource.kind,
            )
            .map_err(bad)?,
        ))
    }

    /// The list that is asked for.
    pub(crate) fn list(
        &self,
        resource: &Resource,
        namespace: Option<String>,
    ) -> Result<ListRequest, Error> {
        self.sends_initial_events()?;
        let (labels, fields) = self.selectors(resource)?;
        let revision = self.revision()?;
        let continue_token = self
            .continue_token
            .clone()
            .filter(|token| !token.is_empty());
        if continue_token.is_some() && revision.is_some() {
            return Err(Error::BadRequest(
                "specifying resource version is not allowed when using continue".to_owned(),
            ));
        }
        let at = match self.resource_version_match.as_deref() {
            Some("Exact") => Some(revision.ok_or_else(|| {
                Error::BadRequest(
                    "resourceVersionMatch: Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""
                        .to_owned(),
                )
            })?),
            None | Some("" | "NotOlderThan") => None,
            Some(other) => {
                return Err(Error::BadRequest(format!(
                    "resourceVersionMatch: Unsupported value: \"{other}\": supported values: \"Exact\", \"NotOlderThan\""
                )));
            }
        };
        let limit = number(self.limit.as_deref(), "limit")?;
        Ok(ListRequest {
            namespace,
            labels,
            fields,
            limit: limit
                .and_then(|limit| u32::try_from(limit).ok())
                .filter(|limit| *limit > 0),
            continue_token,
            at,
        })
    }
}

/// Reads a propagation policy.
pub(crate) fn propagation(word: &str) -> Result<Propagation, Error> {
    Propagation::parse(word).ok_or_else(|| {
        Error::BadRequest(format!(
            "propagationPolicy: Unsupported value: \"{word}\": supported values: \"Background\", \"Foreground\", \"Orphan\""
        ))
    })
}

fn flag(text: Option<&str>) -> bool {
    matches!(text, Some("true" | "1" | "True" | "TRUE" | "t" | "T"))
}

fn number(text: Option<&str>, name: &str) -> Result<Option<i64>, Error> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            Error::BadRequest(format!(
                "{name}: Invalid value: \"{text}\": strconv.ParseInt: parsing \"{text}\": invalid syntax"
            ))
        }),
    }
}

/// The pairs of a query, decoded.
pub(crate) fn form(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key), unescape(value))
    })
}

/// Undoes percent encoding and `+`.
pub(crate) fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.clone().take(2).collect();
                let code = std::str::from_utf8(&digits)
                    .ok()
                    .filter(|digits| digits.len() == 2)
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                match code {
                    Some(code) => {
                        bytes.push(code);
                        rest.nth(1);
                    }
                    None => bytes.push(b'%'),
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query =
            Query::parse("labelSelector=a%3Db%2Cc+in+%28d%29&watch=1&limit=5&unknown=x&limit=7")
                .unwrap();
        assert_eq!(query.label_selector.as_deref(), Some("a=b,c in (d)"));
        assert!(query.is_watch());
        assert_eq!(query.limit.as_deref(), Some("5"));
        assert_eq!(unescape("100%"), "100%");
    }

    #[test]
    fn no_request_asks_for_more_time_than_there_is() {
        let query = Query::parse("timeoutSeconds=9223372036854775807").unwrap();
        assert_eq!(query.timeout_seconds().unwrap(), Some(86_400));
    }

    #[test]
    fn initial_events_need_their_match() {
        let parse = |text: &str| Query::parse(text).unwrap().sends_initial_events();
        assert!(parse("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan").unwrap());
        assert!(parse("watch=1&sendInitialEvents=true").is_err());
        assert!(!parse("watch=1").unwrap());
    }
}
