//! The holder's page and file, and the public page where anybody checks a credential.

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::Extension;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::limit::{self, Limiter};
use super::{AnnounceError, Code, Credential, Kind, grouped, store};
use crate::app::App;
use crate::ids::{CredentialId, LaunchId, hex};
use crate::visits::Visit;
use crate::web::{Lang, Page, Problem, dates, framed_html};

/// RFC 8187's attr-char: what stands unescaped in `filename*`.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// One for the process, as each process answers for itself.
static LIMITER: LazyLock<Limiter> = LazyLock::new(Limiter::default);

impl From<AnnounceError> for Problem {
    fn from(error: AnnounceError) -> Self {
        match error {
            AnnounceError::Database(error) => error.into(),
            AnnounceError::Render(error) => error.into(),
        }
    }
}

/// What the sheet says, for a page.
#[derive(Clone, Serialize)]
pub struct Shown {
    is_certificate: bool,
    holder: Option<String>,
    /// The course's or event's title; `title` is the page's own.
    training: String,
    duration: String,
    foreseen: Option<String>,
    period: String,
    /// The dates of an event with their hours.
    held: Vec<String>,
    time_zone: String,
    remote: bool,
    place: Option<String>,
    trainer: Option<String>,
    issuer: String,
    signatory_name: String,
    signatory_title: String,
    issued: String,
    revoked: bool,
    code: String,
    /// Of the PDF; `None` while it is being made.
    sha256: Option<String>,
}

impl Shown {
    fn of(lang: Lang, credential: &Credential) -> Self {
        let facts = credential.facts.0.clone();
        let zone = facts.zone();
        let held = facts.dates.iter().map(|date| {
            let from = dates::day_and_time(lang, date.from, zone);
            format!("{from} – {}", dates::time(lang, date.until, zone))
        });
        Self {
            is_certificate: credential.kind == Kind::Certificate,
            duration: dates::duration(facts.minutes),
            foreseen: facts.foreseen_minutes.map(dates::duration),
            period: facts.period(lang),
            held: held.collect(),
            issued: dates::day(lang, credential.issued_at, zone),
            revoked: credential.state == super::State::Revoked,
            code: grouped(&credential.code),
            sha256: credential.pdf.clone(),
            holder: facts.holder,
            training: facts.title,
            time_zone: facts.time_zone,
            remote: facts.remote,
            place: facts.place,
            trainer: facts.trainer,
            issuer: facts.issuer,
            signatory_name: facts.signatory_name,
            signatory_title: facts.signatory_title,
        }
    }

    fn samples() -> Vec<Self> {
        let certificate = Self {
            is_certificate: true,
            holder: Some("Zoé <Lefèvre>".to_owned()),
            training: "Premiers pas avec eTwinning".to_owned(),
            duration: "1\u{a0}h\u{a0}05".to_owned(),
            foreseen: None,
            period: "du 3 au 23 novembre 2026".to_owned(),
            held: Vec::new(),
            time_zone: "Europe/Paris".to_owned(),
            remote: true,
            place: None,
            trainer: None,
            issuer: "Réseau Canopé".to_owned(),
            signatory_name: "Camille Moreau".to_owned(),
            signatory_title: "Responsable du bureau d’assistance national".to_owned(),
            issued: "23 novembre 2026".to_owned(),
            revoked: false,
            code: "ABCD EFGH IJKL MNOP QRST UVWX YZ".to_owned(),
            sha256: Some("0123456789abcdef".repeat(4)),
        };
        let attestation = Self {
            is_certificate: false,
            foreseen: Some("1\u{a0}h\u{a0}15".to_owned()),
            held: vec!["lundi 23 novembre 2026 à 17 h 30 – 18 h 45".to_owned()],
            remote: false,
            place: Some("Lyon".to_owned()),
            trainer: Some("Inès Da Silva".to_owned()),
            ..certificate.clone()
        };
        let revoked = Self { holder: None, revoked: true, sha256: None, ..certificate.clone() };
        vec![certificate, attestation, revoked]
    }
}

/// A person's own credential, in HTML: all that the PDF says.
#[derive(Serialize)]
pub struct CredentialPage {
    #[serde(flatten)]
    shown: Shown,
    score: Option<String>,
    /// Whether the PDF can be downloaded.
    ready: bool,
    pdf: String,
    again: String,
    verify_url: String,
    back: String,
}

impl Page for CredentialPage {
    const TEMPLATE: &'static str = "pages/credential";

    fn samples() -> Vec<Self> {
        let page = |shown: Shown| Self {
            ready: shown.sha256.is_some(),
            score: shown.is_certificate.then(|| "90\u{a0}%".to_owned()),
            shown,
            pdf: "/launches/1/credentials/2/pdf".to_owned(),
            again: "/launches/1/credentials/2".to_owned(),
            verify_url: "https://training.example.org/verify/ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
            back: "/launches/1".to_owned(),
        };
        Shown::samples().into_iter().map(page).collect()
    }
}

