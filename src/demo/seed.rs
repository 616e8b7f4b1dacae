//! What the demo starts with: an organisation, its relation to Campus, courses, two webinars.
//!
//! Everything is looked up before it is made, so that a kept folder can be started again.

use anyhow::Context as _;
use chrono::{DateTime, Datelike as _, Days, NaiveTime, TimeDelta, TimeZone as _, Utc, Weekday};
use chrono_tz::{Europe::Paris, Tz};
use url::Url;

use super::campus::{InitialLink, LinkKind, PEOPLE};
use crate::app::App;
use crate::config::Config;
use crate::console::{self, NewStaff};
use crate::courses::shipped;
use crate::db::Tx;
use crate::events::{self, EventState, NewDate, NewEvent};
use crate::ids::{ContextId, EventId, PersonId};
use crate::launches::{ITEM, OPEN};
use crate::people::{self, Told};
use crate::platforms::{self, NewRegistration, Registration};
use crate::tenants::{self, NewTenant, Tenant};
use crate::visits::{self, Role};
use crate::web::Lang;

/// The client id that Campus gives the service, the same at every start.
pub(super) const CLIENT_ID: &str = "passerelle-demo";
/// Campus's one deployment of the service.
pub(super) const DEPLOYMENT: &str = "1";
/// Campus's id of the course that everything stands in.
pub(super) const CONTEXT: &str = "2";

/// Who administers the demo.
pub(super) const ADMINISTRATOR: (&str, &str) = ("Camille Aubrée", "camille.admin@campus.example");

const TENANT: &str = "reseau-demo";
/// The order in which the courses stand in Campus.
const ORDER: [&str; 3] = ["premiers-pas-etwinning", "collaborer-en-ligne", "animer-un-webinaire"];

/// Where Campus answers: the paths are Campus's own and never change.
pub(super) struct Endpoints {
    pub(super) issuer: String,
    pub(super) authorization: String,
    pub(super) token: String,
    pub(super) keys: String,
}

impl Endpoints {
    pub(super) fn of(issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            issuer: issuer.to_owned(),
            authorization: at("/lti/auth"),
            token: at("/lti/token"),
            keys: at("/lti/certs"),
        }
    }
}

/// A webinar of the demo, as its link in Campus names it.
pub(super) struct Webinar {
    pub(super) id: EventId,
    title: &'static str,
    description: &'static str,
}

/// A webinar that the demo plans anew when none of its title is ahead.
struct Plan {
    title: &'static str,
    /// What Campus says of it.
    summary: &'static str,
    description: &'static str,
    days_ahead: u64,
    hour: (u32, u32),
    minutes: i64,
    capacity: Option<i64>,
    join_url: &'static str,
}

const PLANS: [Plan; 2] = [
    Plan {
        title: "Découvrir eTwinning en une heure",
        summary: "Webinaire d’une heure, ouvert à toutes et à tous.",
        description: "Une heure pour voir ce que l’on peut faire avec eTwinning, visiter la \
            plateforme en direct et poser vos questions.\n\nAucune connaissance préalable n’est \
            nécessaire. Les supports sont envoyés aux personnes présentes.",
        days_ahead: 3,
        hour: (17, 30),
        minutes: 60,
        capacity: Some(60),
        join_url: "https://visio.example.org/decouvrir-etwinning",
    },
    Plan {
        title: "Atelier : bâtir un projet à deux classes",
        summary: "Atelier de deux places seulement : essayez la liste d’attente.",
        description: "Un atelier en très petit groupe : apportez une idée, repartez avec un plan \
            de projet que vous pourrez proposer à une classe partenaire.",
        days_ahead: 10,
        hour: (14, 0),
        minutes: 90,
        capacity: Some(2),
        join_url: "https://visio.example.org/atelier-projet",
    },
];

/// Puts everything in place; `report` is told of each course that was built. Returns the webinars.
pub(super) async fn sow(
    app: &App,
    campus: &Endpoints,
    report: impl Fn(&str),
) -> anyhow::Result<Vec<Webinar>> {
    shipped::install(app, report).await.context("the courses cannot be installed")?;
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let tenant = tenant(&mut tx, now).await?;
    administrator(&mut tx, now).await?;
    let registration = registration(&mut tx, &tenant, campus, now).await?;
    let (context, trainer) = trainer(&mut tx, &tenant, &registration, now).await?;
    let mut webinars = Vec::new();
    for plan in &PLANS {
        let id = webinar(&mut tx, &tenant, context, trainer, plan, now).await?;
        webinars.push(Webinar { id, title: plan.title, description: plan.summary });
    }
    tx.commit().await?;
    Ok(webinars)
}

async fn tenant(tx: &mut Tx, now: DateTime<Utc>) -> anyhow::Result<Tenant> {
    if let Some(known) = tenants::by_slug(tx, TENANT).await? {
        return Ok(known);
    }
    let new = NewTenant {
        slug: TENANT.to_owned(),
        name: "Réseau Écoles d’Europe".to_owned(),
        sender_address: "formation@reseau-ecoles.example".to_owned(),
        signatory_name: "Maëlle Kerdiles-Søndergaard".to_owned(),
        signatory_title: "Responsable de la formation".to_owned(),
        language: Lang::Fr,
        time_zone: Paris,
    };
    tenants::insert(tx, new, now).await?;
    tenants::by_slug(tx, TENANT).await?.context("the demo's organisation is not there")
}

