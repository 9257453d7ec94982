//! White space around tags: `~` takes it away, and so does a line that holds nothing but a block's tag.
//!
//! Source: the documentation of Handlebars, "Whitespace Control"; the order of the steps is that of raymond, which counts
//! a text of spaces only at the top as the end of a line.

use super::tree::{Block, Content, Node, Program, Strip};

/// Takes away what is not to be printed.
pub(super) fn control(program: &mut Program) {
    of_program(program, true);
}

/// What a node says of the text around it.
#[derive(Clone, Copy, Default)]
struct Around {
    strip: Strip,
    open_stands_alone: bool,
    close_stands_alone: bool,
    may_stand_alone: bool,
}

fn of_program(program: &mut Program, is_root: bool) {
    for index in 0..program.body.len() {
        let around = match &mut program.body[index] {
            Node::Content(_) => continue,
            Node::Comment(strip) => Around {
                strip: *strip,
                may_stand_alone: true,
                ..Around::default()
            },
            Node::Mustache(mustache) => Around {
                strip: mustache.strip,
                ..Around::default()
            },
            Node::Block(block) => of_block(block),
        };
        let body = &mut program.body;
        let ends_before = line_ends_before(body, index, is_root);
        let ends_behind = line_ends_behind(body, index + 1, is_root);
        if around.strip.behind {
            trim_start(body.get_mut(index + 1), true);
        }
        if around.strip.before && index > 0 {
            trim_end(body.get_mut(index - 1), true);
        }
        if around.may_stand_alone && ends_before && ends_behind {
            trim_start(body.get_mut(index + 1), false);
            trim_before(body, index);
        }
        let Node::Block(block) = &mut body[index] else {
            continue;
        };
        let opens = around.open_stands_alone && ends_before;
        let closes = around.close_stands_alone && ends_behind;
        if opens && let Some(first) = block.program.as_mut().or(block.inverse.as_mut()) {
            trim_start(first.body.first_mut(), false);
        }
        if closes && let Some(last) = block.inverse.as_mut().or(block.program.as_mut()) {
            trim_end(last.body.last_mut(), false);
        }
        if opens {
            trim_before(body, index);
        }
        if closes {
            trim_start(body.get_mut(index + 1), false);
        }
    }
}

fn trim_before(body: &mut [Node], index: usize) {
    if index > 0 {
        trim_end(body.get_mut(index - 1), false);
    }
}

fn of_block(block: &mut Block) -> Around {
    for program in [&mut block.program, &mut block.inverse]
        .into_iter()
        .flatten()
    {
        of_program(program, false);
    }
    let has_program = block.program.is_some();
    let (program, inverse) = match (&mut block.program, &mut block.inverse) {
        (Some(program), inverse) => (program, inverse.as_mut()),
        (None, Some(inverse)) => (inverse, None),
        (None, None) => return Around::default(),
    };
    // Of a chain of `else`, the first block's own text is what stands between the tags.
    let mut inverse = inverse.and_then(|inverse| {
        if !inverse.is_chained {
            return Some(inverse);
        }
        match inverse.body.first_mut() {
            Some(Node::Block(chained)) => chained.program.as_mut(),
            _ => None,
        }
    });
    let last = inverse.as_deref().unwrap_or(program);
    let around = Around {
        strip: Strip {
            before: block.open.before,
            behind: block.close.is_some_and(|close| close.behind),
        },
        open_stands_alone: line_ends_behind(&program.body, 0, false),
        close_stands_alone: line_ends_before(&last.body, last.body.len(), false),
        may_stand_alone: false,
    };
    if block.open.behind {
        trim_start(program.body.first_mut(), true);
    }
    let strips_end = block.close.is_some_and(|close| close.before);
    match inverse.as_mut().filter(|_| has_program) {
        Some(inverse) => {
            let middle = block.middle.unwrap_or_default();
            if middle.before {
                trim_end(program.body.last_mut(), true);
            }
            if middle.behind {
                trim_start(inverse.body.first_mut(), true);
            }
            if strips_end {
                trim_end(inverse.body.last_mut(), true);
            }
            let count = program.body.len();
            if line_ends_before(&program.body, count, false)
                && line_ends_behind(&inverse.body, 0, false)
            {
                trim_end(program.body.last_mut(), false);
                trim_start(inverse.body.first_mut(), false);
            }
        }
        None if strips_end => trim_end(program.body.last_mut(), true),
        None => {}
    }
    around
}

/// Go's `\s`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether only white space stands between the node at `index` and the line before it.
fn line_ends_before(body: &[Node], index: usize, is_root: bool) -> bool {
    let Some(before) = index.checked_sub(1).and_then(|before| body.get(before)) else {
        return is_root;
    };
    let Node::Content(content) = before else {
        return false;
    };
    if content.text.is_empty() && content.right_stripped {
        return true;
    }
    let text = content.text.trim_end_matches(is_space);
    let begins_text = index == 1 && is_root && text.is_empty();
    begins_text || content.text[text.len()..].contains('\n')
}

/// Whether only white space stands between the node before `index` and the next line.
fn line_ends_behind(body: &[Node], index: usize, is_root: bool) -> bool {
    let Some(behind) = body.get(index) else {
        return is_root;
    };
    let Node::Content(content) = behind else {
        return false;
    };
    if content.text.is_empty() && content.left_stripped {
        return true;
    }
    let text = content.text.trim_start_matches(is_space);
    let space = &content.text[..content.text.len() - text.len()];
    (is_root && text.is_empty()) || space.contains('\n')
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers get what they pass from a slice"
)]
fn trim_start(node: Option<&mut Node>, all: bool) {
    let Some(Node::Content(content)) = node else {
        return;
    };
    if !all && content.right_stripped {
        return;
    }
    let text = content.text.as_str();
    let kept = if all {
        text.trim_start_matches(is_space)
    } else {
        let rest = text.trim_start_matches(is_blank);
        rest.strip_prefix("\r\n")
            .or_else(|| rest.strip_prefix(['\n', '\r']))
            .unwrap_or(rest)
    };
    let length = kept.len();
    content.right_stripped = keep(content, text_range(content, length, true));
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers get what they pass from a slice"
)]
fn trim_end(node: Option<&mut Node>, all: bool) {
    let Some(Node::Content(content)) = node else {
        return;
    };
    if !all && content.left_stripped {
        return;
    }
    let kept = if all {
        content.text.trim_end_matches(is_space)
    } else {
        content.text.trim_end_matches(is_blank)
    };
    let length = kept.len();
    content.left_stripped = keep(content, text_range(content, length, false));
}

fn text_range(content: &Content, length: usize, from_end: bool) -> std::ops::Range<usize> {
    let whole = content.text.len();
    if from_end {
        whole - length..whole
    } else {
        0..length
    }
}

/// Keeps a part of the text; whether that changed it.
fn keep(content: &mut Content, part: std::ops::Range<usize>) -> bool {
    let changed = part.len() != content.text.len();
    content.text = content.text[part].to_owned();
    changed
}
