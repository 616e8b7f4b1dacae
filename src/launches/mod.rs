//! The door: what a platform sends, checked and turned into a launch.

pub mod legacy;
pub mod nothing;
pub mod pages;
pub mod picker;
pub mod storage;
pub mod told;

use chrono::{DateTime, TimeDelta, Utc};
use lti::claims::{self, Message};
use lti::launch::{AnonymousPolicy, Check, Expectation, LaunchRefusal, Verification};
use lti::login::LoginRequest;
use lti::state::State;
use sqlx::types::Json;
use url::Url;

use crate::app::App;
use crate::courses;
use crate::credentials::jobs::MailWaiting;
use crate::db::{self, Tx};
use crate::events::{self, copies};
use crate::ids::{LaunchId, Token, sha256_hex};
use crate::people::{self, Met, Told};
use crate::platforms::{self, DeploymentState, Registration, RegistrationState, Version, services};
use crate::player::{self, columns::Column};
use crate::visits::{
    self, Bearer, Carrier, Details, LAUNCH_LIFE, Launch, Opens, Picker, Review, Role,
};
use crate::web::Lang;
use told::LaunchTold;

/// A login that takes longer than this starts anew.
const STATE_LIFE: TimeDelta = TimeDelta::minutes(15);
/// The custom parameter that names what an activity opens: `course/<slug>`, `event/<id>`, `events`.
pub const ITEM: &str = "passerelle_item";
/// The custom parameter in which a platform says of which courses this one is a copy.
pub const HISTORY: &str = "context_id_history";
/// The path under which an item's own address stands.
pub const OPEN: &str = "/lti/open/";

/// Why nobody was let in: the word for the texts, and what an administrator needs to know.
#[derive(Debug)]
pub struct Refusal {
    pub code: &'static str,
    pub registration: Option<crate::ids::RegistrationId>,
    pub detail: String,
    pub checks: Vec<Check>,
    pub seen: Seen,
}

/// What an administrator may see of a message.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The claims, masked; believed or not, the checks tell.
    pub claims: Option<serde_json::Value>,
    /// How far the platform's clock is ahead of ours; behind: negative.
    pub skew_seconds: Option<i64>,
}

impl Seen {
    /// Masked claims larger than this are kept as a list of their names.
    const LIMIT: usize = 32 * 1024;

    /// Of a message that could be read, whoever wrote it.
    fn of(claims: &serde_json::Map<String, serde_json::Value>) -> Self {
        let mut masked = lti::diagnostics::mask(claims);
        if serde_json::to_string(&masked).map_or(0, |text| text.len()) > Self::LIMIT {
            let short = |(name, _): (String, _)| (name.chars().take(200).collect(), "…".into());
            masked = masked.into_iter().take(100).map(short).collect();
        }
        Self { claims: Some(masked.into()), skew_seconds: None }
    }
}

impl Refusal {
    fn new(code: &'static str, detail: impl ToString) -> Self {
        let (detail, seen) = (detail.to_string(), Seen::default());
        Self { code, registration: None, detail, checks: Vec::new(), seen }
    }

    fn of(mut self, registration: &Registration) -> Self {
        self.registration = Some(registration.id);
        self
    }
}

/// The registration a login is meant for: by (issuer, client id); by the id in our own address
/// where the platform tells no client id; by the issuer alone where it has one registration.
pub async fn registration_for(
    tx: &mut Tx,
    login: &LoginRequest,
    named: Option<crate::ids::RegistrationId>,
) -> Result<Registration, db::Error> {
    let missing = db::Error::RowNotFound;
    let found = match (&login.client_id, named) {
        (Some(client), _) => platforms::by_client(tx, &login.issuer, client).await?,
        (None, Some(id)) => platforms::find(tx, id).await?.filter(|r| r.issuer == login.issuer),
        (None, None) => {
            let mut all = platforms::by_issuer(tx, &login.issuer).await?;
            if all.len() == 1 { all.pop() } else { None }
        }
    };
    // An LTI 1.1 consumer has no login: whoever names its key as a client id is no platform.
    found.filter(|found| found.version == Version::V13).ok_or(missing)
}

/// Whether launches of this registration are let in at all.
fn usable(registration: &Registration) -> Result<(), Refusal> {
    let (code, detail) = match registration.state {
        RegistrationState::Active => return Ok(()),
        RegistrationState::Pending => {
            ("registration-pending", "the registration waits for an administrator's approval")
        }
        RegistrationState::Closed => ("registration-closed", "the registration was closed"),
    };
    Err(Refusal::new(code, detail).of(registration))
}

