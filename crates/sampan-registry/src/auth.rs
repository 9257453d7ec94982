//! Who may do what.
//!
//! A request comes with a password, a token, or nothing. [`Accounts`] knows passwords and rights; [`Tokens`] turns them
//! into tokens, which carry the rights that were asked for and need no look-up. Who is refused is told where tokens are
//! to be had, so that every client finds its way (the token authentication of the distribution project).
//!
//! As long as nobody has made an account, the programs of the machine itself may do everything. Nobody else is let
//! in then, but for pulling where that is open to all.

mod access;
mod accounts;
mod challenge;
mod exchange;
mod facts;
mod grant;
mod passwords;
mod pattern;
mod scope;
mod token;
pub mod users;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use sampan_supervise::clock;

pub use crate::secret::Secret;
pub use access::{Access, Action, Actions, Right, RightError};
pub use accounts::{Account, Accounts, AccountsError, Answer, Credentials};
pub use exchange::{TokenAnswer, TokenRequest};
pub use facts::RequestFacts;
pub use grant::{Actor, Denied, Grant, Need};
pub use pattern::{Pattern, PatternError};
pub use scope::Scope;
pub use token::{TokenKeyError, Tokens};
pub use users::UserFile;

use challenge::TokenFault;
use exchange::Proof;
use facts::Authorization;

/// What this registry is called in challenges and tokens.
const SERVICE: &str = "sampan-registry";
/// How long who fails to log in waits for the answer, at least.
const AFTER_FAILURE: Duration = Duration::from_millis(300);

/// Who decides whether a request is allowed.
pub struct Authenticator {
    accounts: Arc<dyn Accounts>,
    tokens: Tokens,
    /// What everybody may do.
    open: Access,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

/// Who asks for a token, and what that one may have.
struct Known {
    actor: Actor,
    access: Access,
    account: Option<Account>,
}

impl Authenticator {
    /// Decides by these accounts; with `anonymous_pull`, everybody may pull everything.
    #[must_use]
    pub fn new(accounts: Arc<dyn Accounts>, tokens: Tokens, anonymous_pull: bool) -> Self {
        let open = if anonymous_pull {
            Access::to_all(Action::Pull.into())
        } else {
            Access::default()
        };
        Self {
            accounts,
            tokens,
            open,
        }
    }

    /// Whether a request is allowed.
    ///
    /// # Errors
    /// What to answer when it is not.
    pub async fn check(&self, facts: &RequestFacts<'_>, need: &Need<'_>) -> Result<Grant, Denied> {
        // The machine's own orders come from whatever address the server listens on.
        if let Authorization::Bearer(token) = facts.authorization()
            && self.tokens.is_local(token, clock::now())
        {
            let (actor, access) = (Actor::Local, Arc::new(Access::full()));
            return Ok(Grant { actor, access });
        }
        if !self.accounts.exist() {
            return self.check_without_accounts(facts, need);
        }
        let refuse = |fault, message: &str| {
            let challenge = challenge::bearer(facts, SERVICE, need, fault);
            Denied::unauthorized(challenge, message)
        };
        let (actor, access) = match facts.authorization() {
            Authorization::Missing => {
                // Clients ask for the entry to find out whether they have to log in at all, and never do so later.
                if *need == Need::Entry || !need.is_met_by(&self.open) {
                    return Err(refuse(None, "authentication is required"));
                }
                (Actor::Anonymous, self.open.clone())
            }
            Authorization::Bearer(token) => {
                let verified = self.tokens.verify(token, SERVICE, clock::now());
                let Some((actor, access)) = verified else {
                    let message = "the token is not valid, or not any more";
                    return Err(refuse(Some(TokenFault::Invalid), message));
                };
                let access = access.and(&self.open);
                if !need.is_met_by(&access) {
                    let message = format!("the token does not allow to {need}");
                    return Err(refuse(Some(TokenFault::InsufficientScope), &message));
                }
                (actor, access)
            }
            Authorization::Basic(credentials) => {
                let account = self.authenticate(&credentials).await?;
                let account = account.ok_or_else(|| refuse(None, WRONG_PASSWORD))?;
                let access = (*account.access).clone().and(&self.open);
                if !need.is_met_by(&access) {
                    let message = format!("the user `{}` may not {need}", account.name);
                    return Err(Denied::with_status(StatusCode::FORBIDDEN, message));
                }
                (Actor::Account(account.name), access)
            }
            Authorization::Unreadable => {
                return Err(refuse(None, "the header `Authorization` cannot be read"));
            }
        };
        let access = Arc::new(access);
        Ok(Grant { actor, access })
    }

