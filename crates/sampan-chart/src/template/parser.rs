//! Builds the nodes of a template from its items (`text/template/parse/parse.go`).

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::lexer::{Item, Kind, Lexer};
use super::tree::{self, Command, Definition, List, Node, Operand, Source, Variable};
use super::unquote::unquote;
use crate::compatibility::Compatibility;
use crate::limits;
use crate::value::{Text, quote};

mod control;
mod pipeline;

/// What went wrong, and the line.
pub(super) struct Failure {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Parses a text into the templates that it defines; the one of the text itself is the last.
pub(super) fn parse(
    source: &Rc<Source>,
    compatibility: Compatibility,
) -> Result<Vec<Definition>, Failure> {
    let text = source.text.clone();
    let mut shared = Shared {
        lexer: Lexer::new(&text),
        source: Rc::clone(source),
        compatibility,
        symbols: HashMap::from([(Rc::from("$"), tree::DOLLAR)]),
        definitions: Vec::new(),
        by_name: HashMap::new(),
        depth: 0,
        open: Open::default(),
    };
    let mut parser = Parser::new(&mut shared);
    let body = parser.top()?;
    parser.define(source.name.clone(), body)?;
    let mut definitions = shared.definitions;
    if let Some(main) = shared.by_name.get(&source.name) {
        let last = definitions.len() - 1;
        definitions.swap(*main, last);
    }
    Ok(definitions)
}

/// What the templates of one text share while they are parsed.
struct Shared<'s> {
    lexer: Lexer<'s>,
    source: Rc<Source>,
    /// Whose functions there are.
    compatibility: Compatibility,
    /// The numbers of the variables' names.
    symbols: HashMap<Rc<str>, u32>,
    definitions: Vec<Definition>,
    by_name: HashMap<Text, usize>,
    /// How deep control structures are nested at the moment, over all templates.
    depth: usize,
    /// The parts of what is not complete yet, those of the innermost last: so each gets just the room that it needs.
    open: Open,
}

#[derive(Default)]
struct Open {
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
}

/// Parses one template, up to three items ahead.
struct Parser<'p, 's> {
    shared: &'p mut Shared<'s>,
    items: [Item<'s>; 3],
    /// How many of the items are still to come.
    peeked: usize,
    variables: Vec<u32>,
    /// The line on which the current action started.
    action_line: usize,
    range_depth: usize,
    /// How deep parentheses are nested at the moment.
    stack_depth: usize,
}

/// What the items up to an `end` or `else` make.
enum Stop {
    End,
    Else,
}

/// An action, or what ends a list.
enum Part {
    Node(Node),
    Stop(Stop),
}

impl Stop {
    fn describe(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

impl<'p, 's> Parser<'p, 's> {
    fn new(shared: &'p mut Shared<'s>) -> Self {
        Self {
            shared,
            items: [Item::NONE, Item::NONE, Item::NONE],
            peeked: 0,
            variables: vec![tree::DOLLAR],
            action_line: 0,
            range_depth: 0,
            stack_depth: 0,
        }
    }

    fn next(&mut self) -> Item<'s> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.items[0] = self.shared.lexer.next_item();
        }
        self.items[self.peeked].clone()
    }

    fn back_up(&mut self) {
        self.peeked += 1;
    }

    /// Gives one item back; the one behind it is there already.
    fn back_up_two(&mut self, first: Item<'s>) {
        self.items[1] = first;
        self.peeked = 2;
    }

    /// Gives two items back; the one behind them is there already.
    fn back_up_three(&mut self, first: Item<'s>, second: Item<'s>) {
        self.items[1] = second;
        self.items[2] = first;
        self.peeked = 3;
    }

    fn peek(&mut self) -> &Item<'s> {
        if self.peeked == 0 {
            self.peeked = 1;
            self.items[0] = self.shared.lexer.next_item();
        }
        &self.items[self.peeked - 1]
    }

