//! The registry put together.

use std::net::SocketAddr;
use std::sync::Arc;

use sampan_listen::{Authority, Certificates, Identity, Tls};
use sampan_registry::auth::UserFile;
use sampan_registry::{Config, Dependencies, Server};
use sampan_store::Store;

use super::{ReleasePins, host_name};
use crate::commands::remote;
use crate::context::Context;
use crate::failure::Failure;

/// A registry that listens, on the content and the database of the installation.
pub(super) async fn build(
    context: &Context,
    address: SocketAddr,
    store: &Store,
) -> Result<Server, Failure> {
    let config = Config::load(context.data())?;
    let identity = Identity {
        common_name: "sampan-registry",
        names: vec!["localhost".to_owned(), host_name()],
        addresses: Vec::new(),
    };
    let authority = Arc::new(Authority::load(context.data())?);
    let dependencies = Dependencies {
        data: context.data().to_owned(),
        content: context.content()?,
        store: store.clone(),
        accounts: Arc::new(UserFile::open(context.data())?),
        address,
        tls: Tls::Detected(Arc::new(Certificates::issued(authority, identity))),
        registries: remote::settings(context)?,
    };
    let pins = Arc::new(ReleasePins::new(context.content()?));
    Ok(sampan_registry::build(config, dependencies)
        .await?
        .pinned_by(pins))
}
