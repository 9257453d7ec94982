//! Who asks the API, and what they may do.
//!
//! Who carries the administrator's token may do everything. Everybody else is a service account, known by its token, and
//! may do what roles and their bindings say. Both are read when a request comes: nothing is kept that could be out of date.

mod bootstrap;
mod rights;
mod rules;
mod user;

pub(crate) use bootstrap::load;
pub(crate) use rights::{Rights, everything, rules_of_role};
pub(crate) use rules::{Action, covers};
pub(crate) use user::{Bearer, User};
