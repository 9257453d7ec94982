//! The small templates that plugins are given.
#![no_main]

#[path = "../plugin_template.rs"]
mod plugin_template;

libfuzzer_sys::fuzz_target!(|text: &str| plugin_template::template(text));
