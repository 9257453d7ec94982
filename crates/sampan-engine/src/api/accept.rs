//! The form in which an answer is wanted.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::error::Error;

/// What can be offered, as a refusal lists it.
const OFFERED: &str = "application/json";

/// The form of objects in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The objects themselves.
    Object,
    /// A table for people, of this version of `meta.k8s.io`.
    Table(&'static str),
    /// Only the metadata.
    Partial,
}

/// Which version of aggregated discovery is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discovery {
    /// One request per group and version.
    Plain,
    /// `apidiscovery.k8s.io/v2`.
    V2,
    /// `apidiscovery.k8s.io/v2beta1`.
    V2Beta1,
}

/// One alternative of an `Accept` header.
struct Range<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Range<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }

    fn is_json(&self) -> bool {
        matches!(
            self.media,
            "application/json" | "application/*" | "*/*" | ""
        )
    }
}

fn ranges(header: &str) -> impl Iterator<Item = Range<'_>> {
    header.split(',').map(|range| {
        let mut parts = range.split(';').map(str::trim);
        Range {
            media: parts.next().unwrap_or_default(),
            parameters: parts.filter_map(|part| part.split_once('=')).collect(),
        }
    })
}

fn header(headers: &HeaderMap) -> &str {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*")
}

/// The form that the client likes best of those offered.
///
/// # Errors
/// [`Error::NotAcceptable`] when it accepts none.
pub(crate) fn form(headers: &HeaderMap) -> Result<Form, Error> {
    for range in ranges(header(headers)).filter(Range::is_json) {
        let form = match (range.get("as"), range.get("g"), range.get("v")) {
            (None, ..) => Form::Object,
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Form::Table("v1"),
            (Some("Table"), Some("meta.k8s.io"), Some("v1beta1")) => Form::Table("v1beta1"),
            (
                Some("PartialObjectMetadata" | "PartialObjectMetadataList"),
                Some("meta.k8s.io"),
                Some("v1"),
            ) => Form::Partial,
            _ => continue,
        };
        return Ok(form);
    }
    Err(Error::NotAcceptable { accepted: OFFERED })
}

/// The form of discovery that the client likes best.
///
/// # Errors
/// [`Error::NotAcceptable`] when it accepts none.
pub(crate) fn discovery(headers: &HeaderMap) -> Result<Discovery, Error> {
    for range in ranges(header(headers)).filter(Range::is_json) {
        let form = match (range.get("as"), range.get("g"), range.get("v")) {
            (None, ..) => Discovery::Plain,
            (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                Discovery::V2
            }
            (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2beta1")) => {
                Discovery::V2Beta1
            }
            _ => continue,
        };
        return Ok(form);
    }
    Err(Error::NotAcceptable { accepted: OFFERED })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_that_can_be_offered_wins() {
        let form_of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(text));
            form(&headers)
        };
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form_of(kubectl).unwrap(), Form::Table("v1"));
        assert_eq!(
            form_of("application/vnd.kubernetes.protobuf, application/json").unwrap(),
            Form::Object
        );
        assert!(form_of("application/vnd.kubernetes.protobuf").is_err());
        assert_eq!(form(&HeaderMap::new()).unwrap(), Form::Object);
    }
}
