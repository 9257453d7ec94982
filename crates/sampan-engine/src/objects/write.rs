//! Creating and changing objects.

use sampan_store::objects::Revision;
use sampan_supervise::clock;
use serde_json::Value;

use super::read::key;
use super::{ENGINE, Objects, convert, metadata, prepare};
use crate::error::Error;
use crate::patch::managed;
use crate::resources::{Resource, Subresource};
use crate::{defaults, schema, validate};

/// How often a change is tried again when others change the same object at the same time.
const ATTEMPTS: usize = 32;

/// How often another name is tried for `generateName`.
const NAMES: usize = 8;

/// How an object is written.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'a> {
    /// Who writes (`fieldManager`).
    pub manager: &'a str,
    /// Which part is written, `None` for the object itself.
    pub subresource: Option<Subresource>,
    /// Everything is checked and computed, nothing is stored.
    pub dry_run: bool,
    /// The object carries the ownership of its fields already (server-side apply).
    pub applied: bool,
}

impl WriteOptions<'_> {
    /// A write by the engine itself.
    #[must_use]
    pub fn engine() -> Self {
        Self {
            manager: ENGINE,
            subresource: None,
            dry_run: false,
            applied: false,
        }
    }

    /// The same, of the status.
    #[must_use]
    pub fn status(self) -> Self {
        Self {
            subresource: Some(Subresource::Status),
            ..self
        }
    }
}

