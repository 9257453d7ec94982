//! Charts of other machines: the client for registries carries the questions of `sampan-chart`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;

use sampan_chart::repository::{
    Artifact, CONFIG_TYPE, OLD_PACKAGE_TYPE, PACKAGE_LIMIT_BYTES, PACKAGE_TYPE, Pulled, Remote,
    RemoteError,
};
use sampan_model::Hint;
use sampan_oci::store::StoreError;
use sampan_oci::{ContentStore, Reference};
use sampan_registry::client::{Client, ClientError, Platforms, Settings, Unwatched};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::failure::{Failure, OrFail as _};

/// The media type of the manifest of a chart.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Asks registries and chart repositories, one question after the other. Must not be used from asynchronous work.
pub(crate) struct Charts {
    runtime: Runtime,
    settings: Settings,
    /// Whether registries are spoken to without TLS.
    plain_http: bool,
    /// One for each registry: which ones are spoken to without TLS is only known when they are named.
    clients: RefCell<BTreeMap<String, Client>>,
}

impl Charts {
    /// Opens no connection.
    pub(crate) fn new(settings: Settings, plain_http: bool) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .or_fail("cannot start the asynchronous runtime")?;
        Ok(Self {
            runtime,
            settings,
            plain_http,
            clients: RefCell::default(),
        })
    }

    fn client(&self, registry: &str) -> Client {
        let mut clients = self.clients.borrow_mut();
        let client = clients.entry(registry.to_owned()).or_insert_with(|| {
            let mut settings = self.settings.clone();
            if self.plain_http {
                settings.registries.plain_http.push(registry.to_owned());
            }
            Client::new(settings)
        });
        client.clone()
    }

    fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, RemoteError> {
        self.runtime.block_on(question).map_err(|error| {
            let is_absent = matches!(error, ClientError::NotFound { .. });
            RemoteError::new(error, is_absent)
        })
    }

    async fn put(&self, reference: &Reference, artifact: &Artifact) -> Result<String, ClientError> {
        // The client moves what lies in a content store; this one lives as long as the push.
        let folder = tempfile::tempdir().map_err(|source| {
            StoreError::io("make a folder below", &std::env::temp_dir(), source)
        })?;
        let store = ContentStore::open(folder.path())?;
        let descriptor = |media_type: &str, bytes: &[u8]| -> Result<_, StoreError> {
            let digest = store.put_bytes(bytes)?;
            Ok(json!({
                "mediaType": media_type,
                "digest": digest.to_string(),
                "size": bytes.len(),
            }))
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, &artifact.config)?,
            "layers": [descriptor(PACKAGE_TYPE, &artifact.package)?],
            "annotations": artifact.annotations,
        });
        let manifest = store.put_json(MANIFEST_TYPE.into(), &manifest)?;
        store.tag(reference, &manifest)?;
        let client = self.client(reference.registry());
        let pushed = client
            .push(&store, reference, reference, &Platforms::All, &Unwatched)
            .await?;
        Ok(pushed.descriptor.digest().to_string())
    }
}

impl Remote for Charts {
    fn file(&self, url: &str, limit_bytes: usize) -> Result<Vec<u8>, RemoteError> {
        let client = self.client("");
        let bytes = self.ask(client.file(url, limit_bytes))?;
        Ok(bytes.into())
    }

    fn tags(&self, repository: &str) -> Result<Vec<String>, RemoteError> {
        let reference = parse(repository)?;
        let client = self.client(reference.registry());
        self.ask(client.tags(&reference))
    }

    fn pull(&self, reference: &str) -> Result<Pulled, RemoteError> {
        let reference = parse(reference)?;
        let client = self.client(reference.registry());
        let wanted = [PACKAGE_TYPE, OLD_PACKAGE_TYPE];
        let artifact =
            self.ask(client.artifact(&reference, &wanted, PACKAGE_LIMIT_BYTES as u64))?;
        let package = artifact.parts.into_iter().next();
        Ok(Pulled {
            digest: artifact.digest.to_string(),
            package: package.map(|part| part.bytes.into()),
        })
    }

    fn push(&self, reference: &str, artifact: &Artifact) -> Result<String, RemoteError> {
        let reference = parse(reference)?;
        self.ask(self.put(&reference, artifact))
    }
}

/// Reads a reference whose host was written, as it always is in addresses of charts.
fn parse(text: &str) -> Result<Reference, RemoteError> {
    let reference: Reference = text
        .parse()
        .map_err(|error: sampan_oci::reference::ReferenceError| RemoteError::new(error, false))?;
    let host = text.split('/').next().unwrap_or_default();
    if reference.registry() == host || host == "index.docker.io" {
        Ok(reference)
    } else {
        Err(RemoteError::new(NoHost(text.to_owned()), false))
    }
}

/// An address without a host would silently mean another registry than the reader thinks.
#[derive(Debug, thiserror::Error)]
#[error("`oci://{0}` names no host")]
struct NoHost(String);

impl Hint for NoHost {
    fn hint(&self) -> Option<String> {
        Some("such as `oci://registry.example/charts/web`, or with a port".to_owned())
    }
}
