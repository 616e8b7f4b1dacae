//! Sending what the outbox holds.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lettre::Address;
use lettre::message::header::{
    ContentDisposition, ContentType, Header, HeaderName, HeaderValue, MessageId as MessageIdHeader,
};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};

use super::smtp::Outcome;
use super::store::{self, Stored};
use super::{Attachment, MessageState, Source};
use crate::app::App;
use crate::blobs::{BlobError, Blobs};
use crate::ids::MessageId;
use crate::jobs::{Failure, Job};

/// RFC 5321, 4.5.4.1: a sender gives up after four to five days.
const GIVE_UP: TimeDelta = TimeDelta::days(4);

#[derive(Debug, Serialize, Deserialize)]
pub struct SendMessage {
    pub message: MessageId,
}

impl Job for SendMessage {
    const KIND: &'static str = "send-message";
}

#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error("an address of the mail is not valid")]
    Address(#[from] lettre::address::AddressError),
    #[error("an attachment's media type is not valid")]
    MediaType,
    #[error("the stored attachments cannot be read")]
    Attachments(#[from] serde_json::Error),
    #[error("an attachment's bytes cannot be read")]
    Blob(#[from] BlobError),
    #[error("the mail cannot be put together")]
    Build(#[from] lettre::error::Error),
}

impl SendMessage {
    pub async fn run(self, app: &App, attempt: i64) -> Result<(), Failure> {
        let retry = |reason: String| Failure::backoff(attempt, reason);
        let mut tx = app.db.write().await.map_err(|error| retry(error.to_string()))?;
        let Some(stored) =
            store::find(&mut tx, self.message).await.map_err(|error| retry(error.to_string()))?
        else {
            return Err(Failure::Final("the message is not in the outbox".to_owned()));
        };
        let interrupted = stored.state == MessageState::Sending;
        let unknowns = stored.unknowns + i64::from(interrupted);
        let now = app.clock.now();
        match stored.state {
            MessageState::Accepted | MessageState::Failed => return Ok(()),
            // Its fate was unknown before: once more for what may repeat, and then never again.
            MessageState::Unknown | MessageState::Sending
                if !stored.repeat_unknown || unknowns > 1 =>
            {
                let answer = "sent, and the answer is lost; not repeated";
                drop(tx);
                return self
                    .settle(app, stored.attempt, MessageState::Unknown, unknowns, answer)
                    .await;
            }
            _ => {}
        }
        store::mark_sending(&mut tx, stored.id, unknowns, now)
            .await
            .map_err(|error| retry(error.to_string()))?;
        tx.commit().await.map_err(|error| retry(error.to_string()))?;

        let (from, to, mail) = match compose(&app.blobs, &stored).await {
            Ok(parts) => parts,
            Err(error) => {
                let passing = matches!(error, ComposeError::Blob(_));
                let state = if passing { MessageState::Queued } else { MessageState::Failed };
                let reason = error.to_string();
                self.settle(app, stored.attempt + 1, state, unknowns, &reason).await?;
                let again = Failure::backoff(attempt, &reason);
                return Err(if passing { again } else { Failure::Final(reason) });
            }
        };
        let outcome = app.smtp.send(from, to, &mail).await;
        self.record(app, &stored, unknowns, outcome).await
    }

    async fn record(
        self,
        app: &App,
        stored: &Stored,
        unknowns: i64,
        outcome: Outcome,
    ) -> Result<(), Failure> {
        let attempt = stored.attempt + 1;
        let (state, unknowns, answer, end) = match outcome {
            Outcome::Accepted(answer) => (MessageState::Accepted, unknowns, answer, Ok(())),
            Outcome::Refused(answer) => {
                let end = Err(Failure::Final(answer.clone()));
                (MessageState::Failed, unknowns, answer, end)
            }
            Outcome::Deferred(answer) if app.clock.now() - stored.created_at > GIVE_UP => {
                let end = Err(Failure::Final(format!("given up after four days: {answer}")));
                (MessageState::Failed, unknowns, answer, end)
            }
            Outcome::Deferred(answer) => {
                (MessageState::Queued, unknowns, answer.clone(), Err(deferred(attempt, answer)))
            }
            Outcome::Unknown(answer) => {
                let unknowns = unknowns + 1;
                let again = stored.repeat_unknown && unknowns <= 1;
                let end = if again {
                    Err(Failure::Retry { after: TimeDelta::minutes(5), reason: answer.clone() })
                } else {
                    Ok(())
                };
                (MessageState::Unknown, unknowns, answer, end)
            }
        };
        self.settle(app, attempt, state, unknowns, &answer).await?;
        end
    }

    /// Writes what became of try `attempt`. What a server answered must not be forgotten because
    /// the database is away for a moment: it is tried again for some seconds.
    async fn settle(
        &self,
        app: &App,
        attempt: i64,
        state: MessageState,
        unknowns: i64,
        answer: &str,
    ) -> Result<(), Failure> {
        let answer: String = answer.chars().filter(|c| *c != '\0').take(500).collect();
        let mut pause = Duration::from_millis(500);
        loop {
            let settled = async {
                let (mut tx, now) = (app.db.write().await?, app.clock.now());
                let id = self.message;
                store::settle(&mut tx, id, state, unknowns, &answer, attempt, now).await?;
                tx.commit().await
            };
            match settled.await {
                Ok(()) => {
                    app.metrics.mail(state.as_str());
                    return Ok(());
                }
                Err(error) if pause > Duration::from_secs(16) => {
                    return Err(Failure::backoff(attempt, error));
                }
                Err(error) => {
                    tracing::warn!(message = %self.message, %error, "an answer waits to be stored");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }
}

/// A server that greylists answers after five minutes at the earliest.
fn deferred(attempt: i64, reason: String) -> Failure {
    let exponent = u32::try_from((attempt - 1).clamp(0, 5)).unwrap_or_default();
    let after = TimeDelta::minutes(5 << exponent);
    Failure::Retry { after, reason }
}

/// The mail as bytes. Built from the row alone, so that every try sends the same.
async fn compose(
    blobs: &Blobs,
    stored: &Stored,
) -> Result<(Address, Address, Vec<u8>), ComposeError> {
    let from: Address = stored.sender_address.parse()?;
    let to: Address = stored.recipient.parse()?;
    let attachments: Vec<Attachment> = serde_json::from_value(stored.attachments.clone())?;

    let mut bodies = MultiPart::alternative()
        .boundary(format!("alt-{}", stored.id))
        .singlepart(SinglePart::plain(stored.body_text.clone()))
        .singlepart(SinglePart::html(stored.body_html.clone()));
    for attachment in &attachments {
        if let Source::Calendar(text) = &attachment.source {
            let media_type = parse_media_type(&attachment.media_type)?;
            bodies = bodies.singlepart(SinglePart::builder().header(media_type).body(text.clone()));
        }
    }
    let mut whole = MultiPart::mixed().boundary(format!("mixed-{}", stored.id)).multipart(bodies);
    for attachment in attachments {
        let bytes = match attachment.source {
            Source::Blob(name) => blobs.get(&name).await?.to_vec(),
            Source::Text(text) | Source::Calendar(text) => text.into_bytes(),
        };
        whole = whole.singlepart(
            SinglePart::builder()
                .header(parse_media_type(&attachment.media_type)?)
                .header(ContentDisposition::attachment(&attachment.name))
                .body(bytes),
        );
    }
    let domain = from.domain().to_owned();
    let message = Message::builder()
        .from(Mailbox::new(Some(stored.sender_name.clone()), from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(stored.subject.clone())
        .date(date_of(stored.created_at))
        .header(MessageIdHeader::from(format!("<{}@{domain}>", stored.id)))
        .header(AutoSubmitted)
        .multipart(whole)?;
    Ok((from, to, message.formatted()))
}

fn parse_media_type(text: &str) -> Result<ContentType, ComposeError> {
    ContentType::parse(text).map_err(|_| ComposeError::MediaType)
}

fn date_of(at: DateTime<Utc>) -> std::time::SystemTime {
    at.into()
}

/// RFC 3834: nobody's absence notice answers us.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