impl Objects {
    /// Creates an object; see [`Objects::create`].
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::Invalid`], [`Error::Forbidden`] in a namespace that is ending.
    pub async fn create_value(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        mut object: Value,
        options: &WriteOptions<'_>,
    ) -> Result<Value, Error> {
        convert::to_stored(resource, &mut object);
        let form = resource.stored_form();
        prepare::create(form, namespace, &mut object)?;
        defaults::apply(form, &mut object);
        if resource.group.is_empty() && resource.kind == "Pod" {
            self.mount_account(namespace, &mut object).await?;
        }
        let name = metadata::text(&object, "name").map(str::to_owned);
        let Some(base) = metadata::text(&object, "generateName").map(str::to_owned) else {
            return self.insert(resource, namespace, object, options).await;
        };
        if name.is_some() {
            return self.insert(resource, namespace, object, options).await;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let mut named = object.clone();
            metadata::set(
                &mut named,
                "name",
                Some(prepare::generate_name(&base).into()),
            );
            match self.insert(resource, namespace, named, options).await {
                Err(error) if error.is_already_exists() && tries < NAMES => {}
                outcome => return outcome,
            }
        }
    }

    /// Validates and stores a new object that has its name.
    async fn insert(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        mut object: Value,
        options: &WriteOptions<'_>,
    ) -> Result<Value, Error> {
        let name = metadata::text(&object, "name")
            .unwrap_or_default()
            .to_owned();
        if resource.group == "batch" && resource.kind == "Job" {
            defaults::generate_selector(&mut object);
        }
        let causes = validate::check(resource.stored_form(), &object, None);
        refuse(resource, &name, causes)?;
        // After the object itself, so that one in a namespace that is yet to be made can be tried.
        self.check_namespace(resource, namespace, &name).await?;
        let reservation = self
            .reserve_addresses(resource, &name, None, &mut object)
            .await?;
        if !options.applied {
            record(resource, None, &mut object, options)?;
        }
        let revision = if options.dry_run {
            if self.exists(resource, namespace, &name).await? {
                return Err(Error::AlreadyExists { resource, name });
            }
            None
        } else {
            let created = self
                .inner
                .rows
                .create(key(resource, namespace, &name), object.to_string())
                .await
                .map_err(|error| refused(error, resource, &name))?;
            reservation.keep();
            Some(created)
        };
        Ok(shown(resource, object, revision))
    }

    /// Changes an object: `change` computes the new one from the current one, and is called again when somebody
    /// else was faster. A `resourceVersion` or `uid` in the new object is a precondition.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`], or what `change` answers.
    pub async fn update_value(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
        options: &WriteOptions<'_>,
        change: impl Fn(&Value) -> Result<Value, Error> + Send + Sync,
    ) -> Result<Value, Error> {
        for _ in 0..ATTEMPTS {
            let (current, revision) = self.read(resource, namespace, name).await?;
            let wanted = change(&current)?;
            prepare::check_preconditions(resource, name, &current, &wanted)?;
            match self
                .replace_row(resource, namespace, options, (current, revision), wanted)
                .await
            {
                Err(Error::Store(sampan_store::Error::Conflict { .. })) => {}
                outcome => return outcome,
            }
        }
        Err(prepare::modified(resource, name))
    }

    /// Stores a changed object in place of the current one, if that is still current.
    async fn replace_row(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        options: &WriteOptions<'_>,
        (mut current, revision): (Value, Revision),
        mut wanted: Value,
    ) -> Result<Value, Error> {
        convert::to_stored(resource, &mut current);
        convert::to_stored(resource, &mut wanted);
        let form = resource.stored_form();
        metadata::set(&mut current, "resourceVersion", None);
        let name = metadata::text(&current, "name")
            .unwrap_or_default()
            .to_owned();
        prepare::update(resource, &current, &mut wanted, options.subresource);
        if options.subresource.is_none() {
            defaults::apply(form, &mut wanted);
        }
        let reservation = self
            .reserve_addresses(resource, &name, Some(&current), &mut wanted)
            .await?;
        prepare::count_generation(resource, &current, &mut wanted);
        refuse(
            resource,
            &name,
            validate::check(form, &wanted, Some(&current)),
        )?;
        if !options.applied {
            record(resource, Some(&current), &mut wanted, options)?;
        }
        if wanted == current || prepare::only_times_differ(&current, &wanted) {
            return Ok(shown(resource, current, Some(revision)));
        }
        if options.dry_run {
            return Ok(shown(resource, wanted, Some(revision)));
        }
        let key = key(resource, namespace, &name);
        let ended = prepare::has_ended(&wanted);
        let written = if ended {
            self.inner.rows.delete(key, Some(revision)).await
        } else {
            self.inner
                .rows
                .update(key, Some(revision), wanted.to_string())
                .await
        };
        let written = match written {
            Ok(written) => written,
            Err(sampan_store::Error::NotFound(_)) => {
                return Err(Error::NotFound { resource, name });
            }
            Err(error) => return Err(Error::Store(error)),
        };
        reservation.keep();
        self.release_addresses(resource, &current, (!ended).then_some(&wanted));
        Ok(shown(resource, wanted, Some(written)))
    }

    pub(super) async fn exists(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<bool, Error> {
        match self.get_value(resource, namespace, name).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The object as callers see it: with its revision, in the form of the asked-for group.
pub(super) fn shown(
    resource: &'static Resource,
    mut object: Value,
    revision: Option<Revision>,
) -> Value {
    if let Some(revision) = revision {
        metadata::set_revision(&mut object, revision);
    }
    convert::from_stored(resource, &mut object);
    object
}

fn refuse(
    resource: &'static Resource,
    name: &str,
    causes: Vec<crate::error::Cause>,
) -> Result<(), Error> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid {
        resource,
        name: name.to_owned(),
        causes,
    })
}

/// Notes who owns the fields that this write has changed.
fn record(
    resource: &'static Resource,
    before: Option<&Value>,
    after: &mut Value,
    options: &WriteOptions<'_>,
) -> Result<(), Error> {
    let time = prepare::timestamp(clock::now());
    let update = managed::Update {
        manager: options.manager,
        subresource: options.subresource.map(Subresource::path),
        time: &time,
    };
    managed::record_update(
        schema::of(resource.stored_group, resource.kind),
        before,
        after,
        &update,
    )
    .map_err(|error| Error::BadRequest(error.to_string()))
}

/// What a refusal of the store means to a client.
pub(super) fn refused(
    error: sampan_store::Error,
    resource: &'static Resource,
    name: &str,
) -> Error {
    let name = name.to_owned();
    match error {
        sampan_store::Error::NotFound(_) => Error::NotFound { resource, name },
        sampan_store::Error::Exists(_) => Error::AlreadyExists { resource, name },
        sampan_store::Error::Conflict { .. } => prepare::modified(resource, &name),
        error => Error::Store(error),
    }
}