/// Where the browser goes to be authenticated. Writes nothing: the state is signed. `browser` is
/// what its cookie holds, or what the platform's page keeps for a launch whose session is to be
/// carried in the path.
pub fn authentication(
    app: &App,
    registration: &Registration,
    login: &LoginRequest,
    browser: &Token,
    kept: Carrier,
) -> Result<Url, Refusal> {
    usable(registration)?;
    let endpoint = Url::parse(&registration.authorization_endpoint)
        .map_err(|error| Refusal::new("registration-broken", error).of(registration))?;
    let nonce = Token::random().reveal().to_owned();
    let state = app.keys.state.sign(&State {
        registration: registration.id.to_string(),
        nonce: nonce.clone(),
        target_link_uri: login.target_link_uri.clone(),
        issued_at: app.clock.now(),
        storage_target: login.storage_target.clone().filter(|_| kept == Carrier::Path),
        browser: lti::state::browser_hash(browser.reveal()),
    });
    let redirect_uri = app.config.public("/lti/launch");
    Ok(lti::login::authentication_url(
        &endpoint,
        &registration.client_id,
        &redirect_uri,
        &state,
        &nonce,
        login,
    ))
}

/// What a launch that passed every check of the token brings to the transaction.
pub struct Verified {
    pub registration: Registration,
    pub launch: claims::Launch,
    pub checks: Vec<Check>,
    pub seen: Seen,
}

/// A state of ours.
fn opened(app: &App, state: &str) -> Result<State, Refusal> {
    let opened = app.keys.state.verify(state, app.clock.now(), STATE_LIFE);
    opened.map_err(|error| Refusal::new(error.code(), error))
}

/// The registration whose login a state belongs to.
async fn registration_of(app: &App, state: &State) -> Result<Registration, Refusal> {
    let mut tx = app.db.read().await.map_err(database)?;
    let found = match state.registration.parse() {
        Ok(id) => platforms::find(&mut tx, id).await.map_err(database)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Refusal::new("registration-gone", "it was removed"))
}

/// Opens the state and verifies the token; nothing is written. `browser` is what came with the
/// launch: the cookie's value, or what the platform's page gave back.
pub async fn verify(
    app: &App,
    id_token: &str,
    state: &str,
    browser: Option<&Token>,
    kept: Carrier,
) -> Result<Verified, Refusal> {
    let now = app.clock.now();
    let state = opened(app, state)?;
    let registration = registration_of(app, &state).await?;
    // A login that was bound to the one is never answered with the other.
    let by_storage = state.storage_target.is_some();
    if by_storage && kept == Carrier::Path && browser.is_none() {
        let detail = "the platform did not give back what it was asked to keep";
        return Err(Refusal::new("storage-lost", detail).of(&registration));
    }
    let bound = by_storage == (kept == Carrier::Path)
        && browser.is_some_and(|browser| state.is_bound_to(browser.reveal()));
    if !bound {
        let detail = match kept {
            Carrier::Cookie => "the browser did not bring the cookie that the login set",
            Carrier::Path => "the platform kept another value than the login's",
        };
        return Err(Refusal::new("browser-changed", detail).of(&registration));
    }
    usable(&registration)?;
    let peeked = lti::launch::peek(id_token)
        .map_err(|error| Refusal::new(error.code(), &error).of(&registration))?;
    let mut seen = Seen::of(&peeked.claims);
    let kid = peeked.key_id.unwrap_or_default();
    let keys = match app.key_sets.for_key(app, &registration, &kid).await {
        Ok(keys) => keys,
        Err(error) => {
            let refusal = Refusal::new("key-set-unavailable", error).of(&registration);
            return Err(Refusal { seen, ..refusal });
        }
    };
    let mut expected =
        Expectation::new(&registration.issuer, &registration.client_id, &state.nonce, now);
    expected.target_link_uri = Some(&state.target_link_uri);
    if registration.anonymous {
        expected.anonymous = AnonymousPolicy::Allow;
    }
    let Verification { result, checks, clock_skew } =
        lti::launch::verify(id_token, &keys, &expected);
    seen.skew_seconds = clock_skew.map(|skew| skew.num_seconds());
    match result {
        Ok(launch) => Ok(Verified { registration, launch, checks, seen }),
        Err(refusal) => Err(Refusal {
            code: refusal.code(),
            registration: Some(registration.id),
            detail: refusal.to_string(),
            checks,
            seen,
        }),
    }
}

fn database(error: db::Error) -> Refusal {
    Refusal::new("internal", error)
}

