//! Deep linking: the trainer chooses what an activity shows.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Query, RawForm, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use lti::ags::LineItem;
use lti::claims::{DeepLinkingSettings, DocumentTarget};
use lti::deep_linking::{
    Answer, ContentItem, IframeHint, Image, LtiResourceLink, Request, WindowHint,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use url::Url;

use super::{HISTORY, ITEM, OPEN, legacy};
use crate::app::App;
use crate::courses;
use crate::db::Tx;
use crate::events::{self, EventState, Listed};
use crate::ids::{LaunchId, Token};
use crate::platforms::Version;
use crate::player;
use crate::visits::{self, Details, Launch, Opens, Picker, Trainer, Visit};
use crate::web::{Lang, Page, Problem, assets, dates, framed_html, origin_of};

/// What a course counts for in the platform's gradebook.
const POINTS: f64 = 100.0;
/// Our name for the kind of grade.
const TAG: &str = "passerelle-course";
/// How high our pages like to be shown, in pixels.
const FRAME_HEIGHT: u32 = 800;
/// So many characters of a search are looked at.
const LONGEST_QUERY: usize = 100;

#[derive(Clone, Serialize)]
pub struct PickerPage {
    pub courses: Vec<CourseChoice>,
    pub events: Vec<EventChoice>,
    /// What was searched for; empty shows all.
    pub query: String,
    /// Whether there is anything to search in.
    pub searchable: bool,
    /// Whether there are courses that the search leaves out; the same for events.
    pub more_courses: bool,
    pub more_events: bool,
    pub multiple: bool,
    /// False: this platform takes no links from tools.
    pub accepts: bool,
    pub form_token: String,
    pub action: String,
    pub preview_action: String,
    pub create_event_url: String,
    /// The form was sent with nothing chosen.
    pub nothing_chosen: bool,
}

#[derive(Clone, Serialize)]
pub struct CourseChoice {
    pub value: String,
    pub title: String,
    pub description: String,
    pub duration: String,
    /// Keys of their names: `picker-language-fr`.
    pub languages: Vec<String>,
    pub chosen: bool,
}

#[derive(Clone, Serialize)]
pub struct EventChoice {
    pub value: String,
    pub title: String,
    pub when: String,
    /// `None` when it has several dates.
    pub duration: Option<String>,
    pub chosen: bool,
}

impl Page for PickerPage {
    const TEMPLATE: &'static str = "pages/picker";

    fn samples() -> Vec<Self> {
        let course = CourseChoice {
            value: "course/premiers-pas".to_owned(),
            title: "Premiers <pas>".to_owned(),
            description: "Deux phrases.".to_owned(),
            duration: "40 min".to_owned(),
            languages: vec!["picker-language-fr".to_owned(), "picker-language-en".to_owned()],
            chosen: false,
        };
        let event = EventChoice {
            value: "event/1".to_owned(),
            title: "Webinaire".to_owned(),
            when: "lundi 23 novembre 2026 à 17 h 30".to_owned(),
            duration: Some("1 h".to_owned()),
            chosen: true,
        };
        let several = EventChoice { duration: None, chosen: false, ..event.clone() };
        let full = Self {
            courses: vec![course],
            events: vec![event, several],
            query: String::new(),
            searchable: true,
            more_courses: false,
            more_events: false,
            multiple: true,
            accepts: true,
            form_token: "token".to_owned(),
            action: "/launches/1/picker".to_owned(),
            preview_action: "/launches/1/picker/preview".to_owned(),
            create_event_url: "/launches/1/events/new".to_owned(),
            nothing_chosen: true,
        };
        let empty = Self { courses: Vec::new(), events: Vec::new(), ..full.clone() };
        let nothing = Self { searchable: false, nothing_chosen: false, ..empty.clone() };
        let not_found = Self {
            query: "\"><script>".to_owned(),
            more_courses: true,
            more_events: true,
            nothing_chosen: false,
            ..empty
        };
        let one = Self { multiple: false, ..full.clone() };
        vec![one, nothing, not_found, Self { accepts: false, ..full.clone() }, full]
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

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Words that a title or description must have.
    q: String,
    /// An item that is marked, such as a webinar made just now.
    chosen: String,
}

/// `GET /launches/{launch}/picker`
pub async fn show(
    State(app): State<App>,
    trainer: Trainer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    page(&app, &trainer, &asked, false).await
}

async fn page(
    app: &App,
    trainer: &Trainer,
    asked: &Asked,
    nothing_chosen: bool,
) -> Result<Response, Problem> {
    let settings = settings_of(trainer)?;
    let (visit, lang) = (&trainer.visit, trainer.visit.lang());
    let mut tx = app.db.read().await?;
    let mut courses = course_choices(&mut tx, visit, lang).await?;
    let events = events::of_context(&mut tx, trainer.context).await?;
    drop(tx);
    let now = app.clock.now();
    let mut events: Vec<EventChoice> = events
        .into_iter()
        .filter(|event| is_offered(event, now))
        .map(|event| event_choice(lang, event))
        .collect();
    let (all_courses, all_events) = (courses.len(), events.len());
    for course in &mut courses {
        course.chosen = course.value == asked.chosen;
    }
    for event in &mut events {
        event.chosen = event.value == asked.chosen;
    }
    // What is marked stays in sight: it would be sent unseen.
    courses.retain(|one| one.chosen || matches(&asked.q, &[&one.title, &one.description]));
    events.retain(|one| one.chosen || matches(&asked.q, &[&one.title, &one.when]));
    let page = PickerPage {
        searchable: all_courses + all_events > 0,
        more_courses: all_courses > courses.len(),
        more_events: all_events > events.len(),
        courses,
        events,
        query: asked.q.chars().take(LONGEST_QUERY).collect(),
        multiple: settings.accepts_several(),
        accepts: settings.accepts_type("ltiResourceLink"),
        form_token: visit.form_token(app, "picker"),
        action: visit.path("/picker"),
        preview_action: visit.path("/picker/preview"),
        create_event_url: visit.path("/events/new"),
        nothing_chosen,
    };
    Ok(visit.page(app.pages.html(lang, &page)?, &[]))
}

/// The courses that the tenant offers.
async fn course_choices(
    tx: &mut Tx,
    visit: &Visit,
    lang: Lang,
) -> Result<Vec<CourseChoice>, Problem> {
    let mut choices = Vec::new();
    for course in courses::all_offered(tx, visit.tenant.id).await? {
        let versions = courses::versions(tx, course.id).await?;
        let Some(version) = courses::choose(&versions, lang) else { continue };
        let has = |lang: &Lang| versions.iter().any(|version| version.language == *lang);
        choices.push(CourseChoice {
            value: format!("course/{}", course.slug),
            title: version.title.clone(),
            description: version.description.clone(),
            duration: dates::duration(version.duration_minutes),
            languages: Lang::ALL
                .into_iter()
                .filter(has)
                .map(|lang| format!("picker-language-{}", lang.as_str()))
                .collect(),
            chosen: false,
        });
    }
    Ok(choices)
}

/// Nobody is sent to what is over or does not take place.
fn is_offered(event: &Listed, now: DateTime<Utc>) -> bool {
    event.state == EventState::Scheduled && now < event.over_at
}

fn event_choice(lang: Lang, event: Listed) -> EventChoice {
    let minutes = (event.ends_at - event.starts_at).num_minutes();
    EventChoice {
        value: format!("event/{}", event.id),
        when: dates::day_and_time(lang, event.starts_at, event.zone()),
        duration: (event.over_at == event.ends_at).then(|| dates::duration(minutes)),
        chosen: false,
        title: event.title,
    }
}

/// Whether each word of the query is in one of the texts, whatever their case and accents.
fn matches(query: &str, texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|text| folded(text)).collect();
    let query: String = query.chars().take(LONGEST_QUERY).collect();
    folded(&query).split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// Lower case without accents, as people search.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'ö' | 'õ' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            '’' => folded.push('\''),
            // What a decomposed letter carries above and below it.
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviewForm {
    form_token: String,
    /// `course/<slug>`
    preview: String,
}

/// `POST /launches/{launch}/picker/preview`: the course as the trainer's preview, in a launch of
/// its own that knows the way back to the choice.
pub async fn preview(
    State(app): State<App>,
    trainer: Trainer,
    Form(form): Form<PreviewForm>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    visit.check_form(&app, "picker", &form.form_token)?;
    settings_of(&trainer)?;
    let now = app.clock.now();
    let slug = form.preview.strip_prefix("course/").unwrap_or_default();
    let mut tx = app.db.write().await?;
    let course = courses::offered(&mut tx, slug, visit.tenant.id)
        .await?
        .ok_or_else(|| unknown(&trainer, &form.preview))?;
    let launch = Launch {
        id: LaunchId::new(now),
        resource_link_id: None,
        details: Json(Details {
            opens: Opens::Course(course.id),
            return_url: None,
            preview: true,
            picker: Some(visit.launch.id),
        }),
        created_at: now,
        ..visit.launch.clone()
    };
    visits::insert(&mut tx, &launch, lti::claims::DEEP_LINKING_REQUEST).await?;
    player::enrol(&mut tx, visit.person.id, course.id, true, now).await?;
    tx.commit().await?;
    Ok(Redirect::to(&visit.path_of(launch.id, "/course")).into_response())
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
        return page(&app, &trainer, &Asked::default(), true).await;
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
    .respond(&key, &Answer { items, ..Answer::default() }, nonce.reveal(), app.clock.now())
    .map_err(|error| Problem::internal(&error))?;
    let fields = vec![ReturnField { name: "JWT".to_owned(), value: form.jwt }];
    Ok(ReturnPage { action: form.action.to_string(), fields })
}

fn settings_of(trainer: &Trainer) -> Result<DeepLinkingSettings, Problem> {
    let Opens::Picker(picker) = &trainer.visit.launch.details.opens else {
        return Err(Problem::not_found());
    };
    let Picker {
        return_url,
        data,
        accept_types,
        accept_multiple,
        accept_line_item,
        accept_targets,
        ..
    } = picker;
    Ok(DeepLinkingSettings {
        return_url: Url::parse(return_url).map_err(|_| Problem::not_found())?,
        accept_types: accept_types.clone(),
        accept_media_types: Vec::new(),
        accept_targets: accept_targets.iter().filter_map(|word| target_of(word)).collect(),
        accept_multiple: *accept_multiple,
        accept_line_item: *accept_line_item,
        auto_create: false,
        title: None,
        text: None,
        data: data.clone(),
    })
}

const IFRAME: &str = "iframe";
const WINDOW: &str = "window";

/// The words under which a picker remembers how the platform shows what it links to.
pub(super) fn known_targets(targets: &[DocumentTarget]) -> Vec<String> {
    let word = |target: &DocumentTarget| match target {
        DocumentTarget::Iframe => Some(IFRAME.to_owned()),
        DocumentTarget::Window => Some(WINDOW.to_owned()),
        DocumentTarget::Frame | DocumentTarget::Embed | DocumentTarget::Unknown(_) => None,
    };
    targets.iter().filter_map(word).collect()
}

fn target_of(word: &str) -> Option<DocumentTarget> {
    match word {
        IFRAME => Some(DocumentTarget::Iframe),
        WINDOW => Some(DocumentTarget::Window),
        _ => None,
    }
}

fn unknown(trainer: &Trainer, value: &str) -> Problem {
    Problem::bad_request("picker-unknown")
        .in_language(trainer.visit.lang())
        .detail(value.chars().take(100).collect::<String>())
}

/// The link to put into the platform's course: its id of ours stands in the address and in the
/// custom parameters, so that a copied course still opens the same, and says of which it is a copy.
async fn item(app: &App, trainer: &Trainer, value: &str) -> Result<ContentItem, Problem> {
    let unknown = || unknown(trainer, value);
    let lang = trainer.visit.lang();
    let mut tx = app.db.read().await?;
    let (title, text, graded) = match value.split_once('/') {
        Some(("course", slug)) => {
            let tenant = trainer.visit.tenant.id;
            let course = courses::offered(&mut tx, slug, tenant).await?.ok_or_else(unknown)?;
            let versions = courses::versions(&mut tx, course.id).await?;
            let version = courses::choose(&versions, lang).ok_or_else(unknown)?;
            (version.title.clone(), version.description.clone(), true)
        }
        Some(("event", id)) => {
            let id = id.parse().map_err(|_| unknown())?;
            let now = app.clock.now();
            let events = events::of_context(&mut tx, trainer.context).await?;
            let event = events
                .into_iter()
                .find(|event| event.id == id && is_offered(event, now))
                .ok_or_else(unknown)?;
            let when = dates::day_and_time(lang, event.starts_at, event.zone());
            (event.title, when, false)
        }
        _ => return Err(unknown()),
    };
    let address = match trainer.visit.registration.version {
        Version::V13 => app.config.public(&format!("{OPEN}{value}")),
        Version::V11 => legacy::item_address(app, value),
    };
    let url = Url::parse(&address).map_err(|_| unknown())?;
    let icon = assets::address("favicon.svg")
        .and_then(|path| Url::parse(&app.config.public(&path)).ok())
        .map(|url| Image { url, width: None, height: None });
    let line_item = graded.then(|| LineItem {
        label: title.clone(),
        score_maximum: POINTS,
        resource_id: Some(value.to_owned()),
        tag: Some(TAG.to_owned()),
        ..LineItem::default()
    });
    let Opens::Picker(picker) = &trainer.visit.launch.details.opens else {
        return Err(Problem::not_found());
    };
    let accepts = |target: &str| picker.accept_targets.iter().any(|accepted| accepted == target);
    // Our pages fit into the course; a window of their own is the second choice.
    let framed = accepts(IFRAME);
    let windowed = accepts(WINDOW) && !framed;
    Ok(ContentItem::LtiResourceLink(Box::new(LtiResourceLink {
        url: Some(url),
        title: Some(title),
        text: Some(text).filter(|text| !text.is_empty()),
        icon,
        custom: BTreeMap::from([
            (ITEM.to_owned(), value.to_owned()),
            (HISTORY.to_owned(), "$Context.id.history".to_owned()),
        ]),
        line_item,
        iframe: framed.then_some(IframeHint { width: None, height: Some(FRAME_HEIGHT) }),
        window: windowed.then(|| WindowHint {
            target_name: Some("passerelle".to_owned()),
            ..WindowHint::default()
        }),
        ..LtiResourceLink::default()
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_forgives_case_and_accents() {
        let texts = ["Découvrir l’Europe", "Œuvrer à deux"];
        for query in ["", " ", "europe", "DECOUVRIR", "découvrir europe", "oeuvrer", "l'eu"] {
            assert!(matches(query, &texts), "{query:?}");
        }
        for query in ["asie", "europe asie", "%"] {
            assert!(!matches(query, &texts), "{query:?}");
        }
    }
}
