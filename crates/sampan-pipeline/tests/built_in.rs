//! Plugins and actions that are built in, as pipelines use them: what they ask of the rest of the program.

#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "built_in/artifacts.rs"]
mod artifacts;
#[path = "built_in/files.rs"]
mod files;
#[path = "built_in/image.rs"]
mod image;
#[path = "built_in/message.rs"]
mod message;
#[path = "built_in/stage.rs"]
mod stage;
#[path = "built_in/template.rs"]
mod template;
