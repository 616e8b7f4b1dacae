//! E-mail is an outbox: written with the change it tells of, sent by a job, sent once.
//!
//! One Message-ID per message over all tries. When the answer to the end of DATA is lost the fate
//! is *unknown*: certificates and confirmations go out once more (receivers can tell by the
//! Message-ID), reminders do not.

pub mod jobs;
pub mod smtp;
mod store;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{self, Tx};
use crate::ids::{MessageId, PersonId, TenantId};
use crate::web::pages::RenderError;
use crate::web::{Lang, Page, Pages};

pub use store::{Summary, of_person, unsettled};

crate::text_enum! {
    pub enum MessageState {
        Queued = "queued",
        /// Handed to a server, or about to be: what a killed process leaves behind.
        Sending = "sending",
        Accepted = "accepted",
        Unknown = "unknown",
        Failed = "failed",
    }
}

/// One e-mail, complete.
#[derive(Clone, Debug)]
pub struct Draft {
    pub tenant: TenantId,
    pub sender: Mailbox,
    /// Which mail it is, about what, for the how-many-eth time: together they are sent once.
    pub kind: &'static str,
    pub subject_id: Uuid,
    pub revision: i64,
    pub person: PersonId,
    pub recipient: String,
    pub body: Body,
    pub attachments: Vec<Attachment>,
    /// Send again, once, when nobody knows whether it arrived.
    pub repeat_unknown: bool,
}

#[derive(Clone, Debug)]
pub struct Mailbox {
    pub name: String,
    pub address: String,
}

/// The three files of a mail, rendered.
#[derive(Clone, Debug)]
pub struct Body {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Body {
    pub fn render<P: Page>(pages: &Pages, lang: Lang, page: &P) -> Result<Self, RenderError> {
        Ok(Self {
            // A line break would end the header.
            subject: pages
                .mail(lang, "subject", page)?
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            text: pages.mail(lang, "text", page)?,
            html: pages.mail(lang, "html", page)?,
        })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    /// `application/pdf`, `text/calendar; method=REQUEST; charset=utf-8`.
    pub media_type: String,
    pub source: Source,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The SHA-256 of a blob.
    Blob(String),
    Text(String),
    /// A calendar entry: also shown as an alternative of the body, where mail programs look for it.
    Calendar(String),
}

/// Puts the mail into the outbox and enqueues its job. A mail that was enqueued before is left as it is.
pub async fn enqueue(tx: &mut Tx, draft: Draft, now: DateTime<Utc>) -> db::Result<()> {
    let id = MessageId::new(now);
    if store::insert(tx, id, draft, now).await? {
        let job = jobs::SendMessage { message: id };
        crate::jobs::enqueue(tx, &job, now, now, Some(format!("message/{id}"))).await?;
    }
    Ok(())
}
