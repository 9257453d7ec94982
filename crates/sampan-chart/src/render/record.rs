//! Structs of Go that templates get: named members in an order, some with methods.

use crate::functions::FunctionError;
use crate::value::{Invocation, Object, Text, Value, print};

/// A struct, or a pointer to one when its type's name begins with `*`.
pub(super) struct Record {
    type_name: &'static str,
    members: Vec<Member>,
    /// What its `String` method says, which templates print when they can reach the method.
    text: Option<Text>,
    /// Methods without arguments.
    methods: Vec<(&'static str, Text)>,
}

/// A field.
pub(super) struct Member {
    /// Go's name; empty for what templates cannot reach.
    name: &'static str,
    /// The name in JSON; empty for what JSON leaves out.
    json: &'static str,
    /// Whether JSON leaves it out when it is empty.
    omit_empty: bool,
    /// Whether JSON shows its members in its place.
    embedded: bool,
    value: Value,
}

impl Member {
    /// A field with the same name in JSON.
    pub(super) fn new(name: &'static str, value: Value) -> Self {
        Self {
            name,
            json: name,
            omit_empty: false,
            embedded: false,
            value,
        }
    }

    /// A field that JSON leaves out when it is empty.
    pub(super) fn optional(name: &'static str, json: &'static str, value: Value) -> Self {
        Self {
            name,
            json,
            omit_empty: true,
            embedded: false,
            value,
        }
    }

    /// A field with another name in JSON, which is always there.
    pub(super) fn always(name: &'static str, json: &'static str, value: Value) -> Self {
        Self {
            name,
            json,
            omit_empty: false,
            embedded: false,
            value,
        }
    }

    /// A text; under the same name it is always there in JSON.
    pub(super) fn text(name: &'static str, json: &'static str, text: &str) -> Self {
        Self {
            name,
            json,
            omit_empty: json != name,
            embedded: false,
            value: Value::text(text),
        }
    }

    /// A text that is only printed.
    pub(super) fn hidden(text: &str) -> Self {
        Self {
            name: "",
            json: "",
            omit_empty: false,
            embedded: false,
            value: Value::text(text),
        }
    }

    /// A record whose members count as those of the record that it is in.
    pub(super) fn embedded(name: &'static str, value: Value) -> Self {
        Self {
            name,
            json: "",
            omit_empty: false,
            embedded: true,
            value,
        }
    }
}

impl Record {
    pub(super) fn new(type_name: &'static str, members: Vec<Member>) -> Self {
        Self {
            type_name,
            members,
            text: None,
            methods: Vec::new(),
        }
    }

    pub(super) fn with_text(mut self, text: &str) -> Self {
        self.text = Some(text.into());
        self
    }

    pub(super) fn with_method(mut self, name: &'static str, text: &str) -> Self {
        self.methods.push((name, text.into()));
        self
    }

    fn is_pointer(&self) -> bool {
        self.type_name.starts_with('*')
    }
}

impl Object for Record {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind_name(&self) -> &'static str {
        if self.is_pointer() { "ptr" } else { "struct" }
    }

    fn field(&self, name: &str) -> Option<Value> {
        let own = self
            .members
            .iter()
            .find(|member| !member.name.is_empty() && member.name == name);
        if let Some(member) = own {
            return Some(member.value.clone());
        }
        self.members
            .iter()
            .filter(|member| member.embedded)
            .find_map(|member| match &member.value {
                Value::Object(object) => object.field(name),
                _ => None,
            })
    }

    fn method(&self, name: &str) -> Option<Invocation> {
        let (_, text) = self.methods.iter().find(|(known, _)| *known == name)?;
        let text = text.clone();
        let call = move |_: &[Value]| Ok::<_, FunctionError>(Value::Text(text.clone()));
        Some(Invocation {
            parameters: &[],
            variadic: None,
            call: Box::new(call),
        })
    }

    fn print(&self) -> Text {
        let members = self.members.iter().map(|member| match &member.value {
            // What a pointer in a struct points at is not printed but its address, which is another one each time.
            Value::Object(object) if object.kind_name() == "ptr" => "0xc000000000".to_owned(),
            Value::List(list)
                if list
                    .items()
                    .iter()
                    .any(|item| matches!(item, Value::Object(_))) =>
            {
                let items: Vec<_> = list.items().iter().map(|_| "0xc000000000").collect();
                format!("[{}]", items.join(" "))
            }
            value => print::plain(value),
        });
        let members: Vec<_> = members.collect();
        let start = if self.is_pointer() { "&" } else { "" };
        Text::from(format!("{start}{{{}}}", members.join(" ")))
    }

    fn print_in_place(&self) -> Text {
        self.text.clone().unwrap_or_else(|| self.print())
    }

    fn members(&self) -> Option<Vec<(&'static str, Value)>> {
        let mut shown = Vec::new();
        for member in &self.members {
            match &member.value {
                Value::Object(object) if member.embedded => {
                    shown.extend(object.members().unwrap_or_default());
                }
                value if member.json.is_empty() || (member.omit_empty && !value.is_true()) => {}
                value => shown.push((member.json, value.clone())),
            }
        }
        Some(shown)
    }

    fn is_comparable(&self) -> bool {
        let is_text = |member: &Member| matches!(member.value, Value::Text(_));
        self.is_pointer() || self.members.iter().all(is_text)
    }

    fn data(&self) -> Value {
        Value::dict(self.members().unwrap_or_default())
    }
}
