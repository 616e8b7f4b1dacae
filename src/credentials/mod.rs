//! Credentials: what is awarded for a completion.
//!
//! A credential is frozen when it is issued: its facts hold every word that is printed, and the
//! bytes of the first rendering are kept. A later change of template, name or rule changes nothing
//! that somebody already holds.

pub mod certificate;
pub mod facts;
pub mod jobs;
pub mod limit;
pub mod mails;
pub mod pages;
mod store;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{self, CompletionId, CredentialId, PersonId, TenantId};
use crate::mail;
use crate::people::Person;
use crate::tenants::{self, Tenant};
use crate::web::Lang;
use crate::web::pages::RenderError;

pub use facts::{Facts, Held};
pub use store::{of_completion, of_person};

crate::text_enum! {
    /// What is awarded.
    pub enum Kind {
        /// Somebody completed a course.
        Certificate = "certificate",
        /// Somebody was present.
        Attestation = "attestation",
    }
}

crate::text_enum! {
    /// Whether the credential still holds.
    pub enum State { Issued = "issued", Revoked = "revoked" }
}

/// An awarded credential.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Credential {
    pub id: CredentialId,
    pub tenant_id: TenantId,
    pub person_id: PersonId,
    pub kind: Kind,
    /// The verification code as stored: 26 characters of base32, upper case.
    pub code: String,
    /// The language it is written in.
    pub language: Lang,
    pub facts: Json<Facts>,
    pub state: State,
    pub issued_at: DateTime<Utc>,
    /// The SHA-256 of the PDF, which is its name among the blobs; `None` until it is rendered.
    pub pdf: Option<String>,
}

impl Credential {
    /// The public page where anybody can check it.
    pub fn verify_url(&self, app: &App) -> String {
        app.config.public(&format!("/verify/{}", self.code))
    }

    /// What people call the file: « Certificat - Premiers pas avec eTwinning.pdf ».
    pub fn file_name(&self) -> String {
        const LONGEST: usize = 80;
        let word = match (self.kind, self.language) {
            (Kind::Certificate, Lang::Fr) => "Certificat",
            (Kind::Certificate, Lang::En) => "Certificate",
            (Kind::Attestation, Lang::Fr) => "Attestation",
            (Kind::Attestation, Lang::En) => "Attendance",
        };
        // What file systems refuse becomes a space, and spaces are folded.
        let title: String = self
            .facts
            .title
            .chars()
            .map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { ' ' } else { c })
            .take(LONGEST)
            .collect();
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{word} - {}.pdf", title.trim_end_matches('.'))
    }
}

/// A verification code that somebody typed or followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// What was typed cannot be a verification code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a verification code has 26 letters and digits")]
pub struct InvalidCode;

impl Code {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = InvalidCode;

    /// Forgives case, spaces and dashes, and the digits that codes do not have but eyes see.
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        if text.len() > 200 {
            return Err(InvalidCode);
        }
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
            .map(|c| match c.to_ascii_uppercase() {
                '0' => 'O',
                '1' => 'I',
                '8' => 'B',
                letter => letter,
            })
            .collect();
        let of_the_alphabet = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
        let valid = code.len() == 26 && code.bytes().all(of_the_alphabet);
        if valid { Ok(Self(code)) } else { Err(InvalidCode) }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(redacted)")
    }
}

/// The code in groups of four, as it is printed: `ABCD EFGH …`.
pub fn grouped(code: &str) -> String {
    code.char_indices().fold(String::with_capacity(code.len() * 5 / 4), |mut text, (at, letter)| {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(letter);
        text
    })
}

/// Issues a credential and enqueues its rendering. A completion has one: awarding again returns it.
#[expect(clippy::too_many_arguments, reason = "everything that is frozen into the credential")]
pub async fn award(
    tx: &mut Tx,
    completion: CompletionId,
    kind: Kind,
    tenant: &Tenant,
    person: &Person,
    lang: Lang,
    facts: Facts,
    now: DateTime<Utc>,
) -> db::Result<CredentialId> {
    let new = store::New {
        id: CredentialId::new(now),
        completion,
        tenant: tenant.id,
        person: person.id,
        kind,
        code: ids::verification_code(),
        language: lang,
        facts,
    };
    let id = new.id;
    if !store::insert(tx, new, now).await? {
        let known = of_completion(tx, completion).await?;
        return known.map(|known| known.id).ok_or(db::Error::RowNotFound);
    }
    let job = jobs::RenderCredential { credential: id };
    crate::jobs::enqueue(tx, &job, now, now, Some(format!("render/{id}"))).await?;
    Ok(id)
}

/// Why a credential's mail cannot be put into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Mails what was rendered while the person had no address. To be called, in the same transaction,
/// whenever somebody's first address becomes known, with the person as they are now.
pub async fn mail_waiting(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<(), AnnounceError> {
    if person.email.is_none() {
        return Ok(());
    }
    for credential in store::never_mailed(tx, person.id).await? {
        announce(app, tx, &credential, person, now).await?;
    }
    Ok(())
}

/// Puts the mail with the PDF into the outbox, if the credential has a PDF and its holder an address.
async fn announce(
    app: &App,
    tx: &mut Tx,
    credential: &Credential,
    person: &Person,
    now: DateTime<Utc>,
) -> Result<(), AnnounceError> {
    let (Some(pdf), Some(recipient)) = (&credential.pdf, &person.email) else { return Ok(()) };
    if credential.state == State::Revoked {
        return Ok(());
    }
    let lang = person.locale;
    let tenant = tenants::find(tx, credential.tenant_id).await?;
    let draft = mail::Draft {
        tenant: tenant.id,
        sender: tenant.mailbox(),
        kind: credential.kind.as_str(),
        subject_id: credential.id.uuid(),
        revision: 1,
        person: person.id,
        recipient: recipient.clone(),
        body: mails::body(&app.pages, lang, credential, credential.verify_url(app))?,
        attachments: vec![mail::Attachment {
            name: credential.file_name(),
            media_type: "application/pdf".to_owned(),
            source: mail::Source::Blob(pdf.clone()),
        }],
        repeat_unknown: true,
    };
    mail::enqueue(tx, draft, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let stored = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        assert_eq!(grouped(stored), "ABCD EFGH IJKL MNOP QRST UVWX YZ");
        for typed in [stored, "abcd efgh ijkl mnop qrst uvwx yz", " ABCD-EFGH-1JKLMN0PQRSTUVWXYZ "]
        {
            assert_eq!(typed.parse::<Code>().expect("a code").as_str(), stored);
        }
        let fresh = ids::verification_code();
        assert_eq!(grouped(&fresh).parse::<Code>().expect("a code").as_str(), fresh);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "ABCD", "ABCDEFGHIJKLMNOPQRSTUVWXY9", "ÀBCDEFGHIJKLMNOPQRSTUVWXY", "é"]
        {
            assert_eq!(typed.parse::<Code>(), Err(InvalidCode), "{typed}");
        }
        assert_eq!("A".repeat(100_000).parse::<Code>(), Err(InvalidCode));
    }
}
