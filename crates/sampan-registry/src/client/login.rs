//! Whether a registry accepts credentials.

use http::{Method, StatusCode};

use super::Client;
use super::authorization::Credentials;
use super::credentials::Secret;
use super::error::ClientError;
use super::scope::Scopes;
use super::transport::{Call, Question};

impl Client {
    /// Asks the registry `host` whether it accepts a name with a password. One that asks nobody accepts all.
    ///
    /// # Errors
    /// When it does not, or cannot be reached.
    pub async fn verify(
        &self,
        host: &str,
        username: &str,
        password: &Secret,
    ) -> Result<(), ClientError> {
        let credentials = Credentials::typed(username, password);
        let endpoint = self.connector.registry_as(host, credentials)?;
        let call = Call::new(Method::GET, endpoint.url(""), Scopes::default(), "");
        let response = endpoint.transport.send(&call).await?;
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        let question = Question {
            action: "to log in",
            what: "the registry API",
            repository: "",
        };
        Err(endpoint.transport.refusal(response, &question).await)
    }
}
