//! Values as Go's `fmt` prints them: `print`, `println`, `%v` and the other verbs.

use super::format::{Bits, Formatter};
use super::{Integer, IntegerType, List, ListType, MAX_DEPTH, Object, Text, Value};
use crate::functions::FunctionError;
use crate::limits;

/// All values, with blanks between those of which neither is a text.
///
/// # Errors
/// Fails on values that are nested too deeply or too large.
pub fn print(values: &[Value]) -> Result<Text, FunctionError> {
    let mut printer = Printer::default();
    let mut previous_is_text = true;
    for value in values {
        let is_text = matches!(value, Value::Text(_));
        if !is_text && !previous_is_text {
            printer.format.push(" ");
        }
        printer.argument(value, 'v');
        previous_is_text = is_text;
    }
    printer.finish()
}

/// All values, with blanks between them and a line break at the end.
///
/// # Errors
/// Fails on values that are nested too deeply or too large.
pub fn println(values: &[Value]) -> Result<Text, FunctionError> {
    let mut printer = Printer::default();
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            printer.format.push(" ");
        }
        printer.argument(value, 'v');
    }
    printer.format.push("\n");
    printer.finish()
}

/// One value, as `%v` prints it.
///
/// # Errors
/// Fails on a value that is nested too deeply or too large.
pub fn display(value: &Value) -> Result<Text, FunctionError> {
    if let Value::Text(text) = value {
        return Ok(text.clone());
    }
    print(std::slice::from_ref(value))
}

/// One value, as `%v` prints it, for a message: nothing when it is too large for one.
#[must_use]
pub fn plain(value: &Value) -> String {
    display(value)
        .map(|text| text.to_string())
        .unwrap_or_default()
}

/// Prints values with the flags of a verb.
#[derive(Default)]
pub(super) struct Printer {
    pub(super) format: Formatter,
    depth: usize,
    /// A wrong verb is being complained about: the methods of values are left alone.
    complaining: bool,
    refused: bool,
}

impl Printer {
    pub(super) fn finish(self) -> Result<Text, FunctionError> {
        if self.refused {
            return Err(FunctionError::new(
                "the value is too large or nested too deeply to be printed",
            ));
        }
        Ok(self.format.out.into())
    }

