//! A check: an HTTP request whose answer says whether the app works.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AppError;
use super::environment::is_dns_label;
use super::fields::{At, Fields, Place};
use super::values::Values;
use crate::yaml::Node;

/// An HTTP request whose answer says whether the app works.
///
/// Its texts may hold `${…}`; reading has made sure that the names are declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// The check's name, unique within the app.
    pub name: String,
    /// Whom to ask.
    pub address: Address,
    /// How to ask.
    #[serde(default)]
    pub method: Method,
    /// Further request headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// What the answer must be.
    #[serde(default)]
    pub expect: Expect,
    /// How long one try may take.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub timeout: Duration,
    /// How many further tries there are after a failed one.
    pub retries: u32,
    /// How long to wait between tries.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub interval: Duration,
}

/// Whom a check asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Address {
    /// The way that users take: the gateway, by host name and path. Only `http://`.
    Url(String),
    /// A service of the app that need not be reachable from outside.
    Service {
        /// The service's name.
        name: String,
        /// Its port.
        port: u16,
        /// The path of the request.
        path: String,
    },
}

/// The method of a check's request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    const ALL: [Self; 5] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Delete];

    /// The method as HTTP spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the answer to a check must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// The status codes that are good.
    pub status: Vec<u16>,
    /// A text that the body must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            status: vec![200],
            text: None,
        }
    }
}

const KEYS: &[&str] = &[
    "name", "url", "service", "port", "path", "method", "headers", "body", "expect", "timeout",
    "retries", "interval",
];

const TIMEOUT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(1);
const RETRIES: u32 = 5;

impl Check {
    pub(super) fn read(node: &Node, place: &Place, declared: &Values) -> Result<Self, AppError> {
        let fields = Fields::of(node, place, KEYS)?;
        let templated = |at: At<'_>| -> Result<String, AppError> {
            at.templated()?
                .check(declared)
                .map_err(|error| at.template(&error))?;
            at.scalar()
        };
        let headers = match fields.optional("headers") {
            Some(at) => at
                .entries()?
                .into_iter()
                .map(|(name, value)| Ok((name.to_owned(), templated(value)?)))
                .collect::<Result<_, AppError>>()?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            name: fields.required("name")?.text()?.to_owned(),
            address: address(&fields, templated)?,
            method: fields
                .optional("method")
                .map_or(Ok(Method::Get), |at| method(&at))?,
            headers,
            body: fields.optional("body").map(templated).transpose()?,
            expect: match fields.optional("expect") {
                Some(at) => expect(&at, templated)?,
                None => Expect::default(),
            },
            timeout: fields
                .optional("timeout")
                .map_or(Ok(TIMEOUT), |at| at.duration())?,
            retries: fields
                .optional("retries")
                .map_or(Ok(RETRIES), |at| at.integer(0, 1000))?,
            interval: fields
                .optional("interval")
                .map_or(Ok(INTERVAL), |at| at.duration())?,
        })
    }
}

fn address(
    fields: &Fields<'_>,
    templated: impl Fn(At<'_>) -> Result<String, AppError>,
) -> Result<Address, AppError> {
    let service = match (fields.optional("url"), fields.optional("service")) {
        (Some(url), None) => {
            for key in ["port", "path"] {
                if let Some(at) = fields.optional(key) {
                    return Err(at.problem(
                        format!("`{key}` goes with `service`, not with `url`"),
                        "write it into the URL".to_owned(),
                    ));
                }
            }
            if !url.text()?.starts_with("http://") {
                let advice =
                    "write a URL that begins with `http://`; TLS is not spoken by checks yet";
                return Err(url.invalid("is no URL that a check can ask", advice));
            }
            return Ok(Address::Url(templated(url)?));
        }
        (None, Some(service)) => service,
        (Some(_), Some(service)) => {
            let advice = "keep `url` to ask as users do, or `service` to ask a service that is not reachable from outside";
            return Err(service.problem(
                "a check has `url` or `service`, not both".to_owned(),
                advice.to_owned(),
            ));
        }
        (None, None) => return Err(fields.missing("url")),
    };
    let name = service.text()?;
    if !is_dns_label(name) {
        return Err(service.invalid(
            "is no name of a service",
            "give the name that the manifest of the service has",
        ));
    }
    let port = fields
        .optional("port")
        .map_or(Ok(80), |at| at.integer(1, 65535))?;
    let path = match fields.optional("path") {
        Some(at) if !at.text()?.starts_with('/') => {
            return Err(at.invalid("is no path", "begin with `/`"));
        }
        Some(at) => templated(at)?,
        None => "/".to_owned(),
    };
    Ok(Address::Service {
        name: name.to_owned(),
        port: u16::try_from(port).unwrap_or(u16::MAX),
        path,
    })
}

fn method(at: &At<'_>) -> Result<Method, AppError> {
    let name = at.text()?.to_ascii_uppercase();
    Method::ALL
        .into_iter()
        .find(|method| method.as_str() == name)
        .ok_or_else(|| {
            let known = Method::ALL.map(Method::as_str).join(", ");
            at.invalid("is no method", &format!("use one of {known}"))
        })
}

fn expect(
    at: &At<'_>,
    templated: impl Fn(At<'_>) -> Result<String, AppError>,
) -> Result<Expect, AppError> {
    let fields = Fields::of(at.node, &at.place, &["status", "text"])?;
    let code = |at: &At<'_>| {
        at.integer(100, 599)
            .map(|code| u16::try_from(code).unwrap_or(u16::MAX))
    };
    let status = match fields.optional("status") {
        Some(at) => match at.items() {
            Ok(items) if items.is_empty() => {
                return Err(at.invalid("holds no status", "name at least one"));
            }
            Ok(items) => items.iter().map(code).collect::<Result<_, _>>()?,
            Err(_) => vec![code(&at)?],
        },
        None => Expect::default().status,
    };
    Ok(Expect {
        status,
        text: fields.optional("text").map(templated).transpose()?,
    })
}
