//! Lists of tags and repositories.

use serde_json::json;

use crate::fixture::Registry;

#[test]
fn tags_come_in_order_and_in_pages() {
    let registry = Registry::start();
    registry
        .get("/v2/a/tags/list")
        .expect_error(404, "NAME_UNKNOWN");
    registry.push_blob("a", b"only a blob");
    let list = |query: &str| registry.get(&format!("/v2/a/tags/list{query}"));
    assert_eq!(
        list("").expect(200).json(),
        json!({"name": "a", "tags": []})
    );
    for tag in ["b", "a", "C", "a.1"] {
        registry.push_image("a", tag, "content");
    }
    assert_eq!(
        list("").expect(200).json()["tags"],
        json!(["C", "a", "a.1", "b"])
    );
    let page = list("?n=2").expect(200);
    assert_eq!(page.json()["tags"], json!(["C", "a"]));
    assert_eq!(
        page.header("link"),
        "</v2/a/tags/list?last=a&n=2>; rel=\"next\""
    );
    let page = list("?last=a&n=2").expect(200);
    assert_eq!(page.json()["tags"], json!(["a.1", "b"]));
    assert_eq!(page.find("link"), None);
    let none = list("?n=0").expect(200);
    assert_eq!(
        (none.json()["tags"].clone(), none.find("link")),
        (json!([]), None)
    );
    assert_eq!(list("?last=a.1").expect(200).json()["tags"], json!(["b"]));
    assert_eq!(
        list("?n=99999999999999999999").expect(200).json()["tags"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    list("?n=-1").expect_error(400, "UNSUPPORTED");
    list("?n=many").expect_error(400, "UNSUPPORTED");
}

#[test]
fn the_catalog_comes_in_pages() {
    let registry = Registry::start();
    for name in ["b/c", "a", "b"] {
        registry.push_blob(name, b"content");
    }
    let all = registry.get("/v2/_catalog").expect(200);
    assert_eq!(all.json(), json!({"repositories": ["a", "b", "b/c"]}));
    let page = registry.get("/v2/_catalog?n=2").expect(200);
    assert_eq!(
        page.header("link"),
        "</v2/_catalog?last=b&n=2>; rel=\"next\""
    );
    let page = registry.get("/v2/_catalog?last=b&n=2").expect(200);
    assert_eq!(page.json(), json!({"repositories": ["b/c"]}));
    assert_eq!(page.find("link"), None);
}
