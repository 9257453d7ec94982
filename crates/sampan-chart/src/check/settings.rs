//! How strict a check is: `.sampan-lint.yaml`, and what the command line adds to it.
//!
//! ```yaml
//! kubernetesVersion: "1.33"
//! failOn: warning                      # or critical, which is the usual
//! enable: [air-gap, resource-cpu-limit]
//! disable:
//!   - rule: network-policy
//!     reason: the site is one machine behind its own firewall
//! grades: {probe-liveness: critical}
//! external:                            # what somebody else makes
//!   - {kind: Secret, name: registry-*, keys: [username, password]}
//! ignore:
//!   - {rule: security-*, object: DaemonSet/node-exporter, reason: it looks at the machine}
//! hosts: [ntp.example, "*.corp.example"]   # may be talked to from the site
//! crds: [schemas/*.yaml]
//! rules: []                            # rules of your own, see `OwnRule`
//! ```

use std::sync::Arc;

use sampan_kubernetes::Version;
use sampan_oci::Reference;

use super::finding::{Finding, Grade};
use super::input::Input;
use super::rule::{Group, Judge, Rule};
use super::rules;

mod read;

pub use read::SettingsError;

/// The usual name of the file.
pub const FILE_NAME: &str = ".sampan-lint.yaml";

/// How strict a check is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The version of Kubernetes that the manifests are for; the newest that is known where it is not given.
    pub kubernetes_version: Option<Version>,
    /// The grade from which on a check fails.
    pub fail_on: Grade,
    /// Patterns of rules and groups that are judged although they are optional.
    pub enable: Vec<String>,
    /// Patterns of rules and groups that are not judged.
    pub disable: Vec<String>,
    /// When not empty, the only rules that are judged.
    pub only: Vec<String>,
    /// Whether all that holds is reported too.
    pub with_ok: bool,
    /// Patterns of files with definitions of custom resources, relative to the file of the settings.
    pub crds: Vec<String>,
    /// The images of the app that the manifests belong to, by name.
    app_images: Vec<String>,
    /// Whether the images of containers are pinned by a release.
    pub(super) is_pinned: bool,
    pub(super) grades: Vec<(String, Grade)>,
    pub(super) external: Vec<External>,
    pub(super) ignore: Vec<Ignore>,
    pub(super) hosts: Vec<String>,
    own: Vec<Rule>,
}

/// Something that the manifests use and somebody else makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct External {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Its keys; any where it does not say.
    pub(super) keys: Option<Vec<String>>,
}

