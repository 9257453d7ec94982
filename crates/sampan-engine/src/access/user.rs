//! Users of the API.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sampan_supervise::clock;
use serde_json::{Value, json};

use crate::error::Error;
use crate::keys::Keys;
use crate::keys::signer::{Claims, ISSUER, Named};
use crate::objects::Objects;

/// Who is in it may do everything.
const MASTERS: &str = "system:masters";
/// Everybody who has shown who they are.
const AUTHENTICATED: &str = "system:authenticated";
/// The beginning of the names of all accounts as users.
const ACCOUNT: &str = "system:serviceaccount:";

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// The name.
    pub(crate) name: String,
    /// What tells users of the same name apart, if known.
    pub(crate) uid: String,
    /// The groups.
    pub(crate) groups: Vec<String>,
    /// What else is known.
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

/// What a token is worth.
#[derive(Debug)]
pub(crate) struct Bearer {
    /// Who carries it.
    pub(crate) user: User,
    /// For whom it was issued.
    pub(crate) audiences: Vec<String>,
}

impl User {
    /// Who carries the administrator's token.
    pub(crate) fn administrator() -> Self {
        Self {
            name: "kubernetes-admin".to_owned(),
            groups: vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// A user of whom somebody speaks; accounts are in the groups of accounts.
    pub(crate) fn named(name: &str, groups: Vec<String>) -> Self {
        let mut user = Self {
            name: name.to_owned(),
            groups,
            ..Self::default()
        };
        if user.groups.is_empty()
            && let Some((namespace, _)) = user.account()
        {
            user.groups = account_groups(namespace);
        }
        if !user.groups.iter().any(|group| group == AUTHENTICATED) {
            user.groups.push(AUTHENTICATED.to_owned());
        }
        user
    }

    fn of(claims: &Claims) -> Self {
        let about = &claims.about;
        let mut groups = account_groups(&about.namespace);
        groups.push(AUTHENTICATED.to_owned());
        let mut extra = BTreeMap::from([("credential-id", format!("JTI={}", claims.id))]);
        if let Some(pod) = &about.pod {
            extra.insert("pod-name", pod.name.clone());
            extra.insert("pod-uid", pod.uid.clone());
        }
        let named = |(name, value)| (format!("authentication.kubernetes.io/{name}"), vec![value]);
        Self {
            name: claims.subject.clone(),
            uid: about.serviceaccount.uid.clone(),
            groups,
            extra: extra.into_iter().map(named).collect(),
        }
    }

    /// Whether everything is allowed.
    pub(crate) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    /// Namespace and name of a service account.
    pub(crate) fn account(&self) -> Option<(&str, &str)> {
        self.name.strip_prefix(ACCOUNT)?.split_once(':')
    }

    /// What reviews tell of the user.
    pub(crate) fn info(&self) -> Value {
        let mut info = json!({"username": self.name, "groups": self.groups});
        if !self.uid.is_empty() {
            info["uid"] = self.uid.as_str().into();
        }
        if !self.extra.is_empty() {
            info["extra"] = json!(self.extra);
        }
        info
    }
}

fn account_groups(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

impl Bearer {
    /// Who carries a token; nobody when it does not count.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn of(
        token: &str,
        keys: &Keys,
        objects: &Objects,
    ) -> Result<Option<Self>, Error> {
        if keys.token.is(token) {
            return Ok(Some(Self {
                user: User::administrator(),
                audiences: vec![ISSUER.to_owned()],
            }));
        }
        let Some(claims) = keys.signer.verify(token, clock::now()) else {
            return Ok(None);
        };
        Ok(is_current(objects, &claims).await?.then(|| Self {
            user: User::of(&claims),
            audiences: claims.audiences,
        }))
    }

    /// Whether the token was issued for the API itself.
    pub(crate) fn is_for_api(&self) -> bool {
        self.audiences.iter().any(|audience| audience == ISSUER)
    }
}

/// Whether the account of a token is still the same, and what the token is bound to is still there.
///
/// # Errors
/// When the store fails.
async fn is_current(objects: &Objects, claims: &Claims) -> Result<bool, Error> {
    let (about, namespace) = (&claims.about, Some(claims.about.namespace.as_str()));
    let account = &about.serviceaccount;
    let found: Option<ServiceAccount> = objects.get(namespace, &account.name).await?;
    if !found.is_some_and(|found| is_same(&found.metadata, account)) {
        return Ok(false);
    }
    if let Some(pod) = &about.pod {
        let found: Option<Pod> = objects.get(namespace, &pod.name).await?;
        return Ok(found.is_some_and(|found| is_same(&found.metadata, pod)));
    }
    if let Some(secret) = &about.secret {
        let found: Option<Secret> = objects.get(namespace, &secret.name).await?;
        return Ok(found.is_some_and(|found| is_same(&found.metadata, secret)));
    }
    Ok(true)
}

fn is_same(metadata: &ObjectMeta, named: &Named) -> bool {
    metadata.uid.as_deref() == Some(&named.uid)
}
