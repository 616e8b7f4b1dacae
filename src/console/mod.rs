//! The console's people: staff, how they sign in, and the frame of their pages.

pub mod mails;
pub mod notices;
pub mod pages;
pub mod platforms;
pub mod provider;
pub mod sign_in;
mod store;
mod visit;

use chrono::{DateTime, TimeDelta, Utc};
use lettre::Address;

use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{PersonId, StaffId, StaffLinkId, StaffSessionId, TenantId, Token};
use crate::mail::{self, Body, Draft};
use crate::people;
use crate::tenants::{self, Tenant};
use crate::web::Lang;
use crate::web::pages::RenderError;

pub use store::{Listed, Purpose, all, clean};
pub use visit::{Admin, Away, Frame, StaffVisit};

/// How long somebody stays signed in, whatever they do.
pub const SESSION_LIFE: TimeDelta = TimeDelta::hours(12);
/// How long an invitation works: it is handed over by hand.
const INVITATION_LIFE: TimeDelta = TimeDelta::hours(24);
/// How long a link that was asked for works.
const LINK_LIFE: TimeDelta = TimeDelta::minutes(15);
/// Nobody is to be flooded from the sign-in page.
const BETWEEN_LINKS: TimeDelta = TimeDelta::minutes(1);
const LINKS_AN_HOUR: i64 = 5;

crate::text_enum! {
    pub enum StaffRole {
        /// Everything of the installation.
        Admin = "admin",
        /// The training of one tenant.
        Coordinator = "coordinator",
    }
}

/// A member of staff.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Staff {
    pub id: StaffId,
    pub name: String,
    pub email: String,
    pub role: StaffRole,
    /// Whose training they coordinate; `None` for an admin.
    pub tenant_id: Option<TenantId>,
    pub locale: Lang,
    person_id: PersonId,
}

/// Somebody to invite.
#[derive(Clone, Debug)]
pub struct NewStaff {
    pub name: String,
    pub email: Address,
    /// Whose training they coordinate; `None` makes an admin of the installation.
    pub coordinates: Option<TenantId>,
    pub locale: Lang,
}

impl NewStaff {
    fn role(&self) -> StaffRole {
        if self.coordinates.is_some() { StaffRole::Coordinator } else { StaffRole::Admin }
    }
}

/// What an invitation made.
#[derive(Debug)]
pub struct Invited {
    /// The path of the link that signs in.
    pub path: String,
    /// They were staff before: the link is all that is new.
    pub known: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("there is no tenant yet: add one with `passerelle tenant add`")]
    NoTenant,
    #[error("the name is empty or longer than 200 characters")]
    Name,
    #[error("this address is staff with another role: remove it first")]
    OtherRole,
    #[error("somebody else invited this address at the same moment: try again")]
    Meanwhile,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Makes somebody a member of staff, and a link that signs them in. Who is one already, with the
/// same role, gets another link.
pub async fn invite(
    tx: &mut Tx,
    new: NewStaff,
    now: DateTime<Utc>,
) -> Result<Invited, InviteError> {
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(InviteError::Name);
    }
    let new = NewStaff { name, ..new };
    let tenant = sender(tx, new.coordinates).await?.ok_or(InviteError::NoTenant)?;
    let known = store::by_email(tx, &key(&new.email)).await?;
    let id = match &known {
        Some(known) if (known.role, known.tenant_id) != (new.role(), new.coordinates) => {
            return Err(InviteError::OtherRole);
        }
        Some(known) => known.id,
        None => {
            let person = people::stand_in(tx, tenant.id, new.locale, now).await?;
            let id = StaffId::new(now);
            if !store::insert(tx, id, person, &new, new.role(), &key(&new.email), now).await? {
                return Err(InviteError::Meanwhile);
            }
            id
        }
    };
    let token = Token::random();
    let link = store::NewLink {
        id: StaffLinkId::new(now),
        staff: id,
        purpose: Purpose::Invitation,
        next: HOME.to_owned(),
        expires_at: now + INVITATION_LIFE,
    };
    store::insert_link(tx, link, &token, now).await?;
    Ok(Invited { path: link_path(&token), known: known.is_some() })
}

/// Ends somebody's being staff: their sessions, links and identities at a provider go at once.
/// False when nobody of this address is.
pub async fn remove(tx: &mut Tx, email: &Address, now: DateTime<Utc>) -> db::Result<bool> {
    let Some(staff) = store::by_email(tx, &key(email)).await? else { return Ok(false) };
    store::remove(tx, staff.id, now).await?;
    Ok(true)
}

/// The tenant whose name and address their mails carry: their own, or the first.
async fn sender(tx: &mut Tx, tenant: Option<TenantId>) -> db::Result<Option<Tenant>> {
    match tenant {
        Some(tenant) => tenants::find(tx, tenant).await.map(Some),
        None => tenants::first(tx).await,
    }
}

/// Addresses are compared without regard to case: that is how people type their own.
fn key(email: &Address) -> String {
    email.to_string().to_lowercase()
}