/// The invitation's link is left alone: at each start a link by mail signs in.
async fn administrator(tx: &mut Tx, now: DateTime<Utc>) -> anyhow::Result<()> {
    let (name, email) = ADMINISTRATOR;
    if console::all(tx).await?.iter().any(|staff| staff.email == email) {
        return Ok(());
    }
    let new = NewStaff {
        name: name.to_owned(),
        email: email.parse()?,
        coordinates: None,
        locale: Lang::Fr,
    };
    console::invite(tx, new, now).await?;
    Ok(())
}

async fn registration(
    tx: &mut Tx,
    tenant: &Tenant,
    campus: &Endpoints,
    now: DateTime<Utc>,
) -> anyhow::Result<Registration> {
    let new = NewRegistration {
        tenant: tenant.id,
        name: "Campus".to_owned(),
        issuer: campus.issuer.clone(),
        client_id: CLIENT_ID.to_owned(),
        authorization_endpoint: Url::parse(&campus.authorization)?,
        token_endpoint: Url::parse(&campus.token)?,
        jwks_uri: Url::parse(&campus.keys)?,
        token_audience: None,
        deployments: vec![DEPLOYMENT.to_owned()],
    };
    // Campus at the same address is the same registration: its answer to a second start is "none".
    platforms::insert(tx, new, now).await?;
    platforms::by_client(tx, &campus.issuer, CLIENT_ID)
        .await?
        .context("the registration of Campus is not there")
}

/// The context that launches will name, and the trainer as launches will tell of her.
async fn trainer(
    tx: &mut Tx,
    tenant: &Tenant,
    registration: &Registration,
    now: DateTime<Utc>,
) -> anyhow::Result<(ContextId, PersonId)> {
    let context = visits::insert_context(tx, registration.id, CONTEXT, None, None, now).await?;
    let known =
        PEOPLE.iter().find(|person| person.is_trainer()).context("Campus has no trainer")?;
    let told = Told {
        given_name: Some(known.given_name.to_owned()),
        family_name: Some(known.family_name.to_owned()),
        full_name: Some(known.name()),
        email: Some(known.email.to_owned()),
        locale: Some(Lang::Fr),
    };
    let subject = known.id.to_string();
    let person = people::meet(tx, tenant.id, registration.id, &subject, told, now).await?.person;
    visits::set_membership(tx, context, person.id, Role::Trainer, now).await?;
    Ok((context, person.id))
}

async fn webinar(
    tx: &mut Tx,
    tenant: &Tenant,
    context: ContextId,
    trainer: PersonId,
    plan: &Plan,
    now: DateTime<Utc>,
) -> anyhow::Result<EventId> {
    let planned = events::of_context(tx, context).await?.into_iter().find(|event| {
        event.title == plan.title && event.state == EventState::Scheduled && event.starts_at > now
    });
    if let Some(planned) = planned {
        return Ok(planned.id);
    }
    let starts_at = workday(now, plan.days_ahead, plan.hour, Paris)
        .context("the demo's webinars have no date")?;
    let new = NewEvent {
        title: plan.title.to_owned(),
        description: plan.description.to_owned(),
        time_zone: Paris,
        capacity: plan.capacity,
        join_url: Some(plan.join_url.parse()?),
        first: NewDate { starts_at, ends_at: starts_at + TimeDelta::minutes(plan.minutes) },
        more: Vec::new(),
    };
    Ok(events::create(tx, tenant.id, context, trainer, new, now).await?)
}

/// The given hour on the first workday that is at least `days` ahead.
pub(super) fn workday(
    now: DateTime<Utc>,
    days: u64,
    (hour, minute): (u32, u32),
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let mut day = now.with_timezone(&zone).date_naive().checked_add_days(Days::new(days))?;
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day = day.succ_opt()?;
    }
    let local = day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?);
    Some(zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc))
}

/// The activities that Campus shows.
pub(super) fn links(config: &Config, webinars: &[Webinar]) -> anyhow::Result<Vec<InitialLink>> {
    let link = |title: &str, description: &str, item: String, kind, score_maximum| InitialLink {
        title: title.to_owned(),
        description: description.to_owned(),
        target_link_uri: config.public(&format!("{OPEN}{item}")),
        custom: vec![(ITEM.to_owned(), item)],
        score_maximum,
        kind,
    };
    let mut courses = shipped::sources()?;
    courses.sort_by_key(|course| ORDER.iter().position(|slug| *slug == course.slug));
    let mut links = Vec::new();
    for course in &courses {
        let french = course.contents.get(&scorm::source::Lang::French);
        let Some(content) = french.or_else(|| course.contents.values().next()) else { continue };
        let item = format!("course/{}", course.slug);
        let (title, description) = (&content.title, &content.description);
        links.push(link(title, description, item, LinkKind::Course, Some(100.0)));
    }
    for webinar in webinars {
        let item = format!("event/{}", webinar.id);
        links.push(link(webinar.title, webinar.description, item, LinkKind::Webinar, None));
    }
    let all = "Le calendrier du parcours ; la formatrice y planifie d’autres webinaires.";
    links.push(link("Tous les webinaires", all, "events".to_owned(), LinkKind::Webinar, None));
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webinar_is_never_planned_on_a_weekend() {
        // A Wednesday: three days ahead is a Saturday.
        let now = Paris.with_ymd_and_hms(2026, 11, 25, 9, 0, 0).single().expect("an hour");
        let planned = workday(now.with_timezone(&Utc), 3, (17, 30), Paris).expect("a date");
        assert_eq!(planned.with_timezone(&Paris).to_string(), "2026-11-30 17:30:00 CET");
    }
}