/// How the transaction of a launch can end other than well.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("the deployment {0:?} is waiting for an administrator's approval")]
    DeploymentPending(String),
    /// The same launch again, by the browser that made it: back to its page.
    #[error("the launch was made before, by this browser")]
    Repeated(Box<Launch>),
    #[error("the nonce was spent by another launch")]
    Replayed,
    #[error("the launch names no person")]
    Anonymous,
    #[error("the activity opens something that is not here: {0}")]
    UnknownItem(String),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl AcceptError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::DeploymentPending(_) => "deployment-pending",
            Self::Repeated(_) | Self::Replayed => "nonce-replayed",
            Self::Anonymous => LaunchRefusal::SubjectMissing.code(),
            Self::UnknownItem(_) => "item-unknown",
            Self::Database(_) => "internal",
        }
    }
}

/// The one transaction of a launch: spends the nonce; meets person, context and resource link;
/// enrols. Runs in a group with other launches.
pub async fn accept(
    tx: &mut Tx,
    registration: &Registration,
    told: &LaunchTold,
    browser: &Bearer,
    now: DateTime<Utc>,
) -> Result<Launch, AcceptError> {
    if let Some(deployment) = &told.deployment_id {
        let state = platforms::deployment(tx, registration.id, deployment, now).await?;
        if state == DeploymentState::Pending {
            return Err(AcceptError::DeploymentPending(deployment.clone()));
        }
    }
    let nonce = sha256_hex(format!("{}\n{}", registration.id, told.nonce).as_bytes());
    if let Some(before) = visits::spent_by(tx, &nonce, browser, now).await? {
        return Err(AcceptError::Repeated(Box::new(before)));
    }
    let id = LaunchId::new(now);
    // Who is not told cannot be known again: nobody in particular plays, as a preview, under a
    // subject of this launch alone. No roster has them, nothing is graded, and they teach nothing.
    let nobody = told.subject.is_none();
    if nobody && !registration.anonymous {
        return Err(AcceptError::Anonymous);
    }
    let subject = told.subject.clone().unwrap_or_else(|| format!("anonymous:{id}"));
    let lang = told.locale().and_then(|tag| Lang::from_tag(&tag));
    let Met { person, identity, first_address } = people::meet(
        tx,
        registration.tenant_id,
        registration.id,
        &subject,
        Told {
            given_name: told.user.given_name.clone(),
            family_name: told.user.family_name.clone(),
            full_name: told.user.name.clone(),
            email: told.user.email.clone(),
            locale: lang,
        },
        now,
    )
    .await?;
    if first_address {
        let job = MailWaiting { person: person.id };
        crate::jobs::enqueue(tx, &job, now, now, None).await?;
    }
    if let (None, Some(family)) = (&registration.family, family_of(told)) {
        platforms::remember_family(tx, registration.id, family).await?;
    }
    let role = if nobody { Role::Learner } else { role_of(&told.roles) };
    let context = match &told.context {
        None => None,
        Some(context) => {
            let (title, label) = (context.title.clone(), context.label.clone());
            let id =
                visits::insert_context(tx, registration.id, &context.id, title, label, now).await?;
            if !nobody {
                visits::set_membership(tx, id, person.id, role, now).await?;
            }
            Some(id)
        }
    };
    let said = match (opens(tx, told, registration).await?, context) {
        // In a copied course a trainer may have decided otherwise than the link says.
        (Opens::Event(event), Some(context)) => {
            let history = told.custom.get(HISTORY).map(String::as_str).unwrap_or_default();
            let history = copies::lms_ids(history);
            let event = copies::resolve(tx, registration.id, context, event, &history).await?;
            Opens::Event(event)
        }
        (said, _) => said,
    };
    let (resource_link, opens) = match told.resource_link() {
        None => (None, said),
        Some(link) => {
            let (id, opens) = visits::insert_resource_link(
                tx,
                registration.id,
                &link.id,
                context,
                link.title.clone(),
                &said,
                now,
            )
            .await?;
            services::remember(tx, id, &told.services(), now).await?;
            (Some(id), reviewed(&told.message, opens))
        }
    };
    let session = visits::insert_session(tx, browser, now, now + LAUNCH_LIFE).await?;
    visits::end_of_others(tx, session, registration.id, person.id, now).await?;
    let return_url = told.presentation.return_url.as_ref().map(Url::to_string);
    let launch = Launch {
        id,
        sign_in_session_id: session,
        registration_id: registration.id,
        deployment_id: told.deployment_id.clone().unwrap_or_default(),
        person_id: person.id,
        identity_id: identity,
        context_id: context,
        resource_link_id: resource_link,
        role,
        locale: lang.unwrap_or(person.locale),
        details: Json(Details {
            opens,
            return_url,
            picker: None,
            preview: nobody || role == Role::Trainer || told.roles.is_test_user(),
        }),
        created_at: now,
        expires_at: now + LAUNCH_LIFE,
    };
    visits::insert(tx, &launch, told.message.name()).await?;
    if !visits::spend_nonce(tx, &nonce, launch.id, told.expires_at + TimeDelta::minutes(5)).await? {
        // Spent by a transaction that ran beside this one: perhaps the same browser's double click.
        return Err(match visits::spent_by(tx, &nonce, browser, now).await? {
            Some(before) => AcceptError::Repeated(Box::new(before)),
            None => AcceptError::Replayed,
        });
    }
    if let Opens::Course(course) = launch.details.opens {
        enrol(tx, &launch, told, course, now).await?;
    }
    Ok(launch)
}

