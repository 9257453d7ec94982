//! What pipelines tell other systems, which are real servers here. Needs root.

#[path = "../ci_commands/fixture.rs"]
mod fixture;

mod chats;
mod mail;

use fixture::SAMPAN;
use sampan_testkit::Installation;

fn site(name: &str) -> Installation {
    let site = Installation::site(SAMPAN, name);
    site.import_busybox();
    site
}
