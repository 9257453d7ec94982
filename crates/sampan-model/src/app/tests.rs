use super::{AppFile, Quality, Target};
use crate::Hint;

const GUESTBOOK: &str = r#"apiVersion: sampan/v1
kind: App
name: guestbook
version: 1.0.0
images:
  - name: guestbook-web
    context: ./web/
    args: {VERSION: "${app.version}", DEBUG: 1}
  - name: shop/api
    context: .
    dockerfile: api/Dockerfile
    target: release
manifests:
  - kubernetes/*.yaml
values:
  replicas: 1
  host: null
  redis: {memory: 64Mi, labels: {}}
environments:
  dev:
  prod:
    namespace: guests
    target: {kubernetes: {context: site}}
    values:
      replicas: 3
      host: guestbook.example
      redis: {labels: {tier: db}}
checks:
  - name: page
    url: http://${host}/
    expect: {text: "Guestbook ${app.version}"}
  - name: api
    service: guestbook-api
    port: 8000
    path: /healthz
    method: post
    body: "{}"
    expect: {status: [200, 204]}
    timeout: 1500ms
    retries: 0
"#;

fn parse(text: &str) -> AppFile {
    AppFile::parse("sampan.yaml", text).expect("the text describes an app")
}

fn refusal(from: &str, to: &str) -> String {
    refusal_of(GUESTBOOK, from, to)
}

fn refusal_of(good: &str, from: &str, to: &str) -> String {
    let text = good.replacen(from, to, 1);
    assert_ne!(text, good, "`{from}` occurs");
    let error = AppFile::parse("sampan.yaml", &text).expect_err("the text is refused");
    format!("{error}\n  hint: {}", error.hint().unwrap_or_default())
}

const QUALITY: &str = "apiVersion: sampan/v1
kind: App
quality:
  reports: [reports/*.xml, ./coverage.out]
  tests: {atLeast: 10}
  coverage: {atLeast: 82.5%, newLines: 70, drop: 0.05%}
  findings:
    critical: {new: 0}
    error: {new: 0, all: 20}
    warning: 200
";

#[test]
fn reads_a_gate_without_an_app() {
    let quality = Quality::parse("sampan.yaml", QUALITY).expect("the gate is well");
    insta::assert_debug_snapshot!(quality);
    let percents = |text: &str| {
        let text = QUALITY.replacen("82.5%", text, 1);
        let quality = Quality::parse("sampan.yaml", &text).ok()??;
        Some(quality.coverage?.at_least?.to_string())
    };
    for (text, expected) in [
        ("82.5%", Some("82.5%")),
        ("100", Some("100%")),
        ("0.01%", Some("0.01%")),
        ("100.01", None),
        ("-1", None),
        ("1e1", None),
        ("80%%", None),
        ("0.001", None),
        ("''", None),
    ] {
        assert_eq!(percents(text).as_deref(), expected, "{text}");
    }
    assert_eq!(Quality::parse("sampan.yaml", GUESTBOOK), Ok(None));
    let app = format!(
        "{GUESTBOOK}{}",
        QUALITY.split_once("App\n").expect("it is there").1
    );
    assert_eq!(parse(&app).app.quality, quality);
    // It does not travel.
    let json = serde_json::to_string(&parse(&app).app).expect("an app has a JSON form");
    assert!(!json.contains("quality"));
}

#[test]
fn says_what_is_wrong_with_a_gate() {
    let messages = [
        ("reports/*.xml", "../x.xml"),
        ("atLeast: 10", "least: 10"),
        ("82.5%", "much"),
        ("critical: {new: 0}", "fatal: {new: 0}"),
        ("warning: 200", "warning: many"),
        ("kind: App", "kind: Chart"),
    ]
    .map(|(from, to)| {
        let text = QUALITY.replacen(from, to, 1);
        let error = Quality::parse("sampan.yaml", &text).expect_err("the gate is refused");
        format!("{error}\n  hint: {}", error.hint().unwrap_or_default())
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn reads_an_app() {
    insta::assert_json_snapshot!(parse(GUESTBOOK).app);
}

#[test]
fn an_app_travels_as_json() {
    let app = parse(GUESTBOOK).app;
    let json = serde_json::to_string(&app).expect("an app is JSON");
    assert_eq!(
        serde_json::from_str::<super::App>(&json).expect("the JSON is an app"),
        app
    );
}

#[test]
fn build_arguments_are_the_text_that_was_written() {
    let args =
        "args: {GO: 1.20, MODE: 0644, FLAG: yes, SIZE: 1_000, EMPTY: , NAME: \"${app.name}\"}";
    let text = GUESTBOOK.replace("args: {VERSION: \"${app.version}\", DEBUG: 1}", args);
    let image = parse(&text).app.images.remove(0);
    let given: Vec<_> = image
        .args
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        given,
        [
            "EMPTY=",
            "FLAG=yes",
            "GO=1.20",
            "MODE=0644",
            "NAME=guestbook",
            "SIZE=1_000"
        ]
    );
}

#[test]
fn environments_override_values() {
    let app = parse(GUESTBOOK).app;
    let name = "prod".parse().expect("`prod` is a name");
    let prod = &app.environments[&name];
    assert_eq!(
        prod.target,
        Target::Kubernetes {
            context: Some("site".to_owned())
        }
    );
    insta::assert_json_snapshot!(app.values_of(&name, prod, app.namespace_of(prod)));
}

#[test]
fn knows_where_entries_stand() {
    let file = parse(GUESTBOOK);
    assert_eq!(
        file.locate("images.0.context").to_string(),
        "sampan.yaml:7:14"
    );
    assert_eq!(
        file.locate("images.0.dockerfile").to_string(),
        "sampan.yaml:6:5"
    );
    assert_eq!(file.locate("manifests.0").to_string(), "sampan.yaml:14:5");
}

const CHARTS: &str = r#"apiVersion: sampan/v1
kind: App
name: shop
version: 1.0.0
manifests:
  - kubernetes/*.yaml
  - chart: ./charts/shop
    valuesFiles: [values/common.yaml]
    values: {ingress: {hosts: ["${host}"]}, replicas: "${replicas}", debug: true}
  - chart: charts/search-1.2.0.tgz
    name: search
    namespace: search
  - kustomization: overlays/${app.environment}
values:
  host: null
  replicas: 1
environments:
  prod:
    values:
      host: shop.example
      shop: {image: {tag: b}, debug: null}
      search: {heap: 1Gi, replicas: null}
"#;

#[test]
fn reads_charts_and_kustomizations() {
    let app = parse(CHARTS).app;
    insta::assert_json_snapshot!(app);
    let json = serde_json::to_string(&app).expect("an app is JSON");
    assert_eq!(
        serde_json::from_str::<super::App>(&json).expect("the JSON is an app"),
        app
    );
}

#[test]
fn wide_patterns_leave_charts_alone() {
    let app = parse(&CHARTS.replace("kubernetes/*.yaml", "'**/*.yaml'")).app;
    let paths = [
        "web.yaml",
        "charts/shop.yaml",
        "charts/shop/templates/web.yaml",
        "values/common.yaml",
        "values/other.yaml",
    ];
    let met: Vec<_> = paths.iter().filter(|path| app.has_manifest(path)).collect();
    assert_eq!(
        met,
        [&"web.yaml", &"charts/shop.yaml", &"values/other.yaml"]
    );
}