fn link_path(token: &Token) -> String {
    format!("/console/link/{}", token.reveal())
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Mails a link to a member of staff. For another address, and for one that was sent a link
/// moments ago, nothing happens: whoever asks is not told which it was.
pub async fn ask_for_link(
    app: &App,
    tx: &mut Tx,
    email: &Address,
    next: &str,
) -> Result<(), AskError> {
    let now = app.clock.now();
    let Some(staff) = store::by_email(tx, &key(email)).await? else { return Ok(()) };
    if !store::ask(tx, staff.id, now, now - BETWEEN_LINKS).await? {
        return Ok(());
    }
    if store::links_since(tx, staff.id, now - TimeDelta::hours(1)).await? >= LINKS_AN_HOUR {
        return Ok(());
    }
    let Some(tenant) = sender(tx, staff.tenant_id).await? else { return Ok(()) };
    let (id, token) = (StaffLinkId::new(now), Token::random());
    let link = store::NewLink {
        id,
        staff: staff.id,
        purpose: Purpose::SignIn,
        next: next.to_owned(),
        expires_at: now + LINK_LIFE,
    };
    store::insert_link(tx, link, &token, now).await?;
    let page = mails::SignInLink {
        name: staff.name.clone(),
        link: app.config.public(&link_path(&token)),
        minutes: LINK_LIFE.num_minutes(),
    };
    let draft = Draft {
        tenant: tenant.id,
        sender: tenant.mailbox(),
        kind: "staff-sign-in",
        subject_id: id.uuid(),
        revision: 1,
        person: staff.person_id,
        recipient: staff.email.clone(),
        body: Body::render(&app.pages, staff.locale, &page)?,
        attachments: Vec::new(),
        repeat_unknown: true,
    };
    mail::enqueue(tx, draft, now).await?;
    tracing::info!(staff = %staff.id, "a sign-in link is on its way");
    Ok(())
}

/// A link that works still, with whom it signs in.
#[derive(Clone, Debug)]
pub struct Pending {
    pub link: StaffLinkId,
    pub purpose: Purpose,
    pub staff: Staff,
    /// The page of the console that was asked for.
    pub next: String,
}

pub async fn pending(
    tx: &mut Tx,
    token: &Token,
    now: DateTime<Utc>,
) -> db::Result<Option<Pending>> {
    let Some(link) = store::pending_link(tx, &token.hash(), now).await? else { return Ok(None) };
    with_staff(tx, link).await
}

async fn with_staff(tx: &mut Tx, link: store::Link) -> db::Result<Option<Pending>> {
    let staff = store::find(tx, link.staff_id).await?;
    let store::Link { id, purpose, next, .. } = link;
    Ok(staff.map(|staff| Pending { link: id, purpose, staff, next }))
}

/// Spends the link and begins a sign-in session. `None` when the link is spent or too old.
pub async fn follow(
    tx: &mut Tx,
    token: &Token,
    now: DateTime<Utc>,
) -> db::Result<Option<(Token, String)>> {
    let Some(link) = store::use_link(tx, &token.hash(), now).await? else { return Ok(None) };
    let Some(pending) = with_staff(tx, link).await? else { return Ok(None) };
    let session = begin(tx, &pending.staff, now).await?;
    Ok(Some((session, pending.next)))
}

/// Begins a sign-in session: its token is the browser's cookie.
async fn begin(tx: &mut Tx, staff: &Staff, now: DateTime<Utc>) -> db::Result<Token> {
    let token = Token::random();
    let id = StaffSessionId::new(now);
    store::insert_session(tx, id, staff.id, &token, now, now + SESSION_LIFE).await?;
    store::signed_in(tx, staff.id, now).await?;
    tracing::info!(staff = %staff.id, "signed in");
    Ok(token)
}

#[derive(Debug, thiserror::Error)]
pub enum RecogniseError {
    #[error("nobody of staff is known by this identity")]
    Unknown,
    #[error("the invitation is spent or too old")]
    InvitationGone,
    #[error("the identity is another member's")]
    Taken,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Signs in whom the provider vouches for. An identity is linked to a member of staff by an
/// invitation and by nothing else: an address that a provider tells may be anybody's.
pub async fn recognise(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
    invitation: Option<StaffLinkId>,
    now: DateTime<Utc>,
) -> Result<Token, RecogniseError> {
    let staff = match invitation {
        Some(link) => {
            let link = store::use_invitation(tx, link, now).await?;
            let staff = match link {
                Some(link) => store::find(tx, link.staff_id).await?,
                None => None,
            };
            let staff = staff.ok_or(RecogniseError::InvitationGone)?;
            store::insert_identity(tx, issuer, subject, staff.id, now).await?;
            let owner = store::by_identity(tx, issuer, subject).await?;
            if owner.is_none_or(|owner| owner.id != staff.id) {
                return Err(RecogniseError::Taken);
            }
            staff
        }
        None => store::by_identity(tx, issuer, subject).await?.ok_or(RecogniseError::Unknown)?,
    };
    store::seen(tx, issuer, subject, now).await?;
    Ok(begin(tx, &staff, now).await?)
}

/// Where the console begins.
pub const HOME: &str = "/console";

/// The path to go on to: a page of the console, whatever was sent.
pub fn local_path(sent: &str) -> &str {
    let rest = sent.strip_prefix(HOME);
    let begins = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = sent.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if begins && plain && sent.len() <= 500 { sent } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_away_from_the_console() {
        for path in ["/console", "/console/platforms", "/console?page=2", "/console/a?b=/c"] {
            assert_eq!(local_path(path), path);
        }
        let long = format!("/console/{}", "a".repeat(500));
        for path in [
            "",
            "/",
            "/consoles",
            "//evil.example/console",
            "https://evil.example/console",
            "/console\\@evil.example",
            "/console/\r\nSet-Cookie: a=b",
            "/console@evil.example",
            &long,
        ] {
            assert_eq!(local_path(path), HOME, "{path:?}");
        }
    }
}