/// `GET /launches/{launch}/credentials/{credential}`
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    Path((_, credential)): Path<(LaunchId, CredentialId)>,
) -> Result<Response, Problem> {
    let credential = own(&app, &visit, credential).await?;
    own_page(&app, &visit, &credential)
}

/// `GET /launches/{launch}/credentials/{credential}/pdf`
pub async fn pdf(
    State(app): State<App>,
    visit: Visit,
    Path((_, credential)): Path<(LaunchId, CredentialId)>,
) -> Result<Response, Problem> {
    let credential = own(&app, &visit, credential).await?;
    let Some(pdf) = &credential.pdf else {
        let mut page = own_page(&app, &visit, &credential)?;
        *page.status_mut() = StatusCode::CONFLICT;
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return Ok(page);
    };
    let bytes = app.blobs.get(pdf).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, disposition(&credential)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Body::from(bytes)).into_response())
}

async fn own(app: &App, visit: &Visit, id: CredentialId) -> Result<Credential, Problem> {
    let mut tx = app.db.read().await?;
    store::own(&mut tx, id, visit.person.id)
        .await?
        .ok_or_else(|| Problem::not_found().in_language(visit.lang()))
}

fn own_page(app: &App, visit: &Visit, credential: &Credential) -> Result<Response, Problem> {
    let (lang, here) = (visit.lang(), format!("/credentials/{}", credential.id));
    let page = CredentialPage {
        shown: Shown::of(lang, credential),
        score: credential.facts.percent(lang),
        ready: credential.pdf.is_some(),
        pdf: visit.path(&format!("{here}/pdf")),
        again: visit.path(&here),
        verify_url: credential.verify_url(app),
        back: visit.path(""),
    };
    Ok(visit.page(app.pages.html(lang, &page)?, &[]))
}

/// A name in ASCII for old programs, and the real one (RFC 6266, appendix D).
fn disposition(credential: &Credential) -> HeaderValue {
    let code: String = credential.code.chars().take(8).collect();
    let plain = format!("{}-{code}.pdf", credential.kind.as_str());
    let name = credential.file_name();
    let real = utf8_percent_encode(&name, ATTRIBUTE);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{real}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// The form that asks for a code.
#[derive(Serialize)]
pub struct VerifyFormPage {
    /// What was typed and is no code.
    wrong: Option<String>,
}

impl Page for VerifyFormPage {
    const TEMPLATE: &'static str = "pages/verify";

    fn samples() -> Vec<Self> {
        vec![Self { wrong: None }, Self { wrong: Some("ABC <script>".to_owned()) }]
    }
}

#[derive(Deserialize)]
pub struct VerifyQuery {
    code: Option<String>,
}

/// `GET /verify`, `GET /verify?code=…`
pub async fn verify_form(
    State(app): State<App>,
    Query(query): Query<VerifyQuery>,
    lang: Lang,
) -> Result<Response, Problem> {
    let typed = query.code.unwrap_or_default();
    if let Ok(code) = typed.parse::<Code>() {
        return Ok(Redirect::to(&format!("/verify/{}", code.as_str())).into_response());
    }
    let typed: String = typed.trim().chars().take(60).collect();
    let wrong = (!typed.is_empty()).then_some(typed);
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let html = app.pages.html(lang, &VerifyFormPage { wrong })?;
    Ok(public(status, html))
}

/// What came of comparing an uploaded file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Same,
    Different,
    Nothing,
    TooLarge,
    Broken,
}

impl Compared {
    /// The ending of the sentence's key.
    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Nothing => "nothing",
            Self::TooLarge => "too-large",
            Self::Broken => "broken",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Same | Self::Different => StatusCode::OK,
            Self::Nothing | Self::Broken => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// What anybody sees of a credential. `shown` is `None` when no credential has the code.
#[derive(Serialize)]
pub struct VerifiedPage {
    code: String,
    shown: Option<Shown>,
    action: String,
    /// The sentence that says what came of the comparison.
    compared: Option<String>,
    same: bool,
    different: bool,
    unusable: bool,
}

impl VerifiedPage {
    fn of(app: &App, lang: Lang, code: &Code, found: &Found, compared: Option<Compared>) -> Self {
        let say = |compared: Compared| {
            let key = format!("credentials-compared-{}", compared.word());
            app.pages.locales.say(lang, &key, &[])
        };
        Self {
            code: grouped(code.as_str()),
            shown: found.as_ref().map(|credential| Shown::of(lang, credential)),
            action: format!("/verify/{}/file", code.as_str()),
            compared: compared.map(say),
            same: compared == Some(Compared::Same),
            different: compared == Some(Compared::Different),
            unusable: compared.is_some_and(|compared| compared.status() != StatusCode::OK),
        }
    }
}

impl Page for VerifiedPage {
    const TEMPLATE: &'static str = "pages/verify-result";

