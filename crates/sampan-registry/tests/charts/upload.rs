//! Uploading, describing and deleting charts through the API of `ChartMuseum`.

use sampan_oci::archive::{Entry, Kind};
use serde_json::{Value, json};

use crate::fixture::Registry;
use crate::packing::{Folder, chart, curl, gzip, packed, push, send};

const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

fn manifest(registry: &Registry, repository: &str, tag: &str) -> Value {
    registry
        .get(&format!("/v2/{repository}/manifests/{tag}"))
        .expect(200)
        .json()
}

#[test]
fn an_uploaded_chart_is_what_helm_would_have_pushed() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let yaml = "apiVersion: v1\nname: web\nversion: 1.0.0+b1\nhome: http://a/?b&c\ndescription: The web\nsources: [http://s]\n\
                maintainers:\n- {name: A, email: a@b.c}\n- name: B\nannotations:\n  x: y\n  org.opencontainers.image.title: other\n";
    let requirements =
        "dependencies:\n- {name: db, version: 1.x, repository: http://r, alias: store}\n";
    let package = packed(&[
        (
            Entry::file("web/Chart.yaml", yaml.len() as u64),
            yaml.as_bytes(),
        ),
        (
            Entry::file("web/requirements.yaml", requirements.len() as u64),
            requirements.as_bytes(),
        ),
        (Entry::directory("web/templates"), b""),
    ]);
    let file = folder.file("web.tgz", &package);
    let saved = send(&registry, &file, "/charts/api/team/charts").expect(201);
    assert_eq!(saved, json!({"saved": true}));

    let manifest = manifest(&registry, "team/web", "1.0.0_b1");
    let mut annotations = manifest["annotations"].clone();
    let created = annotations
        .as_object_mut()
        .unwrap()
        .remove("org.opencontainers.image.created")
        .unwrap();
    assert!(
        created.as_str().unwrap().ends_with('Z') && created.as_str().unwrap().len() == 20,
        "{created}"
    );
    assert_eq!(
        annotations,
        json!({
            "org.opencontainers.image.authors": "A (a@b.c), B",
            "org.opencontainers.image.description": "The web",
            "org.opencontainers.image.source": "http://s",
            "org.opencontainers.image.title": "web",
            "org.opencontainers.image.url": "http://a/?b&c",
            "org.opencontainers.image.version": "1.0.0+b1",
            "x": "y",
        })
    );
    assert_eq!(
        manifest["config"]["mediaType"],
        "application/vnd.cncf.helm.config.v1+json"
    );
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = registry
            .get(&format!("/v2/team/web/blobs/{digest}"))
            .expect(200)
            .body;
        assert_eq!(descriptor["size"], blob.len());
        blob
    };
    let config = String::from_utf8(blob(&manifest["config"])).unwrap();
    assert_eq!(
        config,
        r#"{"name":"web","home":"http://a/?b\u0026c","sources":["http://s"],"version":"1.0.0+b1","description":"The web","maintainers":[{"name":"A","email":"a@b.c"},{"name":"B"}],"apiVersion":"v1","annotations":{"org.opencontainers.image.title":"other","x":"y"},"dependencies":[{"name":"db","version":"1.x","repository":"http://r","alias":"store"}]}"#
    );
    let layers = manifest["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!(
        layers[0]["mediaType"],
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    );
    assert_eq!(blob(&layers[0]), package);
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let file = folder.chart("web", "1.0.0");
    let path = "/charts/api/team/charts";
    send(&registry, &file, path).expect(201);
    send(&registry, &file, path).expect_error(409, "already exists");
    let other = folder.file(
        "web-1.0.0.tgz",
        &chart("{apiVersion: v2, name: web, version: 1.0.0, description: new}"),
    );
    send(&registry, &other, path).expect_error(409, "already exists");
    let describe = || curl(&registry, &["/charts/api/team/charts/web/1.0.0"]).expect(200);
    assert_eq!(describe()["description"], Value::Null);
    send(&registry, &other, "/charts/team/api/charts?force").expect(201);
    assert_eq!(describe()["description"], "new");
    // What came as an OCI artifact is just as much there.
    push(
        &registry,
        "team/db",
        "1.0.0",
        &json!({"apiVersion": "v2", "name": "db", "version": "1.0.0"}),
    );
    send(&registry, &folder.chart("db", "1.0.0"), path).expect_error(409, "already exists");
}

