//! The order of keys: as people sort names with numbers in them, by go-yaml's rules.

use std::cmp::Ordering;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::emitter::{Dialect, Node};

type Pair = (Node, Node);

/// Sorts the entries of a mapping by their keys.
///
/// The rules do not order all keys consistently, so this merges by itself: the standard library may panic then.
pub(super) fn sort(pairs: &mut Vec<Pair>, dialect: Dialect) {
    let mut runs: Vec<Vec<(Vec<char>, Pair)>> = pairs
        .drain(..)
        .map(|pair| vec![(pair.0.content().chars().collect(), pair)])
        .collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(first) = rest.next() {
            merged.push(match rest.next() {
                Some(second) => merge(first, second, dialect),
                None => first,
            });
        }
        runs = merged;
    }
    pairs.extend(runs.into_iter().flatten().map(|(_, pair)| pair));
}

fn merge<T>(
    first: Vec<(Vec<char>, T)>,
    second: Vec<(Vec<char>, T)>,
    dialect: Dialect,
) -> Vec<(Vec<char>, T)> {
    let mut merged = Vec::with_capacity(first.len() + second.len());
    let mut left = first.into_iter().peekable();
    let mut right = second.into_iter().peekable();
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if is_less(&b.0, &a.0, dialect) => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(item) => merged.push(item),
            None => return merged,
        }
    }
}

/// Whether one key comes before the other.
fn is_less(a: &[char], b: &[char], dialect: Dialect) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (Some(first), Some(second)) = (a.get(same), b.get(same)) else {
        return a.len() < b.len();
    };
    match (is_letter(*first), is_letter(*second)) {
        (true, true) => return first < second,
        (false, false) => {}
        (first_is_letter, second_is_letter) => {
            // The newer library lets letters come first where the names agreed on a digit before.
            let after_digit = same > 0 && is_digit(a[same - 1]) && dialect == Dialect::Pretty;
            return if after_digit {
                first_is_letter
            } else {
                second_is_letter
            };
        }
    }
    let start = i64::from((*first == '0' || *second == '0') && follows_number(&a[..same]));
    let (first_number, first_end) = number(&a[same..], start);
    let (second_number, second_end) = number(&b[same..], start);
    let by_number = first_number
        .cmp(&second_number)
        .then(first_end.cmp(&second_end));
    match by_number {
        Ordering::Equal => first < second,
        other => other.is_lt(),
    }
}

/// Whether the digits at the end are a number other than 0, so that a 0 behind them counts.
fn follows_number(before: &[char]) -> bool {
    let digits = before.iter().rev().take_while(|char| is_digit(**char));
    digits.into_iter().any(|digit| *digit != '0')
}

/// The number that begins here, and how long it is.
fn number(text: &[char], start: i64) -> (i64, usize) {
    let digits = text.iter().take_while(|char| is_digit(**char));
    digits.fold((start, 0), |(number, length), digit| {
        let digit = i64::from(u32::from(*digit)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(digit), length + 1)
    })
}

fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphabetic();
    }
    char.general_category_group() == GeneralCategoryGroup::Letter
}

fn is_digit(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_digit();
    }
    char.general_category() == GeneralCategory::DecimalNumber
}
