//! Which styles can express a text.

use super::Dialect;

/// What was found out about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    pub(super) plain_allowed: bool,
    pub(super) single_quoted_allowed: bool,
    pub(super) block_allowed: bool,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a finding of its own"
)]
struct Findings {
    indicators: bool,
    line_breaks: bool,
    special: bool,
    tabs: bool,
    edge_blank: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

pub(super) fn analyze(text: &str, dialect: Dialect) -> Analysis {
    if text.is_empty() {
        return Analysis {
            plain_allowed: true,
            single_quoted_allowed: true,
            block_allowed: false,
        };
    }
    let found = look(text, dialect);
    let broken = found.space_break || found.special;
    let quoted_only = broken || found.break_space;
    Analysis {
        plain_allowed: !(quoted_only
            || found.tabs
            || found.edge_blank
            || found.line_breaks
            || found.indicators),
        single_quoted_allowed: !(quoted_only || found.tabs),
        block_allowed: !(broken || found.trailing_space),
    }
}

fn look(text: &str, dialect: Dialect) -> Findings {
    let mut found = Findings {
        indicators: text.starts_with("---") || text.starts_with("..."),
        ..Findings::default()
    };
    let mut after_blank = true;
    let mut previous = '\0';
    let mut chars = text.chars().peekable();
    let mut is_first = true;
    while let Some(char) = chars.next() {
        let next = chars.peek().copied();
        let before_blank = matches!(next, None | Some(' ' | '\t'));
        found.indicators |= if is_first {
            is_leading_indicator(char, before_blank)
        } else {
            char == ':' && before_blank || char == '#' && after_blank
        };
        if char == '\t' && dialect == Dialect::Pretty {
            found.tabs = true;
        } else if !is_printable(char) {
            found.special = true;
        }
        let is_edge = is_first || next.is_none();
        if char == ' ' {
            found.edge_blank |= is_edge;
            found.trailing_space |= next.is_none();
            found.break_space |= is_break(previous);
        } else if is_break(char) {
            found.line_breaks = true;
            found.edge_blank |= is_edge;
            found.space_break |= previous == ' ';
        }
        after_blank = char == ' ' || char == '\t' || char == '\0' || is_break(char);
        previous = char;
        is_first = false;
    }
    found
}

/// Whether a plain text cannot begin with this character.
fn is_leading_indicator(char: char, before_blank: bool) -> bool {
    match char {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => true,
        '?' | ':' | '-' => before_blank,
        _ => false,
    }
}

/// Whether a line ends here.
pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the character can stand unescaped. For libyaml nothing beyond the basic plane can.
pub(super) fn is_printable(char: char) -> bool {
    matches!(
        char,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
    )
}
