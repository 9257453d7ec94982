//! Sprig's URLs: taken apart into a dictionary, and put together again.

use super::Parameter::{Dict as Map, Text as Word};
use super::arguments::{Arguments, NIL_POINTER};
use super::{Function, FunctionError};
use crate::value::quote::quote;
use crate::value::{Dict, Value};

mod escaping;
mod parsing;
mod writing;

use parsing::UrlError;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("urlParse", &[Word], url_parse),
    Function::new("urlJoin", &[Map], url_join),
];

/// A URL in parts, as Go's `net/url` has it.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

fn failed(what: &str, (url, error): &(Vec<u8>, UrlError)) -> FunctionError {
    FunctionError::new(format!(
        "unable to parse {what}: parse {}: {error}",
        quote(url)
    ))
}

fn url_parse(arguments: &[Value]) -> Result<Value, FunctionError> {
    let url = parsing::parse(arguments.text(0)?).map_err(|error| failed("url", &error))?;
    let user = url.user.as_ref().map(writing::user).unwrap_or_default();
    let hostname = parsing::hostname(&url.host).to_vec();
    Ok(Value::dict([
        ("scheme", Value::text(url.scheme)),
        ("host", Value::text(url.host)),
        ("hostname", Value::text(hostname)),
        ("path", Value::text(url.path)),
        ("query", Value::text(url.query)),
        ("opaque", Value::text(url.opaque)),
        ("fragment", Value::text(url.fragment)),
        ("userinfo", Value::text(user)),
    ]))
}

/// The text of a key, empty where there is none.
fn part(dict: &Dict, key: &str) -> Result<Vec<u8>, FunctionError> {
    match dict.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::Text(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(FunctionError::new(NIL_POINTER)),
        Some(other) => {
            let kind = other.kind_name();
            let text =
                format!("unable to parse {key} key, must be of type string, but {kind} found");
            Err(FunctionError::new(text))
        }
    }
}

fn url_join(arguments: &[Value]) -> Result<Value, FunctionError> {
    let dict = arguments.dict(0)?;
    let mut url = Url {
        scheme: part(&dict, "scheme")?,
        host: part(&dict, "host")?,
        path: part(&dict, "path")?,
        query: part(&dict, "query")?,
        opaque: part(&dict, "opaque")?,
        fragment: part(&dict, "fragment")?,
        user: None,
    };
    let user = part(&dict, "userinfo")?;
    if !user.is_empty() {
        let user = [b"proto://", user.as_slice(), b"@host"].concat();
        let parsed = parsing::parse(&user).map_err(|error| failed("userinfo in dict", &error))?;
        url.user = parsed.user;
    }
    Ok(Value::text(writing::write(&url)))
}
