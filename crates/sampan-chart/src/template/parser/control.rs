//! The control structures of the language.

use super::super::lexer::Kind;
use super::super::tree::{self, Branch, Call, Node};
use super::{Failure, Parser, Part, Stop};

/// What decides: the keyword of a control structure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Control {
    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }

    fn node(self, branch: Branch) -> Node {
        match self {
            Self::If => Node::If(Box::new(branch)),
            Self::With => Node::With(Box::new(branch)),
            Self::Range => Node::Range(Box::new(branch)),
        }
    }
}

impl Parser<'_, '_> {
    /// What stands between delimiters; the left one is passed.
    pub(super) fn action(&mut self) -> Result<Part, Failure> {
        let item = self.next_not_space();
        let node = match item.kind {
            Kind::Block => self.block()?,
            Kind::Break => {
                self.loop_control("{{break}}")?;
                Node::Break(item.position)
            }
            Kind::Continue => {
                self.loop_control("{{continue}}")?;
                Node::Continue(item.position)
            }
            Kind::Else => return self.otherwise().map(Part::Stop),
            Kind::End => {
                self.expect(Kind::RightDelimiter, "end")?;
                return Ok(Part::Stop(Stop::End));
            }
            Kind::If => self.control(Control::If)?,
            Kind::Range => self.control(Control::Range)?,
            Kind::Template => self.template()?,
            Kind::With => self.control(Control::With)?,
            _ => {
                self.back_up();
                Node::Action(self.pipeline("command", Kind::RightDelimiter)?)
            }
        };
        Ok(Part::Node(node))
    }

    fn loop_control(&mut self, name: &str) -> Result<(), Failure> {
        let item = self.next_not_space();
        if item.kind != Kind::RightDelimiter {
            return Err(self.unexpected(&item, name));
        }
        if self.range_depth == 0 {
            return Err(self.failure(format!("{name} outside {{{{range}}}}")));
        }
        Ok(())
    }

    fn otherwise(&mut self) -> Result<Stop, Failure> {
        if !matches!(self.peek_not_space().kind, Kind::If | Kind::With) {
            self.expect(Kind::RightDelimiter, "else")?;
        }
        Ok(Stop::Else)
    }

    fn control(&mut self, control: Control) -> Result<Node, Failure> {
        self.enter()?;
        let known = self.variables.len();
        let pipe = self.pipeline(control.name(), Kind::RightDelimiter)?;
        let ranges = usize::from(control == Control::Range);
        self.range_depth += ranges;
        let (list, stop) = self.item_list()?;
        self.range_depth -= ranges;
        let otherwise = match stop {
            Stop::End => None,
            Stop::Else => Some(self.else_list(control)?),
        };
        self.variables.truncate(known);
        self.leave();
        Ok(control.node(Branch {
            pipe,
            list,
            otherwise,
        }))
    }

    /// What stands behind `else`. `{{else if}}` is an `if` in the list that ends with it.
    fn else_list(&mut self, control: Control) -> Result<tree::List, Failure> {
        let kind = self.peek().kind;
        let chained = match (control, kind) {
            (Control::If, Kind::If) => Some(Control::If),
            (Control::With, Kind::With) => Some(Control::With),
            _ => None,
        };
        if let Some(chained) = chained {
            self.next();
            return Ok(Box::new([self.control(chained)?]));
        }
        match self.item_list()? {
            (list, Stop::End) => Ok(list),
            (_, stop) => Err(self.failure(format!("expected end; found {}", stop.describe()))),
        }
    }

    /// `{{block "name" pipeline}} … {{end}}`: a definition and its call.
    fn block(&mut self) -> Result<Node, Failure> {
        const CONTEXT: &str = "block clause";
        let item = self.next_not_space();
        let name = self.template_name(&item, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        self.enter()?;
        let mut block = Parser::new(self.shared);
        let (body, stop) = block.item_list()?;
        if matches!(stop, Stop::Else) {
            return Err(self.failure(format!("unexpected {} in {CONTEXT}", stop.describe())));
        }
        block.define(name.clone(), body)?;
        self.leave();
        Ok(Node::Template(Box::new(Call {
            position: item.position,
            name,
            pipe: Some(pipe),
        })))
    }

    fn template(&mut self) -> Result<Node, Failure> {
        const CONTEXT: &str = "template clause";
        let item = self.next_not_space();
        let name = self.template_name(&item, CONTEXT)?;
        let mut pipe = None;
        if self.next_not_space().kind != Kind::RightDelimiter {
            self.back_up();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?);
        }
        Ok(Node::Template(Box::new(Call {
            position: item.position,
            name,
            pipe,
        })))
    }
}
