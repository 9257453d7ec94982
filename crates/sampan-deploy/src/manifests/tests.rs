use std::fmt::Write;

use sampan_model::Hint;
use sampan_model::app::{AppFile, Values};

use super::{ImageName, Manifest, ManifestError, Rendering, images, parse, render};
use crate::release::{ImagePin, ManifestFile};

const WEB: &str = r#"apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules: [{host: "${host}"}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/managed-by: me}
spec:
  replicas: ${web.replicas}
  template:
    spec:
      nodeSelector: ${nodeSelector}
      initContainers:
        - {name: wait, image: "docker.io/library/busybox:1.36"}
      containers:
        - name: web
          image: shop-web
          env:
            - {name: REPLICAS, value: "${web.replicas}"}
            - {name: SCRIPT, value: "echo $${HOME} $HOME $(HOME)"}
      volumes:
        - {name: data, image: {reference: shop-data:7}}
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: settings}
    data:
      version: ${app.version}
      containers: |
        - image: no-image
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: reader, namespace: nonsense}
"#;

const APP: &str = r"apiVersion: sampan/v1
kind: App
name: shop
version: 1.2.3
images: [{name: shop-web, context: web}]
manifests: [web.yaml]
values:
  host: null
  web: {replicas: 1}
  nodeSelector: {}
environments:
  prod:
    values: {host: shop.example, web: {replicas: 3}, nodeSelector: {disk: ssd}}
";

fn file(text: &str) -> Result<Vec<Manifest>, ManifestError> {
    parse(&[ManifestFile {
        path: "web.yaml".to_owned(),
        text: text.to_owned(),
    }])
}

fn pins() -> Vec<ImagePin> {
    ["shop-web:1.2.3", "busybox:1.36", "shop-data:7"]
        .into_iter()
        .zip(["a", "b", "c"])
        .map(|(reference, digit)| ImagePin {
            reference: reference.to_owned(),
            digest: format!("sha256:{}", digit.repeat(64)),
        })
        .collect()
}

fn app() -> sampan_model::app::App {
    AppFile::parse("sampan.yaml", APP)
        .expect("the text describes an app")
        .app
}

fn values() -> Values {
    let app = app();
    let (name, environment) = app
        .environments
        .iter()
        .next()
        .expect("the app has an environment");
    app.values_of(name, environment, "shop")
}

#[test]
fn objects_are_filled_pinned_and_ordered() {
    let manifests = file(WEB).expect("the manifests are good");
    let rendering = Rendering {
        registry: None,
        values: &values(),
        namespace: "shop",
        images: &pins(),
    };
    let objects = render(&manifests, &rendering).expect("all values and images are there");
    insta::assert_json_snapshot!(objects);
}

#[test]
fn images_without_a_registry_are_taken_from_the_one_that_is_named() {
    let elsewhere = "registry.example:5000/shop-data:7";
    let mut pins = pins();
    pins[2].reference = elsewhere.to_owned();
    let text = WEB.replace("shop-data:7", elsewhere);
    let manifests = file(&text).expect("the manifests are good");
    let rendering = Rendering {
        registry: Some("other.example/team/"),
        values: &values(),
        namespace: "shop",
        images: &pins,
    };
    let objects = render(&manifests, &rendering).expect("all values and images are there");
    let text = serde_json::to_string(&objects).expect("objects can be written");
    for name in [
        "other.example/team/shop-web",
        "other.example/team/busybox",
        "registry.example:5000/shop-data",
    ] {
        assert!(
            text.contains(&format!("\"{name}@sha256:")),
            "{name}: {text}"
        );
    }
}

#[test]
fn images_are_found_wherever_containers_are() {
    let found =
        images(&app(), &file(WEB).expect("the manifests are good")).expect("all values are there");
    let mut text = String::new();
    for image in found {
        writeln!(text, "{} {}", image.location, image.image).expect("a string takes any text");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn says_what_is_wrong_and_where() {
    let refusal = |from: &str, to: &str| {
        let text = WEB.replacen(from, to, 1);
        assert_ne!(text, WEB, "`{from}` occurs");
        let error = file(&text)
            .and_then(|manifests| {
                images(&app(), &manifests)?;
                render(
                    &manifests,
                    &Rendering {
                        registry: None,
                        values: &values(),
                        namespace: "shop",
                        images: &pins(),
                    },
                )
            })
            .expect_err("the manifests are refused");
        format!("{error}\n  hint: {}", error.hint().unwrap_or_default())
    };
    let refusals = [
        refusal("kind: Ingress", "knid: Ingress"),
        refusal("apiVersion: apps/v1\n", ""),
        refusal("metadata: {name: web}", "metadata: {nmae: web}"),
        refusal("metadata: {name: web}", "metadata: {name: 7}"),
        refusal("metadata: {name: web}\n", ""),
        refusal("${web.replicas}", "${web.replica}"),
        refusal("${web.replicas}", "${web.replicas"),
        refusal("$${HOME}", "${HOME}"),
        refusal("image: shop-web", "image: shop-wep"),
        refusal("image: shop-web", "image: shop-web:1.2.4"),
        refusal("image: shop-web", "image: 'shop web'"),
        refusal("shop-data:7", "shop-data@sha256:00"),
        refusal(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress",
            "apiVersion: apps/v1beta1\nkind: Deployment",
        ),
        file("- a\n").expect_err("a list is refused").to_string(),
        file("# nothing\n")
            .expect_err("nothing is refused")
            .to_string(),
        file("a: [\n")
            .expect_err("a syntax error is refused")
            .to_string(),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn image_names_are_familiar() {
    for (text, name) in [
        ("docker.io/library/redis:7", "redis:7"),
        ("library/redis", "redis"),
        ("docker.io/team/app@sha256:ab", "team/app@sha256:ab"),
        ("localhost:5000/app", "localhost:5000/app"),
        (
            "localhost:5000/app:1@sha256:ab",
            "localhost:5000/app:1@sha256:ab",
        ),
    ] {
        assert_eq!(
            ImageName::parse(text)
                .map(|name| name.to_string())
                .as_deref(),
            Some(name)
        );
    }
    for text in ["", ":1", "a b", "a:", "a@b", "a:b:c d"] {
        assert_eq!(ImageName::parse(text), None, "{text}");
    }
}

/// Mutations of good manifests, from a fixed seed, may be refused but must neither panic nor take long.
#[test]
fn damaged_manifests_are_refused_calmly() {
    let mut state: u64 = 0x5eed_cafe;
    let mut next = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).expect("the bound is small"))
            .expect("it is below the bound")
    };
    let fragments = [
        "${", "}", ": ", "- ", "\n---\n", "  ", "'", "\"", "&a ", "*a", "[", "{", "|", "@", ":",
    ];
    for _ in 0..1_000 {
        let mut text: Vec<char> = WEB.chars().collect();
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
        let outcome = file(&text).and_then(|manifests| {
            images(&app(), &manifests)?;
            render(
                &manifests,
                &Rendering {
                    registry: None,
                    values: &values(),
                    namespace: "shop",
                    images: &pins(),
                },
            )
        });
        if let Err(error) = outcome {
            assert!(error.to_string().contains("web.yaml"), "{error}");
        }
    }
}
