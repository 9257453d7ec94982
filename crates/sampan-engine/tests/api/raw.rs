//! What client libraries send, through `kubectl get --raw`.

use serde_json::Value;

use crate::fixture::Fixture;

async fn get(f: &Fixture, path: &str) -> Value {
    serde_json::from_str(&f.kubectl(&["get", "--raw", path]).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_list_ends_its_beginning_with_a_bookmark() {
    let f = Fixture::start().await;
    let path = "/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    let text = f.kubectl(&["get", "--raw", path]).await;
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(kinds, ["ADDED", "ADDED", "ADDED", "ADDED", "BOOKMARK"]);
    let annotations = &events[4]["object"]["metadata"]["annotations"];
    assert_eq!(annotations["k8s.io/initial-events-end"], "true");
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_true_at_the_revision_of_the_first() {
    let f = Fixture::start().await;
    let first = get(&f, "/api/v1/configmaps?limit=2").await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    f.kubectl(&[
        "apply",
        "-f",
        &f.manifest(
            "z.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, namespace: kube-system}\n",
        ),
    ])
    .await;
    let rest = get(
        &f,
        &format!("/api/v1/configmaps?limit=500&continue={token}"),
    )
    .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        rest["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    let all = get(&f, "/api/v1/configmaps").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 5);
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_out_of_reach_are_refused() {
    let f = Fixture::start().await;
    let future = f
        .refused(&["get", "--raw", "/api/v1/configmaps?resourceVersion=999999"])
        .await;
    assert!(future.contains("Too large resource version"), "{future}");
    let nothing = f.refused(&["get", "--raw", "/api/v1/unicorns"]).await;
    assert!(
        nothing.contains("the server could not find the requested resource"),
        "{nothing}"
    );
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_answered() {
    let f = Fixture::start().await;
    assert_eq!(get(&f, "/version").await["minor"], "33");
    assert_eq!(f.kubectl(&["get", "--raw", "/readyz"]).await, "ok");
    let verbose = f.kubectl(&["get", "--raw", "/readyz?verbose"]).await;
    assert!(verbose.contains("[+]store ok"), "{verbose}");
    assert_eq!(get(&f, "/api").await["kind"], "APIVersions");
    assert_eq!(get(&f, "/apis").await["kind"], "APIGroupList");
    assert_eq!(
        get(&f, "/apis/apps").await["preferredVersion"]["version"],
        "v1"
    );
    let resources = get(&f, "/api/v1").await;
    let names: Vec<&str> = resources["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|resource| resource["name"].as_str())
        .collect();
    assert!(
        names.contains(&"pods/log") && names.contains(&"namespaces/finalize"),
        "{names:?}"
    );
    assert!(get(&f, "/openapi/v3").await["paths"]["apis/apps/v1"].is_object());
    f.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_store_does_not_answer_is_not_ready() {
    let f = Fixture::start().await;
    f.close_store().await;
    let failed = f.refused(&["get", "--raw", "/readyz"]).await;
    assert!(failed.contains("[-]store failed"), "{failed}");
    assert_eq!(f.kubectl(&["get", "--raw", "/livez"]).await, "ok");
    f.stop().await;
}
