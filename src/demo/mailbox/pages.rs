//! The mailbox's pages: the list, a mail, its HTML in a sandbox, its attachments.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::campus::views::Language,
    MailFaults, Mailbox, Received,
    parts::{self, Attachment, Piece},
};

pub(super) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/mailbox", get(list))
        .route("/mailbox/messages.json", get(list_json))
        .route("/mailbox/_control", get(show_faults).post(set_faults))
        .route("/mailbox/{id}", get(show))
        .route("/mailbox/{id}/html", get(html))
        .route("/mailbox/{id}/raw", get(raw))
        .route("/mailbox/{id}/attachments/{number}", get(attachment))
        .with_state(mailbox)
}

/// Why a page has no proper answer.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("no such mail")]
    NotFound,
    #[error("this page cannot be shown: {0}")]
    Template(#[from] handlebars::RenderError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "Courriel introuvable · No such mail").into_response()
            }
            Self::Template(error) => {
                tracing::error!(%error, "the mailbox failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn language(headers: &HeaderMap) -> Language {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix("campus_language="))
        .find_map(Language::parse)
        .unwrap_or(Language::French)
}

#[derive(Serialize)]
struct Frame<'a, T> {
    lang: &'static str,
    t: &'a Value,
    person: Option<String>,
    is_trainer: bool,
    here: String,
    mailbox: &'static str,
    /// No tool is framed here.
    storage: &'static str,
    page: T,
}

fn page(
    mailbox: &Mailbox,
    headers: &HeaderMap,
    template: &str,
    here: String,
    page: impl Serialize,
) -> Result<Response, Refusal> {
    let language = language(headers);
    let frame = Frame {
        lang: language.code(),
        t: mailbox.inner.views.texts(language),
        person: None,
        is_trainer: false,
        here,
        mailbox: "/mailbox",
        storage: "none",
        page,
    };
    let html = mailbox.inner.views.render(template, &frame)?;
    let rules = "default-src 'self'; frame-ancestors 'self'; base-uri 'none'";
    let response_headers = [
        (header::CONTENT_SECURITY_POLICY, rules),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((response_headers, Html(html)).into_response())
}

fn written(mail: &Received, language: Language) -> String {
    let pattern = match language {
        Language::French => "%d/%m/%Y %H:%M:%S UTC",
        Language::English => "%Y-%m-%d %H:%M:%S UTC",
    };
    mail.received_at.format(pattern).to_string()
}

#[derive(Serialize)]
struct MailLine {
    id: u64,
    subject: Option<String>,
    to: String,
    at: String,
    attachments: usize,
}

#[derive(Serialize)]
struct ListPage {
    mails: Vec<MailLine>,
}

async fn list(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Result<Response, Refusal> {
    let language = language(&headers);
    let mails = mailbox
        .messages()
        .iter()
        .rev()
        .map(|mail| {
            let parts = parts::parse(&mail.raw);
            MailLine {
                id: mail.id,
                subject: parts.subject,
                to: mail.recipients.join(", "),
                at: written(mail, language),
                attachments: parts.attachments.len(),
            }
        })
        .collect();
    page(&mailbox, &headers, "mailbox", "/mailbox".to_owned(), ListPage { mails })
}

/// The list for programs, oldest first.
async fn list_json(State(mailbox): State<Mailbox>) -> Json<Value> {
    let mails: Vec<Value> = mailbox
        .messages()
        .iter()
        .map(|mail| {
            let parts = parts::parse(&mail.raw);
            let attachments: Vec<Value> = parts
                .attachments
                .iter()
                .map(|file| {
                    json!({
                        "name": file.name,
                        "media_type": file.media_type,
                        "bytes": file.bytes.len(),
                    })
                })
                .collect();
            json!({
                "id": mail.id,
                "envelope_from": mail.envelope_from,
                "recipients": mail.recipients,
                "received_at": mail.received_at,
                "subject": parts.subject,
                "message_id": parts.message_id,
                "text": parts.text,
                "has_html": parts.html.is_some(),
                "attachments": attachments,
            })
        })
        .collect();
    Json(mails.into())
}

#[derive(Serialize)]
struct AttachmentLine {
    number: usize,
    name: String,
    media_type: String,
    size: String,
}

#[derive(Serialize)]
struct HeaderLine {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct MailPage {
    id: u64,
    subject: Option<String>,
    from: String,
    to: String,
    at: String,
    envelope_from: String,
    recipients: String,
    text: Vec<Piece>,
    has_html: bool,
    headers: Vec<HeaderLine>,
    attachments: Vec<AttachmentLine>,
}

fn size(bytes: usize, language: Language) -> String {
    let (small, large) = match language {
        Language::French => ("o", "Kio"),
        Language::English => ("B", "KiB"),
    };
    if bytes < 1024 {
        format!("{bytes}\u{a0}{small}")
    } else {
        format!("{}\u{a0}{large}", bytes.div_ceil(1024))
    }
}

async fn show(
    State(mailbox): State<Mailbox>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mail = mailbox.message(id).ok_or(Refusal::NotFound)?;
    let parts = parts::parse(&mail.raw);
    let language = language(&headers);
    let shown = MailPage {
        id,
        subject: parts.subject,
        from: parts.from,
        to: parts.to,
        at: written(&mail, language),
        envelope_from: mail.envelope_from.clone(),
        recipients: mail.recipients.join(", "),
        text: parts.text.as_deref().map(parts::linked).unwrap_or_default(),
        has_html: parts.html.is_some(),
        headers: parts
            .headers
            .into_iter()
            .map(|(name, value)| HeaderLine { name, value })
            .collect(),
        attachments: parts
            .attachments
            .iter()
            .enumerate()
            .map(|(number, file)| AttachmentLine {
                number,
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                size: size(file.bytes.len(), language),
            })
            .collect(),
    };
    page(&mailbox, &headers, "mail", format!("/mailbox/{id}"), shown)
}

/// The HTML part alone, without scripts, forms or anything from the network. Its links
/// open their own windows.
async fn html(State(mailbox): State<Mailbox>, Path(id): Path<u64>) -> Result<Response, Refusal> {
    let mail = mailbox.message(id).ok_or(Refusal::NotFound)?;
    let html = parts::parse(&mail.raw).html.ok_or(Refusal::NotFound)?;
    let rules = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
                 style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, rules),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let base = "<base target=\"_blank\">";
    // Inside the head where there is one: before the doctype it would mean quirks mode.
    let lower = html.to_ascii_lowercase();
    let at = lower
        .find("<head")
        .and_then(|start| Some(start + lower.get(start..)?.find('>')? + 1))
        .unwrap_or(0);
    let (before, after) = html.split_at_checked(at).unwrap_or(("", &html));
    Ok((headers, Html(format!("{before}{base}{after}"))).into_response())
}

async fn raw(State(mailbox): State<Mailbox>, Path(id): Path<u64>) -> Result<Response, Refusal> {
    let mail = mailbox.message(id).ok_or(Refusal::NotFound)?;
    let disposition = format!("attachment; filename=\"courriel-{id}.eml\"");
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, mail.raw).into_response())
}