    /// A token, for who proves to be somebody or for anybody where that is enough.
    ///
    /// # Errors
    /// What to answer when there is none. That a token allows less than was asked for is no error.
    pub async fn token(
        &self,
        facts: &RequestFacts<'_>,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, Denied> {
        let known = if self.accounts.exist() {
            self.known(facts, &request.proof).await?
        } else {
            let (actor, access) = self.without_accounts(facts);
            Known {
                actor,
                access,
                account: None,
            }
        };
        let now = clock::now();
        let within = |scope: &Scope| scope.within(&known.access);
        let scopes: Vec<Scope> = request.scopes.iter().filter_map(within).collect();
        let token = self.tokens.access(&known.actor, SERVICE, &scopes, now);
        let refresh_token = match (&request.proof, known.account) {
            // The same one again: it goes on counting.
            (Proof::Refresh(token), _) => Some(token.reveal().to_owned()),
            (_, Some(account)) if request.wants_refresh => {
                Some(self.tokens.refresh(&account, SERVICE, now))
            }
            _ => None,
        };
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        Ok(TokenAnswer {
            access_token: token.clone(),
            token,
            expires_in: token::LIFETIME_SECONDS,
            issued_at: now,
            scope: scopes.join(" "),
            refresh_token,
        })
    }

    fn check_without_accounts(
        &self,
        facts: &RequestFacts<'_>,
        need: &Need<'_>,
    ) -> Result<Grant, Denied> {
        let (actor, access) = self.without_accounts(facts);
        // What everybody may do begins at the entry; where that is nothing, the entry is closed, too.
        let is_allowed = need.is_met_by(&access) && access != Access::default();
        if !is_allowed {
            let message = "this registry has no users yet, so that only programs of its own machine may do this, \
                           by its address or as `localhost`; make one there with `sampan registry user add`";
            return Err(Denied::with_status(
                StatusCode::FORBIDDEN,
                message.to_owned(),
            ));
        }
        let access = Arc::new(access);
        Ok(Grant { actor, access })
    }

    /// Who asks where there are no accounts. What is claimed in a header then means nothing.
    fn without_accounts(&self, facts: &RequestFacts<'_>) -> (Actor, Access) {
        if facts.is_local() {
            (Actor::Local, Access::full())
        } else {
            (Actor::Anonymous, self.open.clone())
        }
    }

    async fn known(&self, facts: &RequestFacts<'_>, proof: &Proof) -> Result<Known, Denied> {
        let refuse = |message| Denied::unauthorized(challenge::basic(SERVICE), message);
        let account = match proof {
            Proof::Header => match facts.authorization() {
                Authorization::Missing if self.open == Access::default() => {
                    return Err(refuse("authentication is required"));
                }
                Authorization::Missing => {
                    return Ok(Known {
                        actor: Actor::Anonymous,
                        access: self.open.clone(),
                        account: None,
                    });
                }
                Authorization::Basic(credentials) => self.authenticate(&credentials).await?,
                Authorization::Bearer(_) | Authorization::Unreadable => {
                    return Err(refuse("tokens are issued for a name and a password"));
                }
            },
            Proof::Password(credentials) => self.authenticate(credentials).await?,
            Proof::Refresh(token) => self.refreshed(token.reveal()).await?,
        };
        let account = account.ok_or_else(|| refuse(WRONG_PASSWORD))?;
        Ok(Known {
            actor: Actor::Account(account.name.clone()),
            access: (*account.access).clone().and(&self.open),
            account: Some(account),
        })
    }

    /// The account of a refresh token, if the token counts.
    async fn refreshed(&self, token: &str) -> Result<Option<Account>, Denied> {
        let Some(name) = self.tokens.refreshed_name(token) else {
            return Ok(None);
        };
        let account = self
            .accounts
            .find(&name)
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(account.filter(|account| self.tokens.is_of(token, account, SERVICE)))
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<Option<Account>, Denied> {
        let account = self.accounts.authenticate(credentials).await;
        let account = account.map_err(|error| unavailable(&error))?;
        if account.is_none() {
            // Guessing is made slower for one who waits for answers; the checks themselves are limited anyway.
            tokio::time::sleep(AFTER_FAILURE).await;
        }
        Ok(account)
    }
}

const WRONG_PASSWORD: &str = "the name or the password is wrong";

fn unavailable(error: &AccountsError) -> Denied {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "cannot tell who asks"
    );
    Denied::with_status(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}
