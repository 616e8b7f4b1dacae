//! Deep linking: the trainer chooses what an activity shows.

use std::collections::BTreeMap;

use axum::extract::{RawForm, State};
use axum::response::Response;
use lti::ags::LineItem;
use lti::claims::DeepLinkingSettings;
use lti::deep_linking::{Answer, ContentItem, LtiResourceLink, Request};
use serde::Serialize;
use url::Url;

use super::{ITEM, OPEN, legacy};
use crate::app::App;
use crate::courses;
use crate::events;
use crate::ids::Token;
use crate::platforms::Version;
use crate::visits::{Opens, Picker, Trainer};
use crate::web::{Page, Problem, dates, framed_html, origin_of};

/// What a course counts for in the platform's gradebook.
const POINTS: f64 = 100.0;

#[derive(Serialize)]
pub struct PickerPage {
    pub courses: Vec<CourseChoice>,
    pub events: Vec<EventChoice>,
    pub multiple: bool,
    /// False: this platform takes no links from tools.
    pub accepts: bool,
    pub form_token: String,
    pub action: String,
    pub create_event_url: String,
    /// The form was sent with nothing chosen.
    pub nothing_chosen: bool,
}

#[derive(Serialize)]
pub struct CourseChoice {
    pub value: String,
    pub title: String,
    pub description: String,
    pub duration: String,
}

#[derive(Serialize)]
pub struct EventChoice {
    pub value: String,
    pub title: String,
    pub when: String,
}

impl Page for PickerPage {
    const TEMPLATE: &'static str = "pages/picker";

    fn samples() -> Vec<Self> {
        let sample = |full: bool, multiple, accepts| Self {
            courses: full
                .then(|| CourseChoice {
                    value: "course/premiers-pas".to_owned(),
                    title: "Premiers <pas>".to_owned(),
                    description: "Deux phrases.".to_owned(),
                    duration: "40 min".to_owned(),
                })
                .into_iter()
                .collect(),
            events: full
                .then(|| EventChoice {
                    value: "event/1".to_owned(),
                    title: "Webinaire".to_owned(),
                    when: "lundi 23 novembre 2026 à 17 h 30".to_owned(),
                })
                .into_iter()
                .collect(),
            multiple,
            accepts,
            form_token: "token".to_owned(),
            action: "/launches/1/picker".to_owned(),
            create_event_url: "/launches/1/events/new".to_owned(),
            nothing_chosen: full,
        };
        vec![sample(true, true, true), sample(false, false, true), sample(true, false, false)]
    }
}

#[derive(Serialize)]
pub struct ReturnPage {
    pub action: String,
    pub fields: Vec<ReturnField>,
}

#[derive(Serialize)]
pub struct ReturnField {
    pub name: String,
    pub value: String,
}

impl Page for ReturnPage {
    const TEMPLATE: &'static str = "pages/picker-return";

    fn samples() -> Vec<Self> {
        vec![Self {
            action: "https://lms.example/return?a=1&b=2".to_owned(),
            fields: vec![ReturnField { name: "JWT".to_owned(), value: "a.b.c".to_owned() }],
        }]
    }
}

/// `GET /launches/{launch}/picker`
pub async fn show(State(app): State<App>, trainer: Trainer) -> Result<Response, Problem> {
    page(&app, &trainer, false).await
}

async fn page(app: &App, trainer: &Trainer, nothing_chosen: bool) -> Result<Response, Problem> {
    let settings = settings_of(trainer)?;
    let (visit, lang) = (&trainer.visit, trainer.visit.lang());
    let mut tx = app.db.read().await?;
    let mut choices = Vec::new();
    for course in courses::all(&mut tx).await? {
        let versions = courses::versions(&mut tx, course.id).await?;
        let Some(version) = courses::choose(&versions, lang) else { continue };
        choices.push(CourseChoice {
            value: format!("course/{}", course.slug),
            title: version.title.clone(),
            description: version.description.clone(),
            duration: dates::duration(version.duration_minutes),
        });
    }
    let events = events::of_context(&mut tx, trainer.context).await?;
    let page = PickerPage {
        courses: choices,
        events: events
            .into_iter()
            .map(|event| EventChoice {
                value: format!("event/{}", event.id),
                when: dates::day_and_time(lang, event.starts_at, event.zone()),
                title: event.title,
            })
            .collect(),
        multiple: settings.accepts_several(),
        accepts: settings.accepts_type("ltiResourceLink"),
        form_token: visit.form_token(app, "picker"),
        action: visit.path("/picker"),
        create_event_url: visit.path("/events/new"),
        nothing_chosen,
    };
    Ok(visit.page(app.pages.html(lang, &page)?, &[]))
}