/// Findings that may be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ignore {
    pub(super) rule: String,
    /// `KIND/NAME`
    pub(super) object: Option<String>,
    pub(super) file: Option<String>,
    pub(super) reason: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kubernetes_version: None,
            fail_on: Grade::Critical,
            enable: Vec::new(),
            disable: Vec::new(),
            only: Vec::new(),
            with_ok: false,
            crds: Vec::new(),
            app_images: Vec::new(),
            is_pinned: false,
            grades: Vec::new(),
            external: Vec::new(),
            ignore: Vec::new(),
            hosts: Vec::new(),
            own: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads the text of a `.sampan-lint.yaml`; `file` is its name for messages.
    ///
    /// # Errors
    /// [`SettingsError`] with file, line and column at the first thing that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsError> {
        read::settings(file, text)
    }

    /// Adds the rules of a file that holds nothing but a list of rules, or `rules:` with one.
    ///
    /// # Errors
    /// [`SettingsError`] with file, line and column at the first thing that is wrong.
    pub fn add_rules(&mut self, file: &str, text: &str) -> Result<(), SettingsError> {
        let more = read::own_rules(file, text)?;
        self.own.extend(more);
        Ok(())
    }

    /// The version of Kubernetes that the manifests are for.
    #[must_use]
    pub fn version(&self) -> Version {
        self.kubernetes_version.unwrap_or(Version::NEWEST)
    }

    /// Hosts that may be talked to from the site, with `*` for any part.
    pub fn allow_hosts(&mut self, hosts: impl IntoIterator<Item = String>) {
        self.hosts.extend(hosts);
    }

    /// The settings for one input: apps are made for sites without a network.
    pub(super) fn with_app(&self, input: &Input) -> Self {
        let mut own = self.clone();
        own.app_images.clone_from(&input.app_images);
        own.is_pinned = input.is_app;
        if input.is_app {
            own.enable.push(Group::AirGap.as_str().to_owned());
        }
        own
    }

    /// All rules: those of this program and the user's own.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        rules::all().iter().chain(&self.own)
    }

    /// The rules that are judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = &Rule> {
        self.rules().filter(|rule| self.is_judged(rule))
    }

    fn is_judged(&self, rule: &Rule) -> bool {
        let in_list = |list: &[String]| list.iter().any(|pattern| names(pattern, rule));
        if !self.only.is_empty() {
            return in_list(&self.only);
        }
        !in_list(&self.disable) && (!rule.optional || in_list(&self.enable))
    }

    /// Whether a pattern names some rule or group.
    #[must_use]
    pub fn knows(&self, pattern: &str) -> bool {
        self.rules().any(|rule| names(pattern, rule))
    }

    /// The grade that the user has given a rule.
    pub(super) fn grade_of(&self, rule: &Rule) -> Option<Grade> {
        let given = self
            .grades
            .iter()
            .rev()
            .find(|(pattern, _)| names(pattern, rule));
        given.map(|(_, grade)| *grade)
    }

    /// Why a finding may be so.
    pub(super) fn ignored_because(&self, finding: &Finding) -> Option<&str> {
        let object = finding
            .object
            .as_ref()
            .map(|object| format!("{}/{}", object.kind, object.name));
        let ignore = self.ignore.iter().find(|ignore| {
            let fits_object = ignore.object.as_ref().is_none_or(|pattern| {
                object
                    .as_ref()
                    .is_some_and(|object| fits_pattern(pattern, object))
            });
            let fits_file = ignore
                .file
                .as_ref()
                .is_none_or(|pattern| fits_pattern(pattern, &finding.place.file));
            fits_pattern(&ignore.rule, &finding.rule) && fits_object && fits_file
        });
        ignore.map(|ignore| ignore.reason.as_str())
    }

    /// Whether somebody else makes an object.
    pub(super) fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.externals(kind, name).any(|external| {
            external
                .namespace
                .as_ref()
                .is_none_or(|pattern| fits_pattern(pattern, namespace))
        })
    }

    /// Whether somebody else makes an object with this key.
    pub(super) fn is_external_key(&self, kind: &str, name: &str, key: &str) -> bool {
        self.externals(kind, name).any(|external| {
            external
                .keys
                .as_ref()
                .is_none_or(|keys| keys.iter().any(|pattern| fits_pattern(pattern, key)))
        })
    }

    fn externals<'a>(&'a self, kind: &'a str, name: &'a str) -> impl Iterator<Item = &'a External> {
        let all = self.external.iter();
        all.filter(move |external| {
            fits_pattern(&external.kind, kind) && fits_pattern(&external.name, name)
        })
    }

    /// Whether a host may be talked to from the site.
    pub(super) fn allows_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|pattern| fits_pattern(pattern, host))
    }

    /// Whether an image is built with the app.
    pub(super) fn is_of_app(&self, image: &Reference) -> bool {
        let name = image.familiar_name();
        self.app_images.contains(&name)
    }
}

fn names(pattern: &str, rule: &Rule) -> bool {
    pattern == rule.group.as_str() || fits_pattern(pattern, &rule.id)
}

/// Whether a text fits a pattern, in which `*` stands for any part.
pub(super) fn fits_pattern(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

/// A rule of the user's, as it stands in the table.
pub(super) fn own(rule: super::own::OwnRule, texts: [String; 3], id: String, grade: Grade) -> Rule {
    let [summary, why, mend] = texts;
    Rule {
        id: id.into(),
        group: Group::Own,
        grade,
        optional: false,
        summary: summary.into(),
        why: why.into(),
        mend: mend.into(),
        judge: Judge::Own(Arc::new(rule)),
    }
}