#[test]
fn charts_take_their_own_values_and_those_below_their_name() {
    let app = parse(CHARTS).app;
    let name = "prod".parse().expect("`prod` is a name");
    let values = app.values_of(&name, &app.environments[&name], "shop");
    let given: Vec<_> = app
        .charts()
        .map(|chart| chart.values_of(&values).expect("all values are given"))
        .collect();
    insta::assert_json_snapshot!(given);
    let folders: Vec<_> = app
        .manifests
        .iter()
        .filter_map(super::Source::kustomization)
        .map(|kustomization| kustomization.folder(&values))
        .collect();
    assert_eq!(folders, [Ok("overlays/prod".to_owned())]);
    let error = app
        .charts()
        .next()
        .map(|chart| chart.values_of(&app.declared_values()));
    assert_eq!(
        error.and_then(Result::err).map(|error| error.to_string()),
        Some("the value `ingress.hosts[0]` of the chart `shop`: the value `host` has no default and was not given".to_owned())
    );
}

#[test]
fn says_what_is_wrong_with_charts_and_kustomizations() {
    let refusal = |from: &str, to: &str| refusal_of(CHARTS, from, to);
    let refusals = [
        refusal("./charts/shop", "../charts/shop"),
        refusal("- chart: ./charts/shop", "- chart:"),
        refusal("- chart: ./charts/shop", "- char: charts/shop"),
        refusal("- chart: ./charts/shop", "- name: shop"),
        refusal("valuesFiles: [", "valuesfiles: ["),
        refusal("valuesFiles: [values/", "valuesFiles: [/values/"),
        refusal("${host}", "${hots}"),
        refusal("debug: true", "tag: 1.20"),
        refusal("name: search", "name: app"),
        refusal("name: search", "name: shop"),
        refusal("name: search", "name: Search"),
        refusal("name: search", "name: replicas"),
        refusal("namespace: search", "namespace: Search"),
        refusal("${app.environment}", "${host}"),
        refusal("${app.environment}", "${app.env}"),
        refusal("overlays/${app", "../${app"),
        refusal("- kubernetes/*.yaml", "- [kubernetes]"),
        refusal("search: {heap", "serch: {heap"),
        refusal("  replicas: 1\n", "  replicas: 1\n  shop: {image: a}\n"),
        refusal("shop: {image", "shop: \"\" # {image"),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn says_what_is_wrong_and_where() {
    let refusals = [
        refusal("replicas: 3", "replica: 3"),
        refusal("replicas: 3", "replicas: three"),
        refusal("replicas: 3", "replicas: 3.0"),
        refusal("replicas: 1", "replicas: 1.20"),
        refusal("memory: 64Mi", "memory: 0644"),
        refusal("memory: 64Mi", "my memory: 64Mi"),
        refusal("  replicas: 1", "  app: 1"),
        refusal("manifests:", "manifest:"),
        refusal("name: guestbook\n", ""),
        refusal("name: guestbook\n", "name: Guestbook\n"),
        refusal("version: 1.0.0", "version: 1.0"),
        refusal("version: 1.0.0", "version: 1/0"),
        refusal("sampan/v1", "sampan/v2"),
        refusal("context: ./web/", "context: ../web"),
        refusal("context: ./web/", "contxt: web"),
        refusal("name: guestbook-web", "name: guestbook-web:1.0"),
        refusal("name: shop/api", "name: guestbook-web"),
        refusal("${app.version}\", DEBUG", "${host}\", DEBUG"),
        refusal("  - kubernetes/*.yaml", "  - /etc/*.yaml"),
        refusal("  - kubernetes/*.yaml", "  []"),
        refusal("http://${host}/", "http://${hots}/"),
        refusal("http://${host}/", "https://${host}/"),
        refusal("url: http://${host}/", "uri: http://${host}/"),
        refusal("url: http://${host}/", "method: get"),
        refusal(
            "    service: guestbook-api",
            "    url: http://x/\n    service: guestbook-api",
        ),
        refusal("method: post", "method: fetch"),
        refusal("status: [200, 204]", "status: [200, 99]"),
        refusal("timeout: 1500ms", "timeout: 2"),
        refusal("timeout: 1500ms", "timeout: soon"),
        refusal("retries: 0", "retries: -1"),
        refusal("{kubernetes: {context: site}}", "swarm"),
        refusal("namespace: guests", "namespace: Guests"),
        refusal("  prod:", "  Prod:"),
        refusal("checks:", "---\nchecks:"),
        refusal("images:\n", "images: none\nx:\n"),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

/// Mutations of a good file, from a fixed seed, may be refused but must neither panic nor take long.
#[test]
fn damaged_files_are_refused_calmly() {
    let mut state: u64 = 0x5a4d_9a11;
    let mut next = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).expect("the bound is small"))
            .expect("it is below the bound")
    };
    let fragments = [
        "${", "}", ": ", "- ", "\n", "  ", "'", "\"", "&a ", "*a", "[", "{", "|", "!!str ",
        "\u{feff}", "ü", "<<: ",
    ];
    for _ in 0..2_000 {
        let mut text: Vec<char> = GUESTBOOK.chars().collect();
        for _ in 0..=next(4) {
            let at = next(text.len());
            match next(3) {
                0 => drop(text.drain(at..(at + 1 + next(9)).min(text.len()))),
                1 => drop(text.splice(at..at, fragments[next(fragments.len())].chars())),
                _ => {
                    let other = next(text.len());
                    text.swap(at, other);
                }
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = AppFile::parse("sampan.yaml", &text) {
            assert!(error.to_string().starts_with("sampan.yaml:"), "{error}");
            error.hint();
        }
    }
}