#[derive(Deserialize)]
struct AttachmentQuery {
    #[serde(default)]
    download: bool,
}

/// How a file may be opened in the browser; `None` means it is only saved.
fn opened_as(file: &Attachment) -> Option<&'static str> {
    match file.media_type.as_str() {
        "application/pdf" => Some("application/pdf"),
        "image/png" => Some("image/png"),
        "image/jpeg" => Some("image/jpeg"),
        // Shown as text: a browser would save them.
        "text/plain" | "text/calendar" | "application/json" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

async fn attachment(
    State(mailbox): State<Mailbox>,
    Path((id, number)): Path<(u64, usize)>,
    Query(query): Query<AttachmentQuery>,
) -> Result<Response, Refusal> {
    let mail = mailbox.message(id).ok_or(Refusal::NotFound)?;
    let file =
        parts::parse(&mail.raw).attachments.into_iter().nth(number).ok_or(Refusal::NotFound)?;
    let opened = opened_as(&file).filter(|_| !query.download);
    let kind = opened.map_or_else(|| file.media_type.clone(), ToOwned::to_owned);
    let name: String =
        percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC)
            .to_string();
    let how = if opened.is_some() { "inline" } else { "attachment" };
    let mut response = file.bytes.into_response();
    let headers = response.headers_mut();
    for (key, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, format!("{how}; filename*=UTF-8''{name}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(key, value);
        }
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

async fn show_faults(State(mailbox): State<Mailbox>) -> Json<MailFaults> {
    Json(mailbox.faults().clone())
}

/// Replaces all faults; what is left out is healed.
async fn set_faults(State(mailbox): State<Mailbox>, Json(faults): Json<MailFaults>) -> StatusCode {
    *mailbox.faults() = faults;
    StatusCode::NO_CONTENT
}