#[test]
fn of_many_uploads_of_one_version_one_wins() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let files: Vec<_> = (0..6)
        .map(|n| {
            let yaml =
                format!("apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: number {n}\n");
            folder.file(&format!("{n}.tgz"), &chart(&yaml))
        })
        .collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uploads: Vec<_> = files
            .iter()
            .map(|file| scope.spawn(|| send(&registry, file, "/charts/api/team/charts").status))
            .collect();
        uploads
            .into_iter()
            .map(|upload| upload.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        5,
        "{statuses:?}"
    );
}

#[test]
fn a_provenance_belongs_to_its_chart() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let (one, two) = (folder.chart("web", "1.0.0"), folder.chart("web", "2.0.0"));
    let proof = folder.provenance("web", "1.0.0");
    let second = folder.provenance("web", "2.0.0");
    let form = |field: &str, file: &std::path::Path| format!("{field}=@{}", file.display());
    let path = "/charts/api/team/charts";
    // With the chart, in one form.
    curl(
        &registry,
        &[
            "-F",
            &form("chart", &one),
            "-F",
            &form("prov", &proof),
            path,
        ],
    )
    .expect(201);
    curl(&registry, &["-F", &form("chart", &one), path]).expect_error(409, "already exists");
    let fetched = registry
        .get("/charts/team/charts/web-1.0.0.tgz.prov")
        .expect(200);
    assert_eq!(fetched.body, std::fs::read(&proof).unwrap());
    assert_eq!(fetched.header("content-type"), "application/pgp-signature");
    assert_eq!(
        manifest(&registry, "team/web", "1.0.0")["layers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // After it, alone.
    send(&registry, &second, "/charts/api/team/prov")
        .expect_error(404, "no chart version found for web-2.0.0");
    curl(&registry, &["-F", &form("chart", &two), path]).expect(201);
    registry
        .get("/charts/team/charts/web-2.0.0.tgz.prov")
        .expect(404);
    send(&registry, &second, "/charts/team/api/prov").expect(201);
    registry
        .get("/charts/team/charts/web-2.0.0.tgz.prov")
        .expect(200);
    send(&registry, &second, "/charts/api/team/prov").expect_error(409, "already exists");
    send(&registry, &second, "/charts/api/team/prov?force").expect(201);
    let layers = manifest(&registry, "team/web", "2.0.0")["layers"].clone();
    let proofs = layers
        .as_array()
        .unwrap()
        .iter()
        .filter(|layer| layer["mediaType"] == PROVENANCE);
    assert_eq!((proofs.count(), layers.as_array().unwrap().len()), (1, 2));
    // Of another chart, or none at all.
    let three = folder.chart("web", "3.0.0");
    let mixed = [
        "-F",
        &form("chart", &three),
        "-F",
        &form("prov", &proof),
        path,
    ];
    curl(&registry, &mixed).expect_error(400, "another chart");
    send(&registry, &one, "/charts/api/team/prov").expect_error(400, "invalid provenance file");
    curl(&registry, &["-F", &form("file", &three), path])
        .expect_error(400, "form fields chart and prov");
    let broken = [
        "-H",
        "Content-Type: multipart/form-data; boundary=x",
        "--data-binary",
        "y",
        path,
    ];
    curl(&registry, &broken).expect_error(400, "form");
}

#[test]
fn charts_are_listed_described_and_deleted() {
    let (registry, folder) = (Registry::start(), Folder::new());
    for (name, version) in [
        ("web", "1.0.0"),
        ("web", "1.1.0"),
        ("web", "2.0.0-rc.1"),
        ("db", "1.0.0"),
        ("api", "1.0.0"),
    ] {
        send(
            &registry,
            &folder.chart(name, version),
            "/charts/api/team/charts",
        )
        .expect(201);
    }
    let get = |path: &str| curl(&registry, &[path]);
    let names = |query: &str| {
        let listed = get(&format!("/charts/api/team/charts{query}")).expect(200);
        listed
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["api", "db", "web"]);
    assert_eq!(names("?offset=1"), ["db", "web"]);
    assert_eq!(names("?offset=1&limit=1"), ["db"]);
    assert_eq!(names("?offset=9"), [""; 0]);
    for query in ["offset=-1", "limit=0", "limit=x"] {
        get(&format!("/charts/api/team/charts?{query}")).expect_error(400, "does not fit");
    }
    let listed = get("/charts/team/api/charts/web").expect(200);
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert_eq!(listed[0]["version"], "2.0.0-rc.1");
    assert_eq!(
        get("/charts/api/team/charts/web/latest").expect(200)["version"],
        "1.1.0"
    );
    assert_eq!(
        get("/charts/api/team/charts/web/1.0.0").expect(200),
        listed[2]
    );
    get("/charts/api/team/charts/none").expect_error(404, "chart not found");
    get("/charts/api/team/charts/web/3.0.0")
        .expect_error(404, "no chart version found for web-3.0.0");
}

#[test]
fn a_deleted_chart_is_gone_in_both_forms() {
    let (registry, folder) = (Registry::start(), Folder::new());
    let get = |path: &str| curl(&registry, &[path]);
    send(
        &registry,
        &folder.chart("web", "1.0.0"),
        "/charts/api/team/charts",
    )
    .expect(201);
    for (path, status) in [
        ("web", 200),
        ("none", 404),
        ("web/1.0.0", 200),
        ("web/3.0.0", 404),
    ] {
        registry
            .ask(&format!("HEAD /charts/api/team/charts/{path}"), &[], b"")
            .expect(status);
    }
    let delete = |path: &str| curl(&registry, &["-X", "DELETE", path]);
    assert_eq!(
        delete("/charts/api/team/charts/web/1.0.0").expect(200),
        json!({"deleted": true})
    );
    delete("/charts/api/team/charts/web/1.0.0").expect_error(404, "chart not found");
    registry
        .get("/charts/team/charts/web-1.0.0.tgz")
        .expect(404);
    registry.get("/v2/team/web/manifests/1.0.0").expect(404);
    let put = registry
        .ask("PUT /charts/api/team/charts", &[], b"")
        .expect(405);
    assert_eq!(put.header("allow"), "GET, HEAD, POST");
    get("/charts/team").expect_error(404, "not a resource");
}

/// What is no chart, and what is said of it.
fn no_charts() -> Vec<(&'static str, Vec<u8>)> {
    let good = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let file = |path: &str, size: usize| Entry::file(path, size as u64);
    let with = |entry: Entry, bytes: &[u8]| {
        packed(&[
            (file("web/Chart.yaml", good.len()), good.as_bytes()),
            (entry, bytes),
        ])
    };
    let link = Entry {
        kind: Kind::Symlink(b"/etc/passwd".to_vec()),
        ..file("web/values.yaml", 0)
    };
    let large = vec![0; (5 << 20) + 1];
    let bomb = gzip(&vec![0; 101 << 20]);
    assert!(bomb.len() < 1 << 20, "a bomb is small");
    vec![
        ("not a gzipped archive", Vec::new()),
        (
            "not a gzipped archive",
            b"name: web\nversion: 1.0.0\n".to_vec(),
        ),
        ("not an archive", gzip(b"no archive")),
        ("not an archive", chart(good)[..100].to_vec()),
        ("larger than", bomb),
        ("larger than", with(file("web/large", large.len()), &large)),
        (
            "illegal file `web/../../x`",
            with(file("web/../../x", 1), b"x"),
        ),
        ("illegal file `/etc/x`", with(file("/etc/x", 1), b"x")),
        ("illegal file `../x`", with(file("../x", 1), b"x")),
        (
            "illegal file `web\\..\\x`",
            with(file("web\\..\\x", 1), b"x"),
        ),
        ("illegal file `web/values.yaml`", with(link, b"")),
        (
            "illegal file `Chart.yaml`",
            packed(&[(file("Chart.yaml", good.len()), good.as_bytes())]),
        ),
        (
            "twice",
            with(file("other/Chart.yaml", good.len()), good.as_bytes()),
        ),
        (
            "Chart.yaml file is missing",
            packed(&[(
                file("web/charts/db/Chart.yaml", good.len()),
                good.as_bytes(),
            )]),
        ),
        ("chart.metadata.version is required", chart("name: web\n")),
        ("cannot be stored", chart("name: Web\nversion: 1.0.0\n")),
        ("cannot load the chart", chart("a: &a [*a, *a]\nname: [\n")),
    ]
}

#[test]
fn what_is_no_chart_is_refused_and_leaves_no_trace() {
    let registry = Registry::start();
    for (expected, package) in no_charts() {
        let reply = registry
            .ask("POST /charts/api/team/charts", &[], &package)
            .expect(400);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(expected), "{error}");
    }
    let too_much = vec![0; (20 << 20) + 1];
    registry
        .ask("POST /charts/api/team/charts", &[], &too_much)
        .expect(413);
    assert_eq!((registry.stored(), registry.uploads()), (0, 0));
    assert_eq!(
        registry.get("/v2/_catalog").json(),
        json!({"repositories": []})
    );
}
