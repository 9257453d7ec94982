//! `sampan registry ls`: what the registry holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sampan_model::nearest;
use sampan_store::registry::{Ledger, TagRow};
use serde::Serialize;

use super::ask;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::{Table, age, size};

/// How many names are read at once.
const PAGE: u32 = 1000;

/// Arguments of `sampan registry ls`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this project, with its tags; the project of `guestbook/web` is `guestbook`
    project: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    name: String,
    /// Every digest counted once.
    usage_bytes: u64,
    repositories: Vec<Repository>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    name: String,
    tag_count: u32,
    manifest_count: u32,
    /// Of its manifests and blobs, which other repositories may hold, too.
    size_bytes: u64,
    pushed_at: Option<Timestamp>,
    /// Of one project only: there may be very many.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tag {
    name: String,
    digest: String,
    pushed_at: Timestamp,
}

/// Lists all repositories, or the tags of a project.
pub(super) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let wanted = args.project.as_deref();
    let projects = ask(context, async |ledger| {
        let names = names(ledger, wanted).await?;
        projects(ledger, names, wanted.is_some()).await
    })?;
    let projects = projects.unwrap_or_default();
    if let (Some(wanted), true) = (wanted, projects.is_empty()) {
        return Err(unknown(wanted, context)?);
    }
    if context.json() {
        return context.ui().json(&projects);
    }
    if projects.is_empty() {
        context
            .ui()
            .note("no repositories; push an image to the registry of this installation first");
        return Ok(());
    }
    context.ui().table(&if wanted.is_some() {
        tags_table(&projects)
    } else {
        repositories_table(&projects)
    })?;
    context.ui().line("")?;
    let mut table = Table::new(["project", "repositories", "usage"]);
    for project in &projects {
        table.row([
            project.name.clone(),
            project.repositories.len().to_string(),
            size(project.usage_bytes),
        ]);
    }
    context.ui().table(&table)
}

/// The names of all repositories, or those of a project.
async fn names(ledger: &Ledger, project: Option<&str>) -> Result<Vec<String>, Failure> {
    let prefix = project.map_or_else(String::new, |project| format!("{project}/"));
    let mut names = Vec::new();
    if let Some(project) = project
        && ledger.has_repository(project).await?
    {
        names.push(project.to_owned());
    }
    let mut after: Option<String> = None;
    loop {
        let page = ledger.repositories(after.as_deref(), PAGE, &prefix).await?;
        after = page.last().cloned();
        names.extend(page);
        if after.is_none() {
            return Ok(names);
        }
    }
}

async fn projects(
    ledger: &Ledger,
    names: Vec<String>,
    with_tags: bool,
) -> Result<Vec<Project>, Failure> {
    let mut projects: BTreeMap<String, Project> = BTreeMap::new();
    for name in names {
        let Some(holdings) = ledger.holdings(&name).await? else {
            continue;
        };
        let project = name.split('/').next().unwrap_or(&name).to_owned();
        let repository = Repository {
            tag_count: holdings.tags,
            manifest_count: holdings.manifests,
            size_bytes: holdings.size_bytes,
            pushed_at: holdings.pushed_at,
            tags: if with_tags {
                Some(tags(ledger, &name).await?)
            } else {
                None
            },
            name,
        };
        if let Some(known) = projects.get_mut(&project) {
            known.repositories.push(repository);
            continue;
        }
        let usage_bytes = ledger.usage(&project).await?.bytes;
        projects.insert(
            project.clone(),
            Project {
                name: project,
                usage_bytes,
                repositories: vec![repository],
            },
        );
    }
    Ok(projects.into_values().collect())
}

async fn tags(ledger: &Ledger, repository: &str) -> Result<Vec<Tag>, Failure> {
    let mut tags: Vec<Tag> = Vec::new();
    loop {
        let after = tags.last().map(|tag| tag.name.as_str());
        let page = ledger
            .tags(repository, after, PAGE)
            .await?
            .unwrap_or_default();
        if page.is_empty() {
            return Ok(tags);
        }
        tags.extend(page.into_iter().map(tag));
    }
}

fn tag(row: TagRow) -> Tag {
    Tag {
        name: row.name,
        digest: row.digest,
        pushed_at: row.pushed_at,
    }
}

fn unknown(wanted: &str, context: &Context) -> Result<Failure, Failure> {
    let names = ask(context, async |ledger| names(ledger, None).await)?.unwrap_or_default();
    let projects = names.iter().filter_map(|name| name.split('/').next());
    let hint = nearest(wanted, projects).map_or_else(
        || "`sampan registry ls` lists what there is".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Ok(Failure::new(format!("there is no project `{wanted}`"))
        .with_hint(hint)
        .with_exit(Exit::NotFound))
}

fn repositories_table(projects: &[Project]) -> Table {
    let mut table = Table::new(["repository", "tags", "manifests", "size", "pushed"]);
    for repository in projects.iter().flat_map(|project| &project.repositories) {
        table.row([
            repository.name.clone(),
            repository.tag_count.to_string(),
            repository.manifest_count.to_string(),
            size(repository.size_bytes),
            repository.pushed_at.map_or_else(String::new, ago),
        ]);
    }
    table
}

fn tags_table(projects: &[Project]) -> Table {
    let mut table = Table::new(["repository", "tag", "digest", "pushed"]);
    for repository in projects.iter().flat_map(|project| &project.repositories) {
        for tag in repository.tags.iter().flatten() {
            table.row([
                repository.name.clone(),
                tag.name.clone(),
                tag.digest.clone(),
                ago(tag.pushed_at),
            ]);
        }
    }
    table
}

fn ago(at: Timestamp) -> String {
    format!("{} ago", age(at))
}
