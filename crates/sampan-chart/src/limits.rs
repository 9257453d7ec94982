//! The bounds of what a chart can make Sampan do. Charts that people write stay far below them.

use std::time::Duration;

/// How many bytes one text can have that a template makes, and all that a template writes.
pub const TEXT_BYTES: usize = 64 << 20;

/// How many items one list can have that a function makes out of nothing, or out of texts and lists.
pub const LIST_ITEMS: usize = 1 << 20;

/// How many commands, passes of loops and nodes one rendering can go through.
pub const STEPS: u64 = 10_000_000;

/// How deep parentheses can be nested in a template, as Go has it.
pub const EXPRESSION_DEPTH: usize = 10_000;

/// How deep `if`, `with`, `range` and `block` can be nested in a template, `else if` included.
pub const CONTROL_DEPTH: usize = 2_000;

/// How deep `{{template}}` can go, as Go has it.
pub const TEMPLATE_DEPTH: usize = 100_000;

/// How often a template can include itself through others, as Helm has it.
pub const INCLUDES_OF_ONE: u32 = 1000;

/// How deep `include` and `tpl` can be nested, whatever they include.
pub const INCLUDE_DEPTH: usize = 4000;

/// How deep parentheses, `include` and `tpl` can be nested in one another while templates are carried out. Each takes
/// stack: with those bounds, and templates that are parsed on top, a quarter of a gibibyte is enough.
pub const NESTING: usize = 10_500;

/// How many bytes of values the functions of one rendering can make, also of those that are gone again.
pub const MADE_BYTES: u64 = 1 << 30;

/// How long one rendering can take, whatever else it keeps within.
pub const TIME: Duration = Duration::from_mins(1);
