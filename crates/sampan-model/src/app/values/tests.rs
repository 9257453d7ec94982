use serde_json::json;

use super::{ValueError, Values};

fn values() -> Values {
    Values::from_json(
        json!({"replicas": 1, "host": null, "go": null, "tag": "1", "web": {"debug": false}, "labels": {}}),
    )
    .expect("the values are a mapping")
}

#[test]
fn sets_with_the_declared_type() {
    let declared = values();
    let mut values = values();
    for (name, text) in [
        ("replicas", "3"),
        ("host", "a.example"),
        ("go", "1.20"),
        ("tag", "007"),
        ("web.debug", "true"),
        ("labels.team", "x"),
        ("labels.deep.er", "2"),
    ] {
        let given = declared.assigned(name, text);
        values.merge(&given.unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    assert_eq!(
        serde_json::to_value(&values).expect("values are JSON"),
        json!({"replicas": 3, "host": "a.example", "go": "1.20", "tag": "007", "web": {"debug": true}, "labels": {"team": "x", "deep": {"er": 2}}})
    );
}

#[test]
fn refuses_other_names_and_types() {
    let values = values();
    let error = values
        .assigned("replica", "3")
        .expect_err("the name is not declared");
    assert_eq!(
        error.to_string(),
        "the app has no value `replica`; did you mean `replicas`?"
    );
    let error = values
        .assigned("replicas", "many")
        .expect_err("the text is no number");
    assert_eq!(
        error.to_string(),
        "the value `replicas` must be a number, but `many` is not"
    );
    let error = values
        .assigned("replicas", "03")
        .expect_err("the number is written otherwise");
    assert_eq!(
        error.to_string(),
        "the value `replicas` must be a number in its plain notation, but `03` is not"
    );
    assert!(matches!(
        values.assigned("web", "x"),
        Err(ValueError::WrongType { .. })
    ));
    assert!(matches!(
        values.assigned("labels.a[0]", "x"),
        Err(ValueError::NoName(_))
    ));
}

#[test]
fn merges_mapping_by_mapping() {
    let mut values = values();
    values.merge(
        &Values::from_json(json!({"web": {"debug": true}, "replicas": 2})).expect("a mapping"),
    );
    assert_eq!(values.get("web.debug"), Some(&json!(true)));
    assert_eq!(values.get("replicas"), Some(&json!(2)));
    assert_eq!(values.get("tag"), Some(&json!("1")));
    assert_eq!(
        values.only("web.debug").as_map(),
        json!({"web": {"debug": true}})
            .as_object()
            .expect("a mapping")
    );
    assert_eq!(values.only("web.nothing"), Values::default());
}