/// `POST /launches/{launch}/picker`: the signed answer, on its way back to the platform. Nothing
/// chosen but `cancel` is a cancelled choice.
pub async fn choose(
    State(app): State<App>,
    trainer: Trainer,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
    let values = |name: &'static str| {
        fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let token = values("form_token").next().unwrap_or_default();
    trainer.visit.check_form(&app, "picker", token)?;
    let settings = settings_of(&trainer)?;
    let cancelled = values("cancel").next().is_some();
    let chosen: Vec<&str> = if cancelled { Vec::new() } else { values("item").collect() };
    if chosen.is_empty() && !cancelled {
        return page(&app, &trainer, true).await;
    }
    let mut items = Vec::new();
    for value in chosen {
        items.push(item(&app, &trainer, value).await?);
    }
    let (items, _) = settings.filter(items);
    let registration = &trainer.visit.registration;
    let back = match (registration.version, &trainer.visit.launch.details.opens) {
        (Version::V11, Opens::Picker(picker)) => {
            legacy::selection::respond(&app, registration, picker, &settings, &items)?
        }
        _ => answer(&app, &trainer, &settings, &items).await?,
    };
    let html = app.pages.html(trainer.visit.lang(), &back)?;
    let mut response = framed_html(html, &registration.frame_ancestors(), &[]);
    // The one form of ours that leaves our origin.
    crate::web::allow_form_action(&mut response, origin_of(&back.action));
    Ok(response)
}

/// The form that takes the choice back to the platform (LTI Deep Linking 2.0, 4.5).
async fn answer(
    app: &App,
    trainer: &Trainer,
    settings: &DeepLinkingSettings,
    items: &[ContentItem],
) -> Result<ReturnPage, Problem> {
    let registration = &trainer.visit.registration;
    let nonce = Token::random();
    let key = app.keys.signing_for(app, registration.id).await?;
    let form = Request {
        settings,
        issuer: &registration.issuer,
        client_id: &registration.client_id,
        deployment_id: &trainer.visit.launch.deployment_id,
    }
    .respond(
        &key,
        &Answer { items, ..Answer::default() },
        nonce.reveal(),
        app.clock.now(),
    )
    .map_err(|error| Problem::internal(&error))?;
    let fields = vec![ReturnField { name: "JWT".to_owned(), value: form.jwt }];
    Ok(ReturnPage { action: form.action.to_string(), fields })
}

fn settings_of(trainer: &Trainer) -> Result<DeepLinkingSettings, Problem> {
    let Opens::Picker(picker) = &trainer.visit.launch.details.opens else {
        return Err(Problem::not_found());
    };
    let Picker { return_url, data, accept_types, accept_multiple, accept_line_item, .. } = picker;
    Ok(DeepLinkingSettings {
        return_url: Url::parse(return_url).map_err(|_| Problem::not_found())?,
        accept_types: accept_types.clone(),
        accept_media_types: Vec::new(),
        accept_targets: Vec::new(),
        accept_multiple: *accept_multiple,
        accept_line_item: *accept_line_item,
        auto_create: false,
        title: None,
        text: None,
        data: data.clone(),
    })
}

/// The link to put into the platform's course: its id of ours stands in the address and in the
/// custom parameters, so that a copied course still opens the same.
async fn item(app: &App, trainer: &Trainer, value: &str) -> Result<ContentItem, Problem> {
    let unknown = || {
        Problem::bad_request("picker-unknown")
            .in_language(trainer.visit.lang())
            .detail(value.chars().take(100).collect::<String>())
    };
    let mut tx = app.db.read().await?;
    let (title, graded) = match value.split_once('/') {
        Some(("course", slug)) => {
            let course = courses::by_slug(&mut tx, slug).await?.ok_or_else(unknown)?;
            let versions = courses::versions(&mut tx, course.id).await?;
            let version = courses::choose(&versions, trainer.visit.lang()).ok_or_else(unknown)?;
            (version.title.clone(), true)
        }
        Some(("event", id)) => {
            let id = id.parse().map_err(|_| unknown())?;
            let events = events::of_context(&mut tx, trainer.context).await?;
            let event = events.into_iter().find(|event| event.id == id).ok_or_else(unknown)?;
            (event.title, false)
        }
        _ => return Err(unknown()),
    };
    let address = match trainer.visit.registration.version {
        Version::V13 => app.config.public(&format!("{OPEN}{value}")),
        Version::V11 => legacy::item_address(app, value),
    };
    let url = Url::parse(&address).map_err(|_| unknown())?;
    let line_item = graded.then(|| LineItem {
        id: None,
        label: title.clone(),
        score_maximum: POINTS,
        resource_id: Some(value.to_owned()),
        tag: None,
        resource_link_id: None,
        starts_at: None,
        ends_at: None,
    });
    Ok(ContentItem::LtiResourceLink(Box::new(LtiResourceLink {
        url: Some(url),
        title: Some(title),
        custom: BTreeMap::from([(ITEM.to_owned(), value.to_owned())]),
        line_item,
        ..LtiResourceLink::default()
    })))
}
