//! Expressions are carried out while they are read; parts that are not needed are read without being carried out.

use std::collections::BTreeMap;

use super::lexer::Token;
use super::regexes::Regexes;
use super::value::{self, Value};
use crate::allowance::Allowance;

/// How deep parts may stand within each other.
const LIMIT_DEPTH: usize = 50;
/// How many values may be looked at, where long texts and lists count as several.
const LIMIT_WORK: usize = 1_000_000;
/// Functions that ask something about each item of a list.
const OVER_LISTS: [&str; 5] = ["all", "any", "count", "filter", "none"];

pub(super) fn evaluate(
    tokens: &[Token],
    variables: &BTreeMap<String, String>,
    allowance: &Allowance,
) -> Result<Value, String> {
    let mut parser = Parser {
        tokens,
        variables,
        depth: 0,
        idle: 0,
        elements: Vec::new(),
        regexes: Regexes::default(),
        work: LIMIT_WORK,
        allowance,
    };
    let value = parser.conditional()?;
    match parser.tokens.first() {
        None => Ok(value),
        Some(token) => Err(format!("`{}` after the end", shown(token))),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => name.clone(),
        Token::Text(text) => text.clone(),
        Token::Number(number) => number.to_string(),
        Token::Sign(sign) => (*sign).to_owned(),
    }
}

/// Operators that bind stronger from line to line.
const LEVELS: [&[&str]; 5] = [
    &["||", "or"],
    &["&&", "and"],
    &[
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
    ],
    &["+", "-"],
    &["*", "/", "%"],
];

struct Parser<'a> {
    tokens: &'a [Token],
    variables: &'a BTreeMap<String, String>,
    depth: usize,
    /// How many parts around this one are not needed.
    idle: usize,
    /// What `#` stands for, innermost last.
    elements: Vec<Value>,
    regexes: Regexes,
    /// How many values may still be looked at here.
    work: usize,
    allowance: &'a Allowance,
}

impl<'a> Parser<'a> {
    fn conditional(&mut self) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > LIMIT_DEPTH {
            return Err(format!("more than {LIMIT_DEPTH} levels"));
        }
        let mut value = self.level(0)?;
        if self.skip("??") {
            let needed = value == Value::Nil;
            let otherwise = self.only_if(needed, Self::conditional)?;
            if needed {
                value = otherwise;
            }
        }
        if self.skip("?") {
            let holds = self.idle > 0 || value.truth()?;
            let yes = self.only_if(holds, Self::conditional)?;
            if !self.skip(":") {
                return Err("no `:` after `?`".to_owned());
            }
            let no = self.only_if(!holds, Self::conditional)?;
            value = if holds { yes } else { no };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn level(&mut self, level: usize) -> Result<Value, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        while let Some((negated, operator)) = self.operator(operators) {
            left = match operator {
                "||" | "or" => {
                    let known = self.idle == 0 && left.truth()?;
                    let right = self.only_if(!known, |parser| parser.level(level + 1))?;
                    self.unless_idle(|_| Ok(Value::Bool(known || right.truth()?)))?
                }
                "&&" | "and" => {
                    let open = self.idle > 0 || left.truth()?;
                    let right = self.only_if(open, |parser| parser.level(level + 1))?;
                    self.unless_idle(|_| Ok(Value::Bool(open && right.truth()?)))?
                }
                operator => {
                    let right = self.level(level + 1)?;
                    self.unless_idle(|parser| {
                        let value = parser.operate(operator, &left, &right)?;
                        Ok(if negated {
                            Value::Bool(!value.truth()?)
                        } else {
                            value
                        })
                    })?
                }
            };
        }
        Ok(left)
    }

