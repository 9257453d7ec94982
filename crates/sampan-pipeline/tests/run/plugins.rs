//! Steps in whose place something runs that is built in.

use sampan_pipeline::plan::End;
use sampan_pipeline::trust::{Trust, violations};

use crate::site::{Site, graph};

#[test]
fn a_cache_comes_back_in_the_next_run() {
    let mut site = Site::new();
    let pipeline = |mode: &str, commands: &str| {
        format!(
            "pipeline:\n  cache:\n    image: drillster/drone-volume-cache\n    {mode}: true\n    mount: [deps]\n    volumes: ['/tmp/cache:/cache']\n  \
             work: {{image: busybox, commands: [{commands}]}}\n"
        )
    };
    let ran = site.run(
        ".drone.yml",
        &pipeline("restore", "mkdir deps, echo one > deps/a"),
    );
    assert_eq!(
        ran.outcome.end,
        Some(End::Success),
        "{:?} {:?}",
        ran.events,
        ran.said
    );
    assert_eq!(
        ran.said("default", "cache"),
        "Nothing is kept of `src/deps` under the key `/team/shop`.\n"
    );
    let text = "pipeline:\n  work: {image: busybox, commands: [mkdir deps, echo one > deps/a]}\n  \
                cache: {image: drillster/drone-volume-cache, rebuild: true, mount: deps}\n";
    let ran = site.run(".drone.yml", text);
    assert_eq!(
        ran.said("default", "cache"),
        "Kept 1 files (1 MiB) under the key `/team/shop`.\n"
    );
    let ran = site.run(".drone.yml", &pipeline("restore", "cat deps/a"));
    assert_eq!(ran.said("default", "work"), "+ cat deps/a\none\n");
    site.check_nothing_left();
}

#[test]
fn what_a_built_in_does_not_know_is_said_before_anything_runs() {
    let mut site = Site::new();
    let text = "pipeline:\n  a: {image: busybox, commands: [echo]}\n  b: {image: plugins/slack, webhok: 'http://a'}\n";
    let error = site.try_run(".drone.yml", text).err().unwrap();
    assert_eq!(
        error.to_string(),
        ".drone.yml:3:3: `b` cannot run: `plugins/slack` has no parameter `webhok`"
    );
    site.check_nothing_left();
}

#[test]
fn a_built_in_fails_its_step_and_needs_no_rights() {
    let mut site = Site::new();
    let text = "pipeline:\n  slack: {image: plugins/slack, webhook: 'http://a', privileged: true, volumes: ['/var/run/docker.sock:/var/run/docker.sock']}\n";
    let ran = site.run(".drone.yml", text);
    assert_eq!(ran.outcome.end, Some(End::Failure(None)));
    assert_eq!(
        ran.said("default", "slack"),
        "cannot reach the webhook of Slack: nothing is sent from here\n"
    );
    assert!(violations(&graph(".drone.yml", text), Trust::default()).is_empty());
    site.check_nothing_left();
}