    /// An argument of `print` or `printf`.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.format.pad(b"<nil>"),
            (_, 'T') => self.format.string(value.type_name().as_bytes()),
            (_, 'p') => self.pointer(value),
            _ => self.value(value, verb, "[]byte"),
        }
    }

    /// A value at any depth; `bytes` is what a list of bytes is called here.
    fn value(&mut self, value: &Value, verb: char, bytes: &str) {
        if self.depth >= MAX_DEPTH || self.format.out.len() > limits::TEXT_BYTES {
            self.refused = true;
            return;
        }
        match value {
            Value::Nil if self.depth == 0 => self.bad_verb(value, verb),
            Value::Nil if self.format.flags.sharp_v => self.format.push("interface {}(nil)"),
            Value::Nil => self.format.push("<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.format.boolean(*truth),
                _ => self.bad_verb(value, verb),
            },
            Value::Integer(integer) => self.integer(value, *integer, verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Complex(real, imaginary) => self.complex(value, *real, *imaginary, verb),
            Value::Text(text) => self.text(value, text, verb),
            Value::List(list) => self.list(list, verb, bytes),
            Value::Dict(dict) => {
                let entries: Vec<_> = dict
                    .entries()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                self.dict(dict.dict_type().name(), &entries, verb);
            }
            Value::Object(object) => self.object(value, &**object, verb),
        }
    }

    fn integer(&mut self, value: &Value, integer: Integer, verb: char) {
        let methods = !self.complaining && !self.format.flags.sharp_v && "vsxXq".contains(verb);
        if let Some(name) = super::named::print(integer).filter(|_| methods) {
            self.text(value, name.as_bytes(), verb);
            return;
        }
        let signed = !matches!(
            integer.of,
            IntegerType::Uint8 | IntegerType::Uint32 | IntegerType::Uint64
        );
        let bits = if signed {
            i64::try_from(integer.value).unwrap_or(0).cast_unsigned()
        } else {
            u64::try_from(integer.value).unwrap_or(0)
        };
        let number = Bits { bits, signed };
        match verb {
            'v' if self.format.flags.sharp_v && !signed => self.hexadecimal(number),
            'v' | 'd' => self.format.integer(number, 10, verb),
            'b' => self.format.integer(number, 2, verb),
            'o' | 'O' => self.format.integer(number, 8, verb),
            'x' | 'X' => self.format.integer(number, 16, verb),
            'c' => self.format.character(bits),
            'q' => self.format.quoted_character(bits),
            'U' => self.format.code_point(bits),
            _ => self.bad_verb(value, verb),
        }
    }

    fn hexadecimal(&mut self, number: Bits) {
        let sharp = std::mem::replace(&mut self.format.flags.sharp, true);
        self.format.integer(number, 16, 'v');
        self.format.flags.sharp = sharp;
    }

    fn float(&mut self, value: &Value, number: f64, verb: char) {
        match verb {
            'v' => self.format.float(number, b'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.format.float(number, letter(verb), None),
            'f' | 'e' | 'E' => self.format.float(number, letter(verb), Some(6)),
            'F' => self.format.float(number, b'f', Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !"vbgGxXfFeE".contains(verb) {
            self.bad_verb(value, verb);
            return;
        }
        self.format.push("(");
        self.float(value, real, verb);
        let plus = std::mem::replace(&mut self.format.flags.plus, true);
        self.float(value, imaginary, verb);
        self.format.flags.plus = plus;
        self.format.push("i)");
    }

    fn text(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.format.flags.sharp_v => self.format.quoted(text),
            'v' | 's' => self.format.string(text),
            'x' | 'X' => self.format.hexadecimal_bytes(text, verb == 'X'),
            'q' => self.format.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn list(&mut self, list: &List, verb: char, bytes: &str) {
        if list.list_type() == ListType::Byte && "sqxX".contains(verb) {
            let text: Vec<u8> = list.items().iter().map(byte).collect();
            match verb {
                's' => self.format.string(&text),
                'q' => self.format.quoted(&text),
                _ => self.format.hexadecimal_bytes(&text, verb == 'X'),
            }
            return;
        }
        let sharp = self.format.flags.sharp_v;
        if sharp {
            let name = match list.list_type() {
                ListType::Byte => bytes,
                other => other.name(),
            };
            self.format.push(name);
        }
        self.format.push(if sharp { "{" } else { "[" });
        self.depth += 1;
        for (position, item) in list.items().iter().enumerate() {
            self.separate(position);
            self.value(item, verb, "[]uint8");
            if self.refused {
                break;
            }
        }
        self.depth -= 1;
        self.format.push(if sharp { "}" } else { "]" });
    }

    fn dict(&mut self, name: &str, entries: &[(Text, Value)], verb: char) {
        let sharp = self.format.flags.sharp_v;
        if sharp {
            self.format.push(name);
        }
        self.format.push(if sharp { "{" } else { "map[" });
        self.depth += 1;
        for (position, (key, value)) in entries.iter().enumerate() {
            self.separate(position);
            self.value(&Value::Text(key.clone()), verb, "[]uint8");
            self.format.push(":");
            self.value(value, verb, "[]uint8");
            if self.refused {
                break;
            }
        }
        self.depth -= 1;
        self.format.push(if sharp { "}" } else { "]" });
    }

    fn separate(&mut self, position: usize) {
        if position > 0 {
            let sharp = self.format.flags.sharp_v;
            self.format.push(if sharp { ", " } else { " " });
        }
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) {
        match verb {
            'v' | 's' | 'x' | 'X' | 'q' => self.text(value, &object.print(), verb),
            _ => self.bad_verb(value, verb),
        }
    }

    /// `%p`: Go prints an address, which is a different one in every run.
    fn pointer(&mut self, value: &Value) {
        match value {
            Value::List(_) | Value::Dict(_) => self.hexadecimal(Bits {
                bits: 0xc0_0000_0000,
                signed: false,
            }),
            _ => self.bad_verb(value, 'p'),
        }
    }

    /// `%!d(string=x)`: what stands for a value that the verb cannot print.
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.format.push("%!");
        self.format.push_char(verb);
        self.format.push("(");
        if matches!(value, Value::Nil) {
            self.format.push("<nil>");
        } else {
            let before = std::mem::replace(&mut self.complaining, true);
            self.format.push(value.type_name());
            self.format.push("=");
            self.value(value, 'v', "[]byte");
            self.complaining = before;
        }
        self.format.push(")");
    }
}

fn letter(verb: char) -> u8 {
    u8::try_from(verb).unwrap_or(b'g')
}

/// The byte of an item of a list of bytes.
fn byte(value: &Value) -> u8 {
    match value {
        Value::Integer(integer) => u8::try_from(integer.value).unwrap_or(0),
        _ => 0,
    }
}
