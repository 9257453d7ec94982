//! Templates by name.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::Error;
use super::parser;
use super::tree::{self, Definition, Source};
use crate::compatibility::Compatibility;
use crate::value::Text;

/// The templates that can call one another.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    own: HashMap<Text, Rc<Definition>>,
    /// Templates that are there unless an own one has the name.
    outer: Option<Rc<Self>>,
    /// Whose functions they can call.
    compatibility: Compatibility,
}

impl Templates {
    /// No templates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No templates, that will call the functions of this version of Helm.
    #[must_use]
    pub fn of(compatibility: Compatibility) -> Self {
        Self {
            compatibility,
            ..Self::default()
        }
    }

    /// Templates that shadow others without changing them.
    pub(super) fn within(outer: Rc<Self>) -> Self {
        Self {
            own: HashMap::new(),
            compatibility: outer.compatibility,
            outer: Some(outer),
        }
    }

    /// Parses a text and adds it under its name, with the templates that it defines. What was there under a name is
    /// replaced, but not by an empty template.
    ///
    /// # Errors
    /// Fails when the text is no template.
    pub fn add(&mut self, name: &str, text: impl Into<Text>) -> Result<(), Error> {
        self.parse(name, text.into()).map(drop)
    }

    /// The same; gives the template of the text itself, even if it is an empty one that was not added.
    pub(super) fn parse(&mut self, name: &str, text: Text) -> Result<Rc<Definition>, Error> {
        let name = Text::from(name);
        let source = Rc::new(Source { name, text });
        let definitions =
            parser::parse(&source, self.compatibility).map_err(|failure| Error::Parse {
                name: source.name.to_string(),
                line: failure.line,
                text: failure.text,
            })?;
        let mut main = None;
        for definition in definitions {
            let definition = Rc::new(definition);
            let empty = tree::is_empty(&definition.body, &source.text);
            if !empty || self.get(&definition.name).is_none() {
                let name = definition.name.clone();
                self.own.insert(name, Rc::clone(&definition));
            }
            main = Some(definition);
        }
        Ok(main.unwrap_or_else(|| {
            Rc::new(Definition {
                name: source.name.clone(),
                source,
                body: Box::new([]),
            })
        }))
    }

    /// The template of a name.
    pub(super) fn get(&self, name: &[u8]) -> Option<&Rc<Definition>> {
        let mut set = self;
        loop {
            if let Some(definition) = set.own.get(name) {
                return Some(definition);
            }
            set = set.outer.as_ref()?;
        }
    }
}
