//! What the walkthrough tells, and what it leaves behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use mail_parser::{MessageParser, MimeHeaders as _, PartType};

use super::super::mailbox::{Mailbox, Received};
use super::super::say;

/// A mail that did not come within this time does not come.
const PATIENCE: Duration = Duration::from_mins(1);

/// Prints numbered steps and keeps files.
pub(super) struct Report {
    folder: PathBuf,
    mailbox: Mailbox,
    step: usize,
    title: String,
    checks: usize,
    /// Mails that a step has looked at.
    read: BTreeSet<u64>,
}

/// A mail, taken apart.
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) pdf: Option<Vec<u8>>,
    /// The attached calendar, lines unfolded.
    pub(super) calendar: Option<String>,
}

impl Mail {
    fn parse(received: &Received) -> anyhow::Result<Self> {
        let message =
            MessageParser::default().parse(&received.raw[..]).context("a mail cannot be read")?;
        let mut mail = Self {
            subject: message.subject().unwrap_or_default().to_owned(),
            text: String::new(),
            pdf: None,
            calendar: None,
        };
        for part in &message.parts {
            let (kind, subtype) = part.content_type().map_or(("text", "plain"), |media_type| {
                (media_type.ctype(), media_type.subtype().unwrap_or_default())
            });
            match (kind, subtype, &part.body) {
                ("application", "pdf", _) => mail.pdf = Some(part.contents().to_vec()),
                ("text", "calendar", _) => {
                    let text = String::from_utf8_lossy(part.contents());
                    mail.calendar = Some(text.replace("\r\n ", ""));
                }
                ("text", "plain", PartType::Text(text)) if mail.text.is_empty() => {
                    mail.text = text.clone().into_owned();
                }
                _ => {}
            }
        }
        Ok(mail)
    }

    /// The value of a calendar property: `METHOD`, `SEQUENCE`, `UID`.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        let line = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        let found = self.calendar.as_deref()?.lines().find(line)?;
        found.split_once(':').map(|(_, value)| value)
    }

    pub(super) fn sequence(&self) -> Option<i64> {
        self.property("SEQUENCE")?.parse().ok()
    }

    /// The first link that leads there.
    pub(super) fn link(&self, path: &str) -> Option<&str> {
        let word = |word: &&str| word.starts_with("http") && word.contains(path);
        self.text.split_whitespace().find(word)
    }
}

impl Report {
    pub(super) fn new(folder: &Path, mailbox: Mailbox) -> anyhow::Result<Self> {
        for name in ["packages", "certificates", "mails", "calendars"] {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder)
                .and_then(|()| clear(&folder))
                .with_context(|| format!("the folder {} cannot be prepared", folder.display()))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            mailbox,
            step: 0,
            title: String::new(),
            checks: 0,
            read: BTreeSet::new(),
        })
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str) {
        self.step += 1;
        title.clone_into(&mut self.title);
        say(&format!("\n{:2}. {title}", self.step));
    }

    /// Something that was checked and is as it should be.
    pub(super) fn seen(&mut self, what: &str) {
        self.checks += 1;
        say(&format!("    ✓ {what}"));
    }

    /// Checks; what is not as it should be ends the walkthrough.
    pub(super) fn check(&mut self, holds: bool, what: &str) -> anyhow::Result<()> {
        if !holds {
            bail!("✗ {what}");
        }
        self.seen(what);
        Ok(())
    }

    /// Where the walkthrough was when it failed.
    pub(super) fn place(&self) -> String {
        format!("step {}, \"{}\"", self.step, self.title)
    }

    pub(super) fn checks(&self) -> usize {
        self.checks
    }

    /// Leaves a file.
    pub(super) fn save(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The next mail to this person that was not looked at yet and is `wanted`.
    pub(super) async fn mail(
        &mut self,
        to: &str,
        what: &str,
        wanted: impl Fn(&Mail) -> bool,
    ) -> anyhow::Result<Mail> {
        let read = &self.read;
        let matches = |received: &Received| {
            let addressed = received.recipients.iter().any(|address| address.starts_with(to));
            addressed
                && !read.contains(&received.id)
                && Mail::parse(received).is_ok_and(|mail| wanted(&mail))
        };
        let received = self.mailbox.wait_for(matches, PATIENCE).await;
        let received = received.with_context(|| format!("✗ {what}: no such mail came"))?;
        let mail = Mail::parse(&received)?;
        self.read.insert(received.id);
        self.seen(&format!("{what}: « {} »", mail.subject));
        Ok(mail)
    }

    /// Whether a mail to this person came that no step has looked at.
    pub(super) fn has_unread(&self, to: &str) -> bool {
        self.mailbox.messages().iter().any(|received| {
            !self.read.contains(&received.id)
                && received.recipients.iter().any(|address| address.starts_with(to))
        })
    }

    /// Leaves every mail, and every calendar that came with one.
    pub(super) fn save_mails(&mut self) -> anyhow::Result<()> {
        let (mut mails, mut calendars) = (0, 0);
        for received in self.mailbox.messages() {
            let mail = Mail::parse(&received)?;
            let to = received.recipients.first().map(String::as_str).unwrap_or_default();
            let name = format!("{:02}-{}-{}", received.id, slug(to), slug(&mail.subject));
            self.save(&format!("mails/{name}.eml"), &received.raw)?;
            mails += 1;
            if let Some(calendar) = attached_calendar(&received) {
                self.save(&format!("calendars/{name}.ics"), &calendar)?;
                calendars += 1;
            }
        }
        self.seen(&format!("{mails} mails and {calendars} calendars were kept"));
        Ok(())
    }
}

/// Removes what an earlier walkthrough left, and nothing else.
fn clear(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = ["eml", "ics", "pdf", "zip"].map(|extension| Some(extension.as_ref()));
        if path.is_file() && ours.contains(&path.extension()) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The calendar as it was sent, folded.
fn attached_calendar(received: &Received) -> Option<Vec<u8>> {
    let message = MessageParser::default().parse(&received.raw[..])?;
    let is_calendar = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type()
            .is_some_and(|kind| kind.ctype() == "text" && kind.subtype() == Some("calendar"))
    };
    message.parts.iter().find(is_calendar).map(|part| part.contents().to_vec())
}

/// Letters, digits and hyphens: a name for a file.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.split('@').next().unwrap_or_default().chars().take(60) {
        if letter.is_alphanumeric() {
            slug.extend(letter.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_mail() {
        assert_eq!(slug("Votre place : « Découvrir » !"), "votre-place-découvrir");
        assert_eq!(slug("zoe.lefevre@campus.example"), "zoe-lefevre");
    }
}
