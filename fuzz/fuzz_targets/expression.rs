//! Expressions of GitHub's workflows.
#![no_main]

#[path = "../expression.rs"]
mod expression;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| expression::expression(bytes));
