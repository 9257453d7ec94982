//! Registries that want more than they should get.

use serde_json::json;

use super::content::Content;
use super::scripted::{Response, Scripted};
use super::transport::{pull, serve, with_file};
use crate::name;

#[tokio::test]
async fn where_a_redirect_leads_cannot_ask_for_the_credentials_of_the_registry() {
    let thief = Scripted::start(|_| Response::new(200, json!({"token": "t"}).to_string()));
    let realm = format!("Bearer realm=\"http://{}/token\"", thief.address());
    let elsewhere =
        Scripted::start(move |_| Response::new(401, "").with("WWW-Authenticate", realm.clone()));
    let place = elsewhere.address().to_owned();
    let vendor = Content::new();
    let image = vendor.image("web:1", &[1000], 1);
    let registry = Scripted::start(move |request| {
        if request.line.contains("/blobs/") {
            return Response::new(307, "").with("Location", format!("http://{place}/blob"));
        }
        serve(&vendor, &image, request)
    });
    let folder = tempfile::tempdir().unwrap();
    let settings = with_file(folder.path(), registry.address(), &json!({"auth": "YTpi"}));
    let site = Content::new();
    let outcome = pull(settings, &site, &name(registry.address(), "web:1")).await;
    outcome.unwrap_err();
    assert!(!elsewhere.asked("/blob").is_empty());
    assert_eq!(thief.asked("").len(), 0);
}