    /// The next operator when it is one of these, and whether `not` stands before it.
    fn operator<'b>(&mut self, operators: &[&'b str]) -> Option<(bool, &'b str)> {
        let negated = matches!(self.tokens, [Token::Name(not), Token::Name(_), ..] if not == "not");
        let word = match self.tokens.get(usize::from(negated))? {
            Token::Name(name) => name.as_str(),
            Token::Sign(sign) => sign,
            _ => return None,
        };
        let found = operators.iter().find(|operator| **operator == word)?;
        self.tokens = &self.tokens[1 + usize::from(negated)..];
        Some((negated, found))
    }

    fn unary(&mut self) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > LIMIT_DEPTH {
            return Err(format!("more than {LIMIT_DEPTH} levels"));
        }
        let value = if self.skip("!") || self.skip_word("not") {
            let value = self.unary()?;
            self.unless_idle(|_| Ok(Value::Bool(!value.truth()?)))?
        } else if self.skip("-") {
            let value = self.unary()?;
            self.unless_idle(|_| value::operate("-", &Value::Number(0.0), &value))?
        } else {
            self.postfix()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn postfix(&mut self) -> Result<Value, String> {
        let mut value = self.primary()?;
        loop {
            if self.skip("[") {
                let position = self.conditional()?;
                self.close("]")?;
                value = self.unless_idle(|_| value::item(&value, &position))?;
            } else if self.skip(".") {
                // Variables are texts and have no members.
                let Some(Token::Name(name)) = self.next() else {
                    return Err("nothing after `.`".to_owned());
                };
                let name = name.clone();
                value = self.unless_idle(|_| {
                    Err(format!("the member `{name}`, which is not supported,"))
                })?;
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<Value, String> {
        self.spend(1)?;
        let value = self.value()?;
        self.spend(value.weight())?;
        Ok(value)
    }

    fn value(&mut self) -> Result<Value, String> {
        let Some(token) = self.next() else {
            return Err("nothing where a value must stand".to_owned());
        };
        match token {
            Token::Text(text) => Ok(Value::Text(text.clone())),
            Token::Number(number) => Ok(Value::Number(*number)),
            Token::Sign("(") => {
                let value = self.conditional()?;
                self.close(")")?;
                Ok(value)
            }
            Token::Sign("[") => Ok(Value::List(self.list("]")?)),
            Token::Sign("#") => match self.elements.last() {
                Some(element) => Ok(element.clone()),
                None => Err("`#` outside of a question about items".to_owned()),
            },
            Token::Sign(sign) => Err(format!("`{sign}` where a value must stand")),
            Token::Name(name) => match name.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                "nil" => Ok(Value::Nil),
                "$env" => Ok(Value::Variables(self.variables.clone())),
                name if OVER_LISTS.contains(&name) && self.skip("(") => self.over_list(name),
                name if self.skip("(") => {
                    let name = name.to_owned();
                    let arguments = self.list(")")?;
                    self.unless_idle(|_| value::call(&name, &arguments))
                }
                name => Ok(self
                    .variables
                    .get(name)
                    .map_or(Value::Nil, |value| Value::Text(value.clone()))),
            },
        }
    }

    /// `any(LIST, {…})` and the like, after the bracket.
    fn over_list(&mut self, name: &str) -> Result<Value, String> {
        let list = self.conditional()?;
        if !self.skip(",") {
            return Err(format!("no `,` in `{name}`"));
        }
        let braces = self.skip("{");
        let question = self.tokens;
        // Read once even when there is nothing to ask about, to know where it ends.
        self.elements.push(Value::Nil);
        self.only_if(false, Self::conditional)?;
        let rest = self.tokens;
        let mut taken = Vec::new();
        let items = match list {
            // What is not needed is not asked about; its values are not known.
            _ if self.idle > 0 => Vec::new(),
            Value::List(items) => items,
            other => return Err(format!("{} in `{name}`", other.type_name())),
        };
        let count = items.len();
        for item in items {
            self.tokens = question;
            self.elements.pop();
            self.elements.push(item.clone());
            if self.conditional()?.truth()? {
                taken.push(item);
            }
        }
        self.elements.pop();
        self.tokens = rest;
        if braces {
            self.close("}")?;
        }
        self.close(")")?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "lists are far shorter than where numbers lose precision"
        )]
        Ok(match name {
            "all" => Value::Bool(taken.len() == count),
            "any" => Value::Bool(!taken.is_empty()),
            "none" => Value::Bool(taken.is_empty()),
            "count" => Value::Number(taken.len() as f64),
            _ => Value::List(taken),
        })
    }

    fn list(&mut self, end: &str) -> Result<Vec<Value>, String> {
        let mut items = Vec::new();
        while !self.skip(end) {
            if !items.is_empty() && !self.skip(",") {
                return Err(format!("no closing `{end}`"));
            }
            items.push(self.conditional()?);
        }
        Ok(items)
    }

    fn operate(&mut self, operator: &str, left: &Value, right: &Value) -> Result<Value, String> {
        if operator == "matches" && *left != Value::Nil && *right != Value::Nil {
            let mut regexes = std::mem::take(&mut self.regexes);
            let spend = &mut |work| self.spend(work);
            let matches = regexes.matches(left.text()?, right.text()?, spend)?;
            self.regexes = regexes;
            return Ok(Value::Bool(matches));
        }
        let value = value::operate(operator, left, right)?;
        self.spend(value.weight())?;
        Ok(value)
    }

    /// Accounts for work, so that neither one expression nor all of them together can go on for long.
    fn spend(&mut self, work: usize) -> Result<(), String> {
        self.work = self.work.saturating_sub(work);
        if self.work > 0 && self.allowance.spend(work) {
            return Ok(());
        }
        Err("too much work".to_owned())
    }

    fn only_if(
        &mut self,
        needed: bool,
        part: impl FnOnce(&mut Self) -> Result<Value, String>,
    ) -> Result<Value, String> {
        self.idle += usize::from(!needed);
        let value = part(self)?;
        self.idle -= usize::from(!needed);
        Ok(value)
    }

    fn unless_idle(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<Value, String>,
    ) -> Result<Value, String> {
        if self.idle > 0 {
            Ok(Value::Nil)
        } else {
            part(self)
        }
    }

    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn skip(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Sign(next)) if *next == sign);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Name(next)) if next == word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn close(&mut self, sign: &str) -> Result<(), String> {
        if self.skip(sign) {
            Ok(())
        } else {
            Err(format!("no closing `{sign}`"))
        }
    }
}
