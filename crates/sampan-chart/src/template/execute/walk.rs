//! Walks the nodes of a template with a stack of frames.

use std::rc::Rc;

use super::super::error::Error;
use super::super::set::Templates;
use super::super::tree::{self, Branch, Call, Definition, Node, Pipe, Place};
use super::account::Refusal;
use super::range::{self, Loop};
use super::{Executor, NO_VALUE};
use crate::functions::FunctionError;
use crate::limits;
use crate::value::{Reflected, Value, print, quote};

/// For so much of what a template prints there is room at first.
const FIRST_BYTES: usize = 256;

/// A template being carried out, and the templates that it called.
pub(super) struct State<'t, 'e, 's> {
    pub(super) executor: &'e mut Executor<'s>,
    templates: &'t Templates,
    definition: &'t Definition,
    /// The node that errors speak of.
    place: Option<Place<'t>>,
    pub(super) variables: Vec<(u32, Reflected)>,
    frames: Vec<Frame<'t>>,
    /// How deep templates called one another.
    depth: usize,
    pub(super) out: Vec<u8>,
}

/// What is to be gone on with.
enum Frame<'t> {
    /// The nodes that are left of a list.
    List(std::slice::Iter<'t, Node>, Reflected),
    /// The end of a control structure: its variables go.
    Scope(usize),
    Loop(Box<Loop<'t>>),
    /// The end of a template: its caller goes on.
    Caller(Box<Caller<'t>>),
}

struct Caller<'t> {
    definition: &'t Definition,
    place: Option<Place<'t>>,
    variables: Vec<(u32, Reflected)>,
}

impl<'t, 'e, 's> State<'t, 'e, 's> {
    pub(super) fn new(
        executor: &'e mut Executor<'s>,
        templates: &'t Templates,
        definition: &'t Definition,
    ) -> Self {
        Self {
            executor,
            templates,
            definition,
            place: None,
            variables: Vec::new(),
            frames: Vec::new(),
            depth: 0,
            out: Vec::with_capacity(FIRST_BYTES),
        }
    }

    /// Carries the template out; what it prints.
    pub(super) fn execute(mut self, dot: Reflected) -> Result<Vec<u8>, Error> {
        self.variables.push((tree::DOLLAR, dot.clone()));
        self.push_list(&self.definition.body, dot);
        while let Some(frame) = self.frames.last_mut() {
            match frame {
                Frame::List(nodes, dot) => match nodes.next() {
                    Some(Node::Text(range)) => {
                        let text = &self.definition.source.text[range.clone()];
                        self.out.extend_from_slice(text);
                    }
                    Some(node) => {
                        let dot = dot.clone();
                        self.node(node, dot)?;
                    }
                    None => {
                        self.frames.pop();
                    }
                },
                Frame::Scope(mark) => {
                    let mark = *mark;
                    self.frames.pop();
                    self.variables.truncate(mark);
                }
                Frame::Loop(_) => self.pass()?,
                Frame::Caller(_) => self.finish_template(),
            }
        }
        Ok(self.out)
    }

    fn push_list(&mut self, list: &'t [Node], dot: Reflected) {
        self.frames.push(Frame::List(list.iter(), dot));
    }

    /// Notes the node that errors are to speak of.
    pub(super) fn at(&mut self, place: Place<'t>) {
        self.place = Some(place);
    }

    /// How Go prints a node of this template.
    pub(super) fn written(&self, place: Place<'t>) -> String {
        place.print(&self.definition.source.text)
    }

    /// An error at the current node.
    pub(super) fn error(&self, text: impl Into<String>) -> Error {
        self.failure(text.into(), None)
    }

    /// The failure of a function, at the current node.
    pub(super) fn function_error(&self, name: &str, cause: FunctionError) -> Error {
        self.failure(format!("error calling {name}: "), Some(cause))
    }

    fn failure(&self, text: String, cause: Option<FunctionError>) -> Error {
        let source = &self.definition.source;
        let position = self.place.map_or(0, Place::position).min(source.text.len());
        let before = &source.text[..position];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let column = position - start.map_or(0, |start| start + 1);
        Error::Execute {
            location: format!("{}:{line}:{column}", source.name),
            template: quote::quote(&self.definition.name),
            expression: self
                .place
                .map_or_else(String::new, |place| self.written(place)),
            text,
            cause: cause.map(Box::new),
        }
    }

    /// Counts a step of work.
    pub(super) fn step(&mut self) -> Result<(), Error> {
        let counted = self.executor.account.step(self.out.len());
        self.bounded(counted)
    }

    /// Ends the rendering where it reached a bound.
    pub(super) fn bounded(&self, counted: Result<(), Refusal>) -> Result<(), Error> {
        counted.map_err(|text| self.error(text))
    }

    fn node(&mut self, node: &'t Node, dot: Reflected) -> Result<(), Error> {
        self.at(Place::Node(node));
        self.step()?;
        match node {
            Node::Text(_) => Ok(()),
            Node::Action(pipe) => {
                let value = self.pipeline(&dot, pipe)?;
                if !pipe.declared.is_empty() {
                    return Ok(());
                }
                self.at(Place::Node(node));
                self.print(&value.value)
            }
            Node::If(branch) => self.branch(branch, dot, false),
            Node::With(branch) => self.branch(branch, dot, true),
            Node::Range(branch) => self.range(branch, dot),
            Node::Template(call) => self.template(call, &dot),
            Node::Break(_) => {
                if let Some(finished) = self.unwind() {
                    self.frames.pop();
                    self.variables.truncate(finished);
                }
                Ok(())
            }
            Node::Continue(_) => {
                self.unwind();
                Ok(())
            }
        }
    }

    fn print(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Nil => self.out.extend_from_slice(NO_VALUE),
            Value::Text(text) => self.out.extend_from_slice(text),
            Value::Object(object) => self.out.extend_from_slice(&object.print_in_place()),
            other => match print::display(other) {
                Ok(text) => self.out.extend_from_slice(&text),
                Err(error) => return Err(self.error(error.to_string())),
            },
        }
        Ok(())
    }

    fn branch(&mut self, branch: &'t Branch, dot: Reflected, with: bool) -> Result<(), Error> {
        let mark = self.variables.len();
        let value = self.pipeline(&dot, &branch.pipe)?;
        self.frames.push(Frame::Scope(mark));
        if value.value.is_true() {
            self.push_list(&branch.list, if with { value } else { dot });
        } else if let Some(otherwise) = &branch.otherwise {
            self.push_list(otherwise, dot);
        }
        Ok(())
    }

    fn range(&mut self, branch: &'t Branch, dot: Reflected) -> Result<(), Error> {
        let outer = self.variables.len();
        let value = self.pipeline(&dot, &branch.pipe)?;
        let items = match range::items(&value.value, branch.pipe.declared.len()) {
            Ok(items) => items,
            Err(text) => return Err(self.error(text)),
        };
        if let Some(items) = items {
            self.frames.push(Frame::Loop(Box::new(Loop {
                branch,
                items,
                outer,
                mark: self.variables.len(),
            })));
        } else {
            self.frames.push(Frame::Scope(outer));
            if let Some(otherwise) = &branch.otherwise {
                self.push_list(otherwise, dot);
            }
        }
        Ok(())
    }

    /// One pass of the loop on top of the stack, or its end.
    fn pass(&mut self) -> Result<(), Error> {
        let Some(Frame::Loop(state)) = self.frames.last_mut() else {
            return Ok(());
        };
        let (outer, mark) = (state.outer, state.mark);
        let branch = state.branch;
        let Some((index, item)) = state.items.next() else {
            self.frames.pop();
            self.variables.truncate(outer);
            return Ok(());
        };
        self.variables.truncate(mark);
        self.step()?;
        self.set_loop_variables(&branch.pipe, index, &item)?;
        self.push_list(&branch.list, item);
        Ok(())
    }

    fn set_loop_variables(
        &mut self,
        pipe: &'t Pipe,
        index: Reflected,
        item: &Reflected,
    ) -> Result<(), Error> {
        let top = self.variables.len();
        match &*pipe.declared {
            [] => {}
            [first] if pipe.assigns => self.set_variable(first, item.clone())?,
            [first, second, ..] if pipe.assigns => {
                self.set_variable(first, index)?;
                self.set_variable(second, item.clone())?;
            }
            [_] => self.variables[top - 1].1 = item.clone(),
            [_, _, ..] => {
                self.variables[top - 1].1 = item.clone();
                self.variables[top - 2].1 = index;
            }
        }
        Ok(())
    }

    /// Leaves everything that stands above the innermost loop; how many variables there were before it.
    fn unwind(&mut self) -> Option<usize> {
        loop {
            match self.frames.last()? {
                Frame::Loop(state) => return Some(state.outer),
                _ => self.frames.pop(),
            };
        }
    }

    fn template(&mut self, call: &'t Call, dot: &Reflected) -> Result<(), Error> {
        let Some(definition) = self.templates.get(&call.name) else {
            let name = quote::quote(&call.name);
            return Err(self.error(format!("template {name} not defined")));
        };
        let definition: &'t Rc<Definition> = definition;
        if self.depth == limits::TEMPLATE_DEPTH {
            return Err(self.error(format!(
                "exceeded maximum template depth ({})",
                limits::TEMPLATE_DEPTH
            )));
        }
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Reflected::INVALID,
        };
        self.depth += 1;
        let variables = vec![(tree::DOLLAR, dot.clone())];
        let caller = Caller {
            definition: self.definition,
            place: self.place,
            variables: std::mem::replace(&mut self.variables, variables),
        };
        self.definition = definition;
        self.frames.push(Frame::Caller(Box::new(caller)));
        self.push_list(&definition.body, dot);
        Ok(())
    }

    fn finish_template(&mut self) {
        if let Some(Frame::Caller(caller)) = self.frames.pop() {
            self.definition = caller.definition;
            self.place = caller.place;
            self.variables = caller.variables;
            self.depth -= 1;
        }
    }
}
