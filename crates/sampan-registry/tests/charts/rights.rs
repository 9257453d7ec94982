//! Who may see and change which charts.

use serde_json::json;

use crate::fixture::Registry;
use crate::packing::{Folder, curl, index, push, send};

#[test]
fn rights_are_those_of_the_repositories() {
    let (mut registry, folder) = (Registry::start(), Folder::new());
    for name in ["web", "db"] {
        let metadata = json!({"apiVersion": "v2", "name": name, "version": "1.0.0"});
        push(&registry, &format!("team/{name}"), "1.0.0", &metadata);
    }
    let hash = bcrypt::hash("open", 4).unwrap();
    let users = format!(
        "users:\n  alice: {{password: {hash}, rights: {{'team/*': [pull, push, delete]}}}}\n  \
         bob: {{password: {hash}, rights: {{team/web: [pull, push]}}}}\n  \
         carol: {{password: {hash}, rights: {{'other/*': [pull, push]}}}}\n"
    );
    std::fs::create_dir_all(registry.data().join("registry")).unwrap();
    std::fs::write(registry.data().join("registry/users.yaml"), users).unwrap();
    registry.restart();
    let ask = |user: &str, arguments: &[&str]| {
        let user = format!("{user}:open");
        curl(&registry, &[&["-u", &user][..], arguments].concat())
    };

    let denied = registry.get("/charts/team/index.yaml").expect(401);
    assert!(
        denied
            .header("www-authenticate")
            .starts_with("Basic realm=")
    );
    assert_eq!(
        denied.json(),
        json!({"error": "authentication is required"})
    );
    registry
        .ask("POST /charts/api/team/charts", &[], b"x")
        .expect(401);
    ask("carol", &["/charts/team/index.yaml"]).expect_error(403, "carol");

    // Everybody sees what they may pull, and nothing else.
    let names = |user: &str| {
        let listed = ask(user, &["/charts/api/team/charts"]).expect(200);
        listed
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names("alice"), ["db", "web"]);
    assert_eq!(names("bob"), ["web"]);
    assert_eq!(names("alice"), ["db", "web"]);
    let bob = [("Authorization", "Basic Ym9iOm9wZW4=")];
    let reply = registry
        .ask("GET /charts/team/index.yaml", &bob, b"")
        .expect(200);
    assert_eq!(index(&reply)["entries"].as_object().unwrap().len(), 1);
    registry
        .ask("GET /charts/team/charts/web-1.0.0.tgz", &bob, b"")
        .expect(200);
    ask("bob", &["/charts/team/charts/db-1.0.0.tgz"]).expect_error(404, "object not found");

    // What is pushed tells where it goes, and so who may.
    let data = |name: &str| format!("@{}", folder.chart(name, "2.0.0").display());
    let upload = |user: &str, name: &str| {
        ask(
            user,
            &["--data-binary", &data(name), "/charts/api/team/charts"],
        )
    };
    upload("bob", "web").expect(201);
    upload("bob", "db").expect_error(403, "bob may not do that to `team/db`");
    upload("carol", "db").expect_error(403, "carol");
    upload("alice", "db").expect(201);
    ask(
        "bob",
        &["-X", "DELETE", "/charts/api/team/charts/web/1.0.0"],
    )
    .expect_error(403, "bob");
    ask(
        "alice",
        &["-X", "DELETE", "/charts/api/team/charts/web/1.0.0"],
    )
    .expect(200);
}

#[test]
fn immutable_tags_and_quotas_hold_for_charts() {
    let text = "immutableTags:\n- {repositories: 'team/*', tags: ['*']}\nquotas: {small: 100}\n";
    let config = sampan_registry::Config::parse("registry.yaml", text).unwrap();
    let (registry, folder) = (Registry::with(config), Folder::new());
    let file = folder.chart("web", "1.0.0");
    send(&registry, &file, "/charts/api/team/charts").expect(201);
    send(&registry, &file, "/charts/api/team/charts").expect_error(409, "already exists");
    let other = folder.file(
        "web.tgz",
        &crate::packing::chart("{name: web, version: 1.0.0, description: x}"),
    );
    send(&registry, &other, "/charts/api/team/charts?force").expect_error(409, "1.0.0");
    curl(
        &registry,
        &["-X", "DELETE", "/charts/api/team/charts/web/1.0.0"],
    )
    .expect_error(409, "1.0.0");
    send(&registry, &file, "/charts/api/small/charts").expect_error(507, "small");
}