/// A trainer previews; who is neither trainer nor learner plays, and is not graded.
async fn enrol(
    tx: &mut Tx,
    launch: &Launch,
    told: &LaunchTold,
    course: crate::ids::CourseId,
    now: DateTime<Utc>,
) -> Result<(), AcceptError> {
    let preview = launch.details.preview;
    let enrolment = player::enrol(tx, launch.person_id, course, preview, now).await?;
    let Some(link) = launch.resource_link_id else { return Ok(()) };
    if preview || !told.roles.is_context_learner() {
        return Ok(());
    }
    let identity = launch.identity_id;
    let line_item = match player::columns::of_launch(tx, link, told.ags.as_ref(), now).await? {
        Column::At(address) => address,
        Column::Wanted => String::new(),
        Column::Nowhere => {
            if let Some(outcome) = &told.basic_outcome {
                let method = told.signature_method;
                player::outcomes::aim(tx, enrolment.id, link, identity, outcome, method, now)
                    .await?;
            }
            return Ok(());
        }
    };
    player::grades::aim(tx, enrolment.id, link, identity, &line_item, now).await?;
    Ok(())
}

/// A request to review somebody's work leads there, and not into the course.
fn reviewed(message: &Message, opens: Opens) -> Opens {
    match (message, opens) {
        (Message::SubmissionReview { for_user, .. }, Opens::Course(course)) => {
            Opens::Review(Review { course, subject: for_user.user_id.clone() })
        }
        (_, opens) => opens,
    }
}

/// The LMS's product, if the launch says it.
fn family_of(told: &LaunchTold) -> Option<&str> {
    told.platform.as_ref()?.family.as_deref().filter(|family| !family.is_empty())
}

/// Context roles decide; institution and system roles never make a trainer.
fn role_of(roles: &lti::roles::Roles) -> Role {
    let trains = roles.is_context_instructor()
        || roles.is_content_developer()
        || roles.is_context_administrator();
    if trains { Role::Trainer } else { Role::Learner }
}

/// What the launch says it opens: by our custom parameter, else by our own address.
/// It must be the tenant's own, or shared by all.
async fn opens(
    tx: &mut Tx,
    told: &LaunchTold,
    registration: &Registration,
) -> Result<Opens, AcceptError> {
    if let Message::DeepLinking(settings) = &told.message {
        return Ok(Opens::Picker(Picker {
            return_url: settings.return_url.to_string(),
            data: settings.data.clone(),
            accept_types: settings.accept_types.clone(),
            accept_multiple: settings.accept_multiple,
            accept_line_item: settings.accept_line_item,
            signature_method: told.signature_method.map(|method| method.as_str().to_owned()),
            accept_targets: picker::known_targets(&settings.accept_targets),
        }));
    }
    let custom = told.custom.get(ITEM).map(String::as_str).filter(|item| !item.is_empty());
    let item = custom.or_else(|| told.target_link_uri.as_ref()?.path().strip_prefix(OPEN));
    let Some(item) = item else { return Ok(Opens::Nothing) };
    let tenant = registration.tenant_id;
    let unknown = || AcceptError::UnknownItem(item.chars().take(100).collect());
    match item.split_once('/') {
        None if item == "events" => Ok(Opens::Events),
        Some(("course", slug)) => {
            let course = courses::offered(tx, slug, tenant).await?.ok_or_else(unknown)?;
            Ok(Opens::Course(course.id))
        }
        Some(("event", id)) => {
            let id = id.parse().map_err(|_| unknown())?;
            let known = events::is_of_tenant(tx, id, tenant).await?;
            known.then_some(Opens::Event(id)).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}