    fn next_not_space(&mut self) -> Item<'s> {
        self.skip_space();
        self.next()
    }

    fn peek_not_space(&mut self) -> &Item<'s> {
        self.skip_space();
        self.peek()
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.peeked -= 1;
        }
    }

    fn failure(&self, text: impl Into<String>) -> Failure {
        Failure {
            line: self.items[0].line,
            text: text.into(),
        }
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Item<'s>, Failure> {
        let item = self.next_not_space();
        if item.kind == kind {
            Ok(item)
        } else {
            Err(self.unexpected(&item, context))
        }
    }

    fn unexpected(&self, item: &Item<'_>, context: &str) -> Failure {
        let described = item.describe();
        if item.kind != Kind::Error {
            return self.failure(format!("unexpected {described} in {context}"));
        }
        if self.action_line == 0 || self.action_line == item.line {
            return self.failure(described);
        }
        let name = self.shared.source.name.to_str();
        let started = if described.ends_with(" action") {
            "started at"
        } else {
            "in action started at"
        };
        self.failure(format!("{described} {started} {name}:{}", self.action_line))
    }

    /// The number of a variable's name.
    fn symbol(&mut self, name: &str) -> Variable {
        let next = u32::try_from(self.shared.symbols.len()).unwrap_or(u32::MAX);
        if let Some((name, symbol)) = self.shared.symbols.get_key_value(name) {
            return Variable {
                symbol: *symbol,
                name: Rc::clone(name),
            };
        }
        let name: Rc<str> = Rc::from(name);
        self.shared.symbols.insert(Rc::clone(&name), next);
        Variable { symbol: next, name }
    }

    /// The piece of the source that an item stands for.
    fn range(item: &Item<'_>) -> Range<usize> {
        item.position..item.position + item.text.len()
    }

    /// Counts a level of nesting in.
    fn enter(&mut self) -> Result<(), Failure> {
        if self.shared.depth >= limits::CONTROL_DEPTH {
            return Err(self.failure("actions are nested too deeply"));
        }
        self.shared.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.shared.depth -= 1;
    }

    /// The whole text: what stands outside of definitions.
    fn top(&mut self) -> Result<List, Failure> {
        let first = self.shared.open.nodes.len();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_not_space().kind == Kind::Define {
                    Parser::new(self.shared).definition()?;
                    continue;
                }
                self.back_up_two(delimiter);
            }
            match self.text_or_action()? {
                Part::Node(node) => self.shared.open.nodes.push(node),
                Part::Stop(stop) => {
                    return Err(self.failure(format!("unexpected {}", stop.describe())));
                }
            }
        }
        Ok(self.shared.open.nodes.drain(first..).collect())
    }

    /// `{{define "name"}} … {{end}}`, from the name on.
    fn definition(&mut self) -> Result<(), Failure> {
        const CONTEXT: &str = "define clause";
        let item = self.next_not_space();
        let name = self.template_name(&item, CONTEXT)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        let (body, stop) = self.item_list()?;
        if matches!(stop, Stop::Else) {
            return Err(self.failure(format!("unexpected {} in {CONTEXT}", stop.describe())));
        }
        self.define(name, body)
    }

    /// Adds a template; an empty one gives way to another of its name.
    fn define(&mut self, name: Text, body: List) -> Result<(), Failure> {
        let text = &self.shared.source.text;
        let definition = Definition {
            name: name.clone(),
            source: Rc::clone(&self.shared.source),
            body,
        };
        let Some(previous) = self.shared.by_name.get(&name).copied() else {
            let place = self.shared.definitions.len();
            self.shared.definitions.push(definition);
            self.shared.by_name.insert(name, place);
            return Ok(());
        };
        if tree::is_empty(&self.shared.definitions[previous].body, text) {
            self.shared.definitions[previous] = definition;
        } else if !tree::is_empty(&definition.body, text) {
            let name = quote::quote(&name);
            return Err(self.failure(format!("template: multiple definition of template {name}")));
        }
        Ok(())
    }

    /// Everything up to an `end` or `else`.
    fn item_list(&mut self) -> Result<(List, Stop), Failure> {
        let first = self.shared.open.nodes.len();
        while self.peek_not_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Part::Node(node) => self.shared.open.nodes.push(node),
                Part::Stop(stop) => {
                    return Ok((self.shared.open.nodes.drain(first..).collect(), stop));
                }
            }
        }
        Err(self.failure("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Result<Part, Failure> {
        let item = self.next_not_space();
        match item.kind {
            Kind::Text => Ok(Part::Node(Node::Text(Self::range(&item)))),
            Kind::LeftDelimiter => {
                self.action_line = item.line;
                let part = self.action()?;
                self.action_line = 0;
                Ok(part)
            }
            _ => Err(self.unexpected(&item, "input")),
        }
    }

    fn template_name(&mut self, item: &Item<'s>, context: &str) -> Result<Text, Failure> {
        if !matches!(item.kind, Kind::String | Kind::RawString) {
            return Err(self.unexpected(item, context));
        }
        match unquote(&item.text) {
            Some(name) => Ok(Text::from(&*name)),
            None => Err(self.failure("invalid syntax")),
        }
    }
}
