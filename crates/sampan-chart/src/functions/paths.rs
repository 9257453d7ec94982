//! Sprig's paths: Go's packages `path` and, for a system with slashes, `path/filepath`.

use super::Parameter::Text;
use super::arguments::Arguments;
use super::{Function, FunctionError};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base", &[Text], base),
    Function::new("dir", &[Text], dir),
    Function::new("clean", &[Text], clean),
    Function::new("ext", &[Text], ext),
    Function::new("isAbs", &[Text], is_absolute),
    Function::new("osBase", &[Text], base),
    Function::new("osDir", &[Text], dir),
    Function::new("osClean", &[Text], clean),
    Function::new("osExt", &[Text], ext),
    Function::new("osIsAbs", &[Text], is_absolute),
];

fn base(arguments: &[Value]) -> Result<Value, FunctionError> {
    let path = arguments.text(0)?;
    if path.is_empty() {
        return Ok(Value::text("."));
    }
    let end = path.iter().rposition(|byte| *byte != b'/');
    let Some(end) = end else {
        return Ok(Value::text("/"));
    };
    let name = path[..=end].rsplit(|byte| *byte == b'/').next();
    Ok(Value::text(name.unwrap_or_default()))
}

fn dir(arguments: &[Value]) -> Result<Value, FunctionError> {
    let path = arguments.text(0)?;
    let end = path.iter().rposition(|byte| *byte == b'/');
    let folder = end.map_or(&path[..0], |end| &path[..=end]);
    Ok(Value::text(clean_path(folder)))
}

fn clean(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(clean_path(arguments.text(0)?)))
}

fn ext(arguments: &[Value]) -> Result<Value, FunctionError> {
    let path = arguments.text(0)?;
    let end = path.iter().rposition(|byte| matches!(byte, b'.' | b'/'));
    let point = end.filter(|end| path.get(*end) == Some(&b'.'));
    Ok(Value::text(
        point.map_or(&path[..0], |point| &path[point..]),
    ))
}

fn is_absolute(arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::Bool(arguments.text(0)?.starts_with(b"/")))
}

/// The shortest path that means the same, by its text alone.
fn clean_path(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if is_rooted => {}
            element => kept.push(element),
        }
    }
    let joined = kept.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
