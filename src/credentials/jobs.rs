//! Making the PDF, once.

use bytes::Bytes;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::certificate::Document;
use super::{Credential, announce, store};
use crate::app::App;
use crate::db;
use crate::ids::{CredentialId, PersonId};
use crate::jobs::{Failure, Job};
use crate::people;

/// When the disk or the database was away.
const SOON: TimeDelta = TimeDelta::seconds(30);
/// When the template does not take the facts: a release that mends it is picked up by itself.
const LATER: TimeDelta = TimeDelta::hours(1);

/// Renders a credential's PDF, keeps its bytes and mails it. Safe to run twice: the first rendering
/// stays, and the mail follows it in the same transaction.
#[derive(Debug, Serialize, Deserialize)]
pub struct RenderCredential {
    pub credential: CredentialId,
}

impl Job for RenderCredential {
    const KIND: &'static str = "render-credential";
}

impl RenderCredential {
    pub async fn run(self, app: &App) -> Result<(), Failure> {
        let credential = self.find(app).await.map_err(soon)?;
        let Some(credential) = credential else {
            return Err(Failure::Final("there is no such credential".to_owned()));
        };
        if credential.pdf.is_some() {
            return Ok(());
        }
        let bytes = render(app, &credential).await?;
        let size = bytes.len() as i64;
        let name = app.blobs.put(bytes).await.map_err(soon)?;
        keep(app, credential, name, size).await?;
        app.wake.notify_waiters();
        Ok(())
    }

    async fn find(&self, app: &App) -> db::Result<Option<Credential>> {
        let mut tx = app.db.read().await?;
        store::find(&mut tx, self.credential).await
    }
}

/// In a thread of its own: compiling keeps a processor busy for milliseconds.
async fn render(app: &App, credential: &Credential) -> Result<Bytes, Failure> {
    let document = Document {
        kind: credential.kind,
        lang: credential.language,
        code: credential.code.clone(),
        verify_url: credential.verify_url(app),
        issued_at: credential.issued_at,
        facts: credential.facts.0.clone(),
    };
    let app = app.clone();
    let rendered = tokio::task::spawn_blocking(move || app.certificates.render(&document)).await;
    match rendered {
        Ok(Ok(bytes)) => Ok(Bytes::from(bytes)),
        Ok(Err(error)) => Err(Failure::Retry { after: LATER, reason: error.to_string() }),
        Err(panic) => Err(Failure::Retry { after: LATER, reason: panic.to_string() }),
    }
}

/// The name of the PDF and its mail, in one transaction.
async fn keep(
    app: &App,
    mut credential: Credential,
    pdf: String,
    bytes: i64,
) -> Result<(), Failure> {
    let now = app.clock.now();
    let mut tx = app.db.write().await.map_err(soon)?;
    if !store::set_rendered(&mut tx, credential.id, &pdf, bytes, now).await.map_err(soon)? {
        return Ok(());
    }
    credential.pdf = Some(pdf);
    store::lock_person(&mut tx, credential.person_id).await.map_err(soon)?;
    let person = people::find(&mut tx, credential.person_id).await.map_err(soon)?;
    announce(app, &mut tx, &credential, &person, now).await.map_err(soon)?;
    tx.commit().await.map_err(soon)
}

fn soon(error: impl std::fmt::Display) -> Failure {
    Failure::Retry { after: SOON, reason: error.to_string() }
}

/// Mails what was rendered before its holder had an address.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailWaiting {
    pub person: PersonId,
}

impl Job for MailWaiting {
    const KIND: &'static str = "mail-waiting-credentials";
}

impl MailWaiting {
    pub async fn run(self, app: &App, attempt: i64) -> Result<(), Failure> {
        let mailed = async {
            let mut tx = app.db.write().await?;
            let person = people::find(&mut tx, self.person).await?;
            super::mail_waiting(app, &mut tx, &person, app.clock.now()).await?;
            tx.commit().await?;
            Ok::<_, super::AnnounceError>(())
        };
        mailed.await.map_err(|error| Failure::backoff(attempt, error))
    }
}
