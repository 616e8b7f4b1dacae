//! One mail over SMTP, with the phase in which it failed (RFC 5321).

use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use tokio::time::Instant;

use crate::config::{self, Encryption};

/// A whole try ends well within the lease of its job: nobody else may take the mail meanwhile.
const TRY_LIMIT: Duration = Duration::from_mins(4);

/// How the configured server is reached. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    encryption: Encryption,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    #[error("smtp.host cannot be used for TLS")]
    Tls(#[source] lettre::transport::smtp::Error),
    #[error("smtp.user and smtp.password go together")]
    HalfCredentials,
}

/// What became of one try.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took the mail: its answer.
    Accepted(String),
    /// A definite no to come back later (4xx), or the server was not reached at all.
    Deferred(String),
    /// A definite no (5xx).
    Refused(String),
    /// The mail was sent and the answer is lost: it may have arrived.
    Unknown(String),
}

impl Smtp {
    pub fn new(config: &config::Smtp) -> Result<Self, SmtpConfigError> {
        let credentials = match (&config.user, &config.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.clone())),
            (None, None) => None,
            _ => return Err(SmtpConfigError::HalfCredentials),
        };
        let tls = match config.encryption {
            Encryption::None => None,
            _ => Some(TlsParameters::new(config.host.clone()).map_err(SmtpConfigError::Tls)?),
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            encryption: config.encryption,
            tls,
            credentials,
            timeout: Duration::from_secs(config.timeout_seconds),
        })
    }

    /// Sends `mail` (a whole RFC 5322 message) from one address to one other.
    pub async fn send(&self, from: Address, to: Address, mail: &[u8]) -> Outcome {
        let deadline = Instant::now() + TRY_LIMIT;
        let mut connection = match self.open(deadline).await {
            Ok(connection) => connection,
            // A refused greeting, sign-in or encryption is the server's trouble or ours, and says
            // nothing of this mail.
            Err(step) => return Outcome::Deferred(step.text),
        };
        let outcome = match self.envelope(deadline, &mut connection, from, to, mail).await {
            Err(step) => step.definite(),
            Ok(()) => match self.within(deadline, connection.message(mail)).await {
                Ok(answer) => {
                    let text: Vec<&str> = answer.message().collect();
                    Outcome::Accepted(format!("{} {}", answer.code(), text.join(" ")))
                }
                Err(step) => step.after_the_end_of_data(),
            },
        };
        // The answer is known: how the farewell goes changes nothing, and must not take long.
        drop(tokio::time::timeout(Duration::from_secs(2), connection.abort()).await);
        outcome
    }

    /// Connects and says hello: for `doctor`.
    pub async fn check(&self) -> Result<(), String> {
        let deadline = Instant::now() + TRY_LIMIT;
        let mut connection = self.open(deadline).await.map_err(|step| step.text)?;
        drop(tokio::time::timeout(Duration::from_secs(2), connection.abort()).await);
        Ok(())
    }

    async fn open(&self, deadline: Instant) -> Result<AsyncSmtpConnection, Step> {
        let hello = ClientId::default();
        let implicit = self.tls.clone().filter(|_| self.encryption == Encryption::Tls);
        let mut connection = self
            .within(
                deadline,
                AsyncSmtpConnection::connect_tokio1(
                    (self.host.as_str(), self.port),
                    Some(self.timeout),
                    &hello,
                    implicit,
                    None,
                ),
            )
            .await?;
        if let (Encryption::Starttls, Some(tls)) = (self.encryption, self.tls.clone()) {
            self.within(deadline, connection.starttls(tls, &hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            self.within(deadline, connection.auth(&mechanisms, credentials)).await?;
        }
        Ok(connection)
    }

    async fn envelope(
        &self,
        deadline: Instant,
        connection: &mut AsyncSmtpConnection,
        from: Address,
        to: Address,
        mail: &[u8],
    ) -> Result<(), Step> {
        let server = connection.server_info();
        let mut parameters = Vec::new();
        let international = !<Address as AsRef<str>>::as_ref(&to).is_ascii();
        if international && !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(Step::refused("the server does not take addresses beyond ASCII"));
        }
        if international {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !mail.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = connection.command(Mail::new(Some(from), parameters));
        // A refused sender is for the operator to mend; the mail waits.
        self.within(deadline, sender).await.map_err(|step| Step { code: None, ..step })?;
        self.within(deadline, connection.command(Rcpt::new(to, Vec::new()))).await?;
        self.within(deadline, connection.command(Data)).await?;
        Ok(())
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        command: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, Step> {
        let limit = deadline.min(Instant::now() + self.timeout);
        match tokio::time::timeout_at(limit, command).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                Err(Step { code: error.status().map(u16::from), text: describe(&error) })
            }
            Err(_) => Err(Step { code: None, text: "the server did not answer in time".into() }),
        }
    }
}

/// A step that failed: with the server's code, or without one when nothing was heard.
struct Step {
    code: Option<u16>,
    text: String,
}

impl Step {
    fn refused(text: &str) -> Self {
        Self { code: Some(550), text: text.to_owned() }
    }

    /// Before the end of DATA nothing was handed over: silence is a reason to come back.
    fn definite(self) -> Outcome {
        match self.code {
            Some(500..=599) => Outcome::Refused(self.text),
            _ => Outcome::Deferred(self.text),
        }
    }

    /// After it, silence may mean that the mail arrived (RFC 1047).
    fn after_the_end_of_data(self) -> Outcome {
        match self.code {
            Some(500..=599) => Outcome::Refused(self.text),
            Some(_) => Outcome::Deferred(self.text),
            None => Outcome::Unknown(self.text),
        }
    }
}

/// The error with its cause; never the addresses, which lettre does not put there.
fn describe(error: &lettre::transport::smtp::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
