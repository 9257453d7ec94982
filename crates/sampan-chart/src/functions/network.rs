//! Sprig's network: none. Helm resolves no names unless it is told to, and rendering must not depend on where it runs.

use super::{Function, FunctionError, Parameter};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "getHostByName",
    &[Parameter::Text],
    host_by_name,
)];

#[expect(clippy::unnecessary_wraps, reason = "all functions have one face")]
fn host_by_name(_arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::text(""))
}