    fn samples() -> Vec<Self> {
        let page = |shown: Option<Shown>, compared: Option<Compared>| Self {
            code: "ABCD EFGH IJKL MNOP QRST UVWX YZ".to_owned(),
            shown,
            action: "/verify/ABCDEFGHIJKLMNOPQRSTUVWXYZ/file".to_owned(),
            compared: compared.map(|_| "The file was compared.".to_owned()),
            same: compared == Some(Compared::Same),
            different: compared == Some(Compared::Different),
            unusable: compared == Some(Compared::Nothing),
        };
        let mut pages = vec![page(None, None)];
        pages.extend(Shown::samples().into_iter().map(|shown| page(Some(shown), None)));
        for compared in [Compared::Same, Compared::Different, Compared::Nothing] {
            pages.extend(Shown::samples().pop().map(|shown| page(Some(shown), Some(compared))));
        }
        pages
    }
}

type Found = Option<Credential>;
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// `GET /verify/{code}`: public, not indexed, not too often.
pub async fn verify(
    State(app): State<App>,
    Path(code): Path<String>,
    peer: Peer,
    lang: Lang,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(refusal) = too_often(&app, lang, peer, &headers) {
        return Ok(refusal);
    }
    let Ok(code) = code.parse::<Code>() else {
        return Ok(Redirect::to(&format!("/verify?code={}", encoded(&code))).into_response());
    };
    let found = find(&app, &code).await?;
    let page = VerifiedPage::of(&app, lang, &code, &found, None);
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(public(status, app.pages.html(lang, &page)?))
}

/// `POST /verify/{code}/file`: compares an uploaded file with the one that was issued. It changes
/// and keeps nothing, and visitors have no cookie: the same-origin rule is all the guard it needs.
pub async fn verify_file(
    State(app): State<App>,
    Path(code): Path<String>,
    peer: Peer,
    lang: Lang,
    headers: HeaderMap,
    upload: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    if let Some(refusal) = too_often(&app, lang, peer, &headers) {
        return Ok(refusal);
    }
    let code: Code = code.parse().map_err(|_| Problem::not_found())?;
    let found = find(&app, &code).await?;
    let issued = found.as_ref().and_then(|credential| credential.pdf.as_deref());
    let compared = match upload {
        Ok(upload) => compared(upload, issued).await,
        Err(_) => Compared::Broken,
    };
    let page = VerifiedPage::of(&app, lang, &code, &found, Some(compared));
    let status = if found.is_some() { compared.status() } else { StatusCode::NOT_FOUND };
    Ok(public(status, app.pages.html(lang, &page)?))
}

async fn compared(upload: Multipart, issued: Option<&str>) -> Compared {
    match hash_of_file(upload).await {
        Ok(Some(hash)) if Some(hash.as_str()) == issued => Compared::Same,
        Ok(Some(_)) => Compared::Different,
        Ok(None) => Compared::Nothing,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Compared::TooLarge,
        Err(_) => Compared::Broken,
    }
}

async fn find(app: &App, code: &Code) -> Result<Found, Problem> {
    let mut tx = app.db.read().await?;
    Ok(store::by_code(&mut tx, code).await?)
}

/// The SHA-256 of the field `file`, read piece by piece; `None` when no file was chosen.
async fn hash_of_file(mut upload: Multipart) -> Result<Option<String>, MultipartError> {
    while let Some(field) = upload.next_field().await? {
        if field.name() == Some("file") {
            return hash_of(field).await;
        }
    }
    Ok(None)
}

async fn hash_of(mut field: Field<'_>) -> Result<Option<String>, MultipartError> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(piece) = field.chunk().await? {
        size += piece.len();
        hash.update(&piece);
    }
    Ok((size > 0).then(|| hex(&hash.finalize())))
}

/// The refusal for an address that asks too often. Where the server does not tell the peer there is
/// nothing to count.
fn too_often(app: &App, lang: Lang, peer: Peer, headers: &HeaderMap) -> Option<Response> {
    let Extension(ConnectInfo(peer)) = peer?;
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded.and_then(|value| value.to_str().ok());
    let client = limit::client(peer.ip(), forwarded);
    let seconds = LIMITER.admit(client, app.clock.now()).err()?;
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "verify-limit");
    let mut response = problem.in_language(lang).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Some(response)
}

/// A page for everybody, in nobody's frame and in no search engine.
fn public(status: StatusCode, html: String) -> Response {
    let mut response = framed_html(html, &[], &[]);
    *response.status_mut() = status;
    let robots = HeaderValue::from_static("noindex, nofollow, noarchive");
    response.headers_mut().insert("x-robots-tag", robots);
    response
}

fn encoded(text: &str) -> String {
    let text: String = text.chars().take(60).collect();
    utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
}
