//! `.Files`: the files of a chart that are neither templates nor values.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::glob::Glob;
use crate::chart::File;
use crate::functions::{FunctionError, Parameter};
use crate::value::{Invocation, List, ListType, Method, Object, Text, Value, print};

/// Files by their paths; a map of bytes in Go.
pub(super) struct Files(Rc<BTreeMap<String, Arc<[u8]>>>);

impl Files {
    pub(super) fn new(files: &[File]) -> Self {
        let files = files
            .iter()
            .map(|file| (file.name.clone(), Arc::clone(&file.data)));
        Self(Rc::new(files.collect()))
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind_name(&self) -> &'static str {
        "map"
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(|data| bytes(data))
    }

    fn method(&self, name: &str) -> Option<Invocation> {
        let files = Rc::clone(&self.0);
        let (parameters, call): (&'static [Parameter], Method) = match name {
            "Get" => (
                &[Parameter::Text],
                Box::new(move |arguments| Ok(Value::text(&*content(&files, arguments)))),
            ),
            "GetBytes" => (
                &[Parameter::Text],
                Box::new(move |arguments| Ok(bytes(&content(&files, arguments)))),
            ),
            "Glob" => (
                &[Parameter::Text],
                Box::new(move |arguments| Ok(glob(&files, &path(arguments)))),
            ),
            "Lines" => (
                &[Parameter::Text],
                Box::new(move |arguments| lines(&files, arguments)),
            ),
            "AsConfig" => (
                &[],
                Box::new(move |_| by_name(&files, |data| Value::text(data))),
            ),
            "AsSecrets" => (
                &[],
                Box::new(move |_| by_name(&files, |data| Value::text(STANDARD.encode(data)))),
            ),
            _ => return None,
        };
        Some(Invocation {
            parameters,
            variadic: None,
            call,
        })
    }

    fn entries(&self) -> Option<Vec<(Value, Value)>> {
        let entries = self
            .0
            .iter()
            .map(|(path, data)| (Value::text(path.as_str()), bytes(data)));
        Some(entries.collect())
    }

    fn print(&self) -> Text {
        let entries = self
            .0
            .iter()
            .map(|(path, data)| format!("{path}:{}", print::plain(&bytes(data))));
        let entries: Vec<_> = entries.collect();
        Text::from(format!("map[{}]", entries.join(" ")))
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }
}

fn path(arguments: &[Value]) -> String {
    match arguments.first() {
        Some(Value::Text(path)) => path.to_string(),
        _ => String::new(),
    }
}

fn content(files: &BTreeMap<String, Arc<[u8]>>, arguments: &[Value]) -> Arc<[u8]> {
    files.get(&path(arguments)).cloned().unwrap_or_default()
}

fn bytes(data: &[u8]) -> Value {
    let bytes = data
        .iter()
        .map(|byte| Value::integer(*byte, crate::value::IntegerType::Uint8));
    Value::List(List::of(ListType::Byte, bytes))
}

fn glob(files: &BTreeMap<String, Arc<[u8]>>, pattern: &str) -> Value {
    let glob = Glob::parse(pattern).unwrap_or_else(Glob::everything);
    let found = files.iter().filter(|(path, _)| glob.matches(path));
    let found = found.map(|(path, data)| (path.clone(), Arc::clone(data)));
    Value::Object(Rc::new(Files(Rc::new(found.collect()))))
}

/// The lines without a last empty one. Go fails on an empty file.
fn lines(files: &BTreeMap<String, Arc<[u8]>>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let Some(data) = files.get(&path(arguments)) else {
        return Ok(Value::List(List::of(ListType::Text, [])));
    };
    if data.is_empty() {
        return Err(FunctionError::new("runtime error: index out of range [-1]"));
    }
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    let lines = data.split(|byte| *byte == b'\n').map(Value::text);
    Ok(Value::List(List::of(ListType::Text, lines)))
}

/// The contents as YAML by the last parts of the paths.
fn by_name(
    files: &BTreeMap<String, Arc<[u8]>>,
    form: impl Fn(&[u8]) -> Value,
) -> Result<Value, FunctionError> {
    let entries = files.iter().map(|(path, data)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (name, form(data))
    });
    let text = crate::yaml::encode(&Value::dict(entries))
        .map_err(|error| FunctionError::new(error.to_string()))?;
    Ok(Value::text(text.strip_suffix(b"\n").unwrap_or(&text)))
}
