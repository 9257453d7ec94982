//! The tokens of a pod's service account, as its projected volumes carry them: issued when they are first needed, and again
//! before they end. They count as long as the pod is there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Pod, PodSpec, ServiceAccount, ServiceAccountTokenProjection};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::keys::signer::{About, ISSUER, Issued, Named, Signer};

/// What a volume asks for when it was not the user who has written it. Programs that read their token only once are to live
/// with it, and nothing shall be written every hour for those that do not, so such a token counts for a year: it is worth
/// nothing without its pod anyhow.
pub(crate) const MOUNTED_SECONDS: i64 = 3607;
const YEAR_SECONDS: i64 = 365 * 24 * 60 * 60;

/// A token that a volume asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    audience: String,
    seconds: i64,
}

impl Wanted {
    fn of(source: &ServiceAccountTokenProjection) -> Self {
        let audience = source.audience.clone().unwrap_or_default();
        let audience = if audience.is_empty() {
            ISSUER.to_owned()
        } else {
            audience
        };
        let seconds = source.expiration_seconds.unwrap_or(3600);
        let is_mounted = seconds == MOUNTED_SECONDS && audience == ISSUER;
        Self {
            audience,
            seconds: if is_mounted { YEAR_SECONDS } else { seconds },
        }
    }
}

/// The tokens that the volumes of a pod carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    issued: BTreeMap<Wanted, Issued>,
    /// The account that they are for.
    account: Option<Named>,
}

/// What volumes ask for.
pub(crate) fn projections(spec: &PodSpec) -> impl Iterator<Item = &ServiceAccountTokenProjection> {
    let volumes = spec.volumes.iter().flatten();
    let projected = volumes.filter_map(|volume| volume.projected.as_ref());
    projected
        .flat_map(|projected| projected.sources.iter().flatten())
        .filter_map(|source| source.service_account_token.as_ref())
}

/// The name of a pod's account.
pub(crate) fn account_name(spec: &PodSpec) -> &str {
    spec.service_account_name.as_deref().unwrap_or("default")
}

impl Tokens {
    /// Issues what is missing, or will soon end. Without the account there are none.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub(crate) fn refresh(
        &mut self,
        pod: &Pod,
        account: Option<&ServiceAccount>,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<(), ring::error::Unspecified> {
        let account = account.map(|account| named(&account.metadata));
        if self.account != account {
            self.issued.clear();
            self.account = account;
        }
        let (Some(account), Some(spec)) = (&self.account, &pod.spec) else {
            return Ok(());
        };
        for source in projections(spec) {
            let wanted = Wanted::of(source);
            let known = self.issued.get(&wanted);
            if known.is_some_and(|known| now < renewal(known)) {
                continue;
            }
            let about = About {
                namespace: pod.metadata.namespace.clone().unwrap_or_default(),
                serviceaccount: account.clone(),
                pod: Some(named(&pod.metadata)),
                secret: None,
            };
            let audiences = vec![wanted.audience.clone()];
            let issued = signer.issue(about, audiences, wanted.seconds, now)?;
            self.issued.insert(wanted, issued);
        }
        Ok(())
    }

    /// The token that a volume asks for.
    pub(crate) fn get(&self, source: &ServiceAccountTokenProjection) -> Option<&str> {
        let issued = self.issued.get(&Wanted::of(source));
        issued.map(|issued| issued.token.as_str())
    }

    /// When the next one is to be issued again.
    pub(crate) fn renew_at(&self) -> Option<Timestamp> {
        self.issued.values().map(renewal).min()
    }

    /// Changes whenever a token does.
    pub(crate) fn fingerprint(&self) -> String {
        let moments = self.issued.values().map(|issued| issued.at.to_string());
        format!(
            "{:?}{}",
            self.account,
            moments.collect::<Vec<_>>().join(",")
        )
    }
}

/// When four fifths of a token's time are over.
fn renewal(issued: &Issued) -> Timestamp {
    let lifetime = issued.expires.duration_since(issued.at);
    let part = SignedDuration::from_secs(lifetime.as_secs() / 5 * 4);
    issued.at.checked_add(part).unwrap_or(issued.expires)
}

fn named(metadata: &ObjectMeta) -> Named {
    Named {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn tokens_are_issued_again_before_they_end() {
        let signer = Signer::load(tempfile::tempdir().unwrap().path()).unwrap();
        let source = |audience: &str, seconds: i64| json!({"serviceAccountToken": {"path": "token", "audience": audience, "expirationSeconds": seconds}});
        let sources = [source("", MOUNTED_SECONDS), source("vault", 1000)];
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "1"},
            "spec": {"containers": [], "volumes": [{"name": "a", "projected": {"sources": sources}}]},
        }))
        .unwrap();
        let account = |uid: &str| -> ServiceAccount {
            serde_json::from_value(json!({"metadata": {"name": "default", "uid": uid}})).unwrap()
        };
        let sources: Vec<_> = projections(pod.spec.as_ref().unwrap()).collect();
        let mut tokens = Tokens::default();
        tokens.refresh(&pod, None, &signer, at(0)).unwrap();
        assert_eq!(tokens.get(sources[0]), None, "there is no account yet");
        tokens
            .refresh(&pod, Some(&account("a")), &signer, at(0))
            .unwrap();
        let read = |tokens: &Tokens, index: usize| {
            let token = tokens.get(sources[index]).unwrap();
            signer.verify(token, at(0)).unwrap()
        };
        let (own, vault) = (read(&tokens, 0), read(&tokens, 1));
        assert_eq!(own.expires - own.issued, YEAR_SECONDS);
        assert_eq!(vault.audiences, ["vault"]);
        assert_eq!(tokens.renew_at(), Some(at(800)));
        let before = tokens.fingerprint();
        tokens
            .refresh(&pod, Some(&account("a")), &signer, at(799))
            .unwrap();
        assert_eq!(tokens.fingerprint(), before);
        tokens
            .refresh(&pod, Some(&account("a")), &signer, at(800))
            .unwrap();
        assert_eq!(read(&tokens, 0), own, "it has time");
        assert_eq!(read(&tokens, 1).issued, at(800).as_second());
        assert_ne!(tokens.fingerprint(), before);
        // An account that was made anew is another one.
        tokens
            .refresh(&pod, Some(&account("b")), &signer, at(801))
            .unwrap();
        assert_eq!(read(&tokens, 0).about.serviceaccount.uid, "b");
    }
}
