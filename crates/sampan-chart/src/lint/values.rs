//! Checks of `values.yaml`.

use super::{Linter, Severity};
use crate::render::on_large_stack;
use crate::schema;
use crate::values::{Table, merged, to_dict};

const FILE: &str = "values.yaml";

impl Linter<'_> {
    pub(super) fn values(&mut self, given: &Table) {
        let Some(content) = self.file(FILE) else {
            self.tell(Severity::Info, FILE, "file does not exist");
            return;
        };
        let own = match self.table(&content) {
            Ok(own) => own,
            Err(problem) => {
                let text = format!("unable to parse YAML: {problem}");
                self.tell(Severity::Error, FILE, text);
                return;
            }
        };
        let schema = self.file("values.schema.json").unwrap_or_default();
        if schema.is_empty() {
            return;
        }
        let compatibility = self.options.compatibility;
        let values = merged(own, given.clone());
        let checked =
            on_large_stack(|| schema::check_one(&schema, &to_dict(&values), compatibility));
        let checked = checked.unwrap_or_else(|error| Err(error.to_string()));
        self.rule(Severity::Error, FILE, checked);
    }
}
