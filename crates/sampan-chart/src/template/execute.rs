//! Carries templates out (`text/template/exec.go`).

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::error::Error;
use super::set::Templates;
use super::tree::Definition;
use crate::compatibility::Compatibility;
use crate::functions::FunctionError;
use crate::limits;
use crate::value::{Reflected, Text, Value, quote};
use crate::values::Table;

mod account;
mod call;
mod field;
mod pipeline;
mod range;
mod walk;

use account::Account;
use walk::State;

/// What a missing key of a map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// The zero value of the map's type: nothing, or an empty text.
    #[default]
    Zero,
    /// An error.
    Error,
}

/// What templates are carried out by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose answers are given.
    pub compatibility: Compatibility,
    /// What a missing key of a map is.
    pub missing_key: MissingKey,
    /// Whether `required` and `fail` let things pass, because values are missing that an installation will have.
    pub lint: bool,
    /// Where `lookup` looks things up; without a cluster it finds nothing.
    pub cluster: Option<Arc<dyn Cluster>>,
    /// How long all that is carried out together may take.
    pub time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            compatibility: Compatibility::default(),
            missing_key: MissingKey::default(),
            lint: false,
            cluster: None,
            time: limits::TIME,
        }
    }
}

/// A cluster that templates can look into.
pub trait Cluster: std::fmt::Debug + Send + Sync {
    /// A resource, or the list of all where the name is empty. What is not there is an empty table.
    ///
    /// # Errors
    /// Why it cannot be looked up, for the error of the template.
    fn lookup(&self, wanted: &Wanted<'_>) -> Result<Table, String>;
}

/// What a template looks up.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Such as `apps/v1`.
    pub api_version: &'a str,
    /// Such as `Deployment`.
    pub kind: &'a str,
    /// The namespace; empty for all of them, and for what is in none.
    pub namespace: &'a str,
    /// The name; empty for a list.
    pub name: &'a str,
}

/// Carries out templates of one set. Its bounds hold for all that it carries out together.
pub struct Executor<'s> {
    settings: &'s Settings,
    templates: Rc<Templates>,
    /// How often each template is being included at the moment.
    included: HashMap<Text, u32>,
    depth: usize,
    account: Account,
}

/// The name of the set that all templates of charts are in; `tpl` gives it to its texts.
const ROOT: &str = "gotpl";

impl<'s> Executor<'s> {
    /// Whose answers are given.
    pub(crate) fn compatibility(&self) -> Compatibility {
        self.settings.compatibility
    }

    /// An executor of templates that call one another.
    #[must_use]
    pub fn new(templates: Rc<Templates>, settings: &'s Settings) -> Self {
        Self {
            settings,
            templates,
            included: HashMap::new(),
            depth: 0,
            account: Account::open(settings.time),
        }
    }

    /// What templates are carried out by.
    #[must_use]
    pub fn settings(&self) -> &'s Settings {
        self.settings
    }

    /// Carries out a template of the set on data.
    ///
    /// # Errors
    /// Fails as Go's `ExecuteTemplate` does, and when a bound is reached.
    pub fn execute(&mut self, name: &[u8], data: Value) -> Result<Vec<u8>, Error> {
        let templates = Rc::clone(&self.templates);
        match templates.get(name) {
            Some(definition) => self.run(&templates, definition, data),
            None => Err(Error::Missing {
                name: quote::quote(name),
            }),
        }
    }

    /// Helm's `include`: what a template of the set prints.
    ///
    /// # Errors
    /// Fails when the template does, and when it is included within itself too often.
    pub fn include(&mut self, name: &Text, data: Value) -> Result<Text, FunctionError> {
        self.check_depth()?;
        let count = self.included.entry(name.clone()).or_insert(0);
        if *count > limits::INCLUDES_OF_ONE {
            return Err(FunctionError::new(format!(
                "rendering template has a nested reference name: {name}: unable to execute template"
            )));
        }
        *count += 1;
        let result = self.execute(name, data);
        if let Some(count) = self.included.get_mut(name) {
            *count -= 1;
        }
        match result {
            Ok(text) => Ok(text.into()),
            Err(error) => Err(FunctionError::because("", error)),
        }
    }

    /// Helm's `tpl`: what a text prints when it is taken for a template among those of the set.
    ///
    /// # Errors
    /// Fails when the text is no template or the template fails.
    pub fn tpl(&mut self, text: &Text, data: Value) -> Result<Text, FunctionError> {
        self.check_depth()?;
        if memchr::memmem::find(text, b"{{").is_none() {
            // Values that could be templates, but are none, are the usual case.
            return Ok(erase_no_value(text.to_vec()).into());
        }
        let mut templates = Templates::within(Rc::clone(&self.templates));
        let definition = templates.parse(ROOT, text.clone()).map_err(|error| {
            let text = quote::quote(text);
            FunctionError::because(format!("cannot parse template {text}: "), error)
        })?;
        let templates = Rc::new(templates);
        let outer = std::mem::replace(&mut self.templates, Rc::clone(&templates));
        let result = self.run(&templates, &definition, data);
        self.templates = outer;
        match result {
            Ok(printed) => Ok(erase_no_value(printed).into()),
            Err(error) => {
                let text = quote::quote(text);
                let text = format!("error during tpl function execution for {text}: ");
                Err(FunctionError::because(text, error))
            }
        }
    }

    fn check_depth(&self) -> Result<(), FunctionError> {
        if self.depth > limits::INCLUDE_DEPTH {
            return Err(FunctionError::new(
                "templates include one another too deeply",
            ));
        }
        Ok(())
    }

    fn run(
        &mut self,
        templates: &Templates,
        definition: &Definition,
        data: Value,
    ) -> Result<Vec<u8>, Error> {
        self.depth += 1;
        let result = State::new(self, templates, definition).execute(Reflected::plain(data));
        self.depth -= 1;
        result
    }
}

/// What Go prints for a missing value; Helm takes it out of all that is printed, wherever it comes from.
const NO_VALUE: &[u8] = b"<no value>";

/// The text without any `<no value>`.
#[must_use]
pub fn erase_no_value(text: Vec<u8>) -> Vec<u8> {
    let mut kept: Option<Vec<u8>> = None;
    let mut start = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'<', &text[from..]) {
        let found = from + found;
        from = found + 1;
        if text[found..].starts_with(NO_VALUE) {
            let kept = kept.get_or_insert_with(|| Vec::with_capacity(text.len()));
            kept.extend_from_slice(&text[start..found]);
            start = found + NO_VALUE.len();
            from = start;
        }
    }
    match kept {
        None => text,
        Some(mut kept) => {
            kept.extend_from_slice(&text[start..]);
            kept
        }
    }
}
