//! The example of the repository is a good app: described, rendered and pinned without complaint.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sampan_deploy::manifests::{self, Rendering};
use sampan_deploy::{ImagePin, ManifestFile};
use sampan_model::app::AppFile;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guestbook")
}

fn manifest_files(file: &AppFile) -> Result<Vec<ManifestFile>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder().join("kubernetes"))? {
        let path = format!("kubernetes/{}", entry?.file_name().to_string_lossy());
        if file.app.has_manifest(&path) {
            let text = fs::read_to_string(folder().join(&path))?;
            files.push(ManifestFile { path, text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[test]
fn the_guestbook_renders_for_production() -> Result<(), Box<dyn Error>> {
    let file = AppFile::parse(
        "sampan.yaml",
        &fs::read_to_string(folder().join("sampan.yaml"))?,
    )?;
    let manifests = manifests::parse(&manifest_files(&file)?)?;
    let pins: Vec<ImagePin> = manifests::images(&file.app, &manifests)?
        .into_iter()
        .map(|found| ImagePin {
            reference: format!("{}:{}", found.image, file.app.version),
            digest: format!("sha256:{}", "0".repeat(64)),
        })
        .collect();
    assert_eq!(pins.len(), file.app.images.len());
    let name = "prod".parse()?;
    let prod = &file.app.environments[&name];
    let namespace = file.app.namespace_of(prod);
    let values = file.app.values_of(&name, prod, namespace);
    let objects = manifests::render(
        &manifests,
        &Rendering {
            registry: None,
            values: &values,
            namespace,
            images: &pins,
        },
    )?;
    insta::assert_yaml_snapshot!(
        objects
            .iter()
            .map(|object| &object.body)
            .collect::<Vec<_>>()
    );
    Ok(())
}

#[test]
fn later_versions_differ_in_their_version_only() -> Result<(), Box<dyn Error>> {
    let text = |path: PathBuf| fs::read_to_string(path);
    let first = text(folder().join("sampan.yaml"))?;
    for version in ["1.1.0", "1.2.0"] {
        let later = text(folder().join("versions").join(version).join("sampan.yaml"))?;
        assert_eq!(
            later,
            first.replace("\nversion: 1.0.0\n", &format!("\nversion: {version}\n"))
        );
    }
    Ok(())
}
