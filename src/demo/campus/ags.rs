//! Assignment and Grade Services 2.0 with Moodle's rules.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Platform,
    claims::{AGS_LINE_ITEM, AGS_LINE_ITEM_READ, AGS_RESULT_READ, AGS_SCORE},
    services::{ServiceRefusal, ServiceRequest},
    state::{self, Grade, LineItem, ScoreEntry},
};

const LINE_ITEM: &str = "application/vnd.ims.lis.v2.lineitem+json";
const LINE_ITEMS: &str = "application/vnd.ims.lis.v2.lineitemcontainer+json";
const RESULTS: &str = "application/vnd.ims.lis.v2.resultcontainer+json";
const SCORE: &str = "application/vnd.ims.lis.v1.score+json";

fn typed(status: StatusCode, media_type: &str, body: impl Into<String>) -> Response {
    let content_type = format!("{media_type}; charset=utf-8");
    (status, [(header::CONTENT_TYPE, content_type)], body.into()).into_response()
}

fn shown(platform: &Platform, item: &LineItem) -> Value {
    let mut value = json!({
        "id": platform.line_item_url(item.course, item.id, item.tool),
        "label": item.label,
        "scoreMaximum": item.score_maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    });
    if let Some(activity) = item.activity {
        value["resourceLinkId"] = activity.to_string().into();
        value["ltiLinkId"] = activity.to_string().into();
    }
    value
}

#[derive(Deserialize)]
pub(super) struct Filter {
    resource_id: Option<String>,
    resource_link_id: Option<String>,
    tag: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    from: usize,
    user_id: Option<String>,
}

/// The columns this tool may see (AGS 2.0, 3.2).
pub(super) async fn list_line_items(
    State(platform): State<Arc<Platform>>,
    Path(course): Path<u64>,
    Query(filter): Query<Filter>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_LINE_ITEM, AGS_LINE_ITEM_READ])?;
    request.accepts(&[LINE_ITEMS], false)?;
    let state = platform.state();
    let wanted =
        |value: &Option<String>, actual: &str| value.as_deref().is_none_or(|value| value == actual);
    let items: Vec<Value> = state
        .columns_of(course)
        .filter(|item| item.tool == request.tool)
        .filter(|item| wanted(&filter.resource_id, &item.resource_id))
        .filter(|item| wanted(&filter.tag, &item.tag))
        .filter(|item| {
            let link = item.activity.map(|id| id.to_string()).unwrap_or_default();
            wanted(&filter.resource_link_id, &link)
        })
        .map(|item| shown(&platform, item))
        .collect();
    let Some(limit) = filter.limit.filter(|limit| *limit > 0) else {
        return Ok(typed(StatusCode::OK, LINE_ITEMS, Value::Array(items).to_string()));
    };
    let base = platform.line_items_url(course, request.tool);
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(filter.from).take(limit).collect();
    let mut response = typed(StatusCode::OK, LINE_ITEMS, Value::Array(page).to_string());
    // Curly quotes and `&amp;` as a Moodle writes them: not a valid Link header at all.
    let first = format!("<{base}&amp;limit={limit}&amp;from=0>; rel=“first”");
    let next = filter.from.saturating_add(limit);
    let link = if next < total {
        format!("{first}, <{base}&amp;limit={limit}&amp;from={next}>; rel=“next”")
    } else {
        first
    };
    if let Ok(value) = HeaderValue::from_bytes(link.as_bytes()) {
        response.headers_mut().insert(header::LINK, value);
    }
    Ok(response)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LineItemBody {
    label: Option<String>,
    score_maximum: Option<f64>,
    #[serde(default)]
    resource_id: String,
    #[serde(default)]
    tag: String,
    resource_link_id: Option<Value>,
}

/// Ids come as text or as numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number in the query or body that must be one of ours.
fn number(value: &Value) -> Option<u64> {
    text(value)?.parse().ok()
}

/// Creates a column (AGS 2.0, 3.2.4).
pub(super) async fn create_line_item(
    State(platform): State<Arc<Platform>>,
    Path(course): Path<u64>,
    request: ServiceRequest,
    body: Bytes,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_LINE_ITEM])?;
    request.carries(LINE_ITEM)?;
    let malformed = || request.refuse(StatusCode::BAD_REQUEST, "No label or invalid scoreMaximum");
    let mut echoed: Value = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let given: LineItemBody = serde_json::from_value(echoed.clone()).map_err(|_| malformed())?;
    let label = given.label.filter(|label| !label.is_empty()).ok_or_else(malformed)?;
    let maximum = given.score_maximum.filter(|maximum| *maximum >= 0.0).ok_or_else(malformed)?;
    let mut state = platform.state();
    if !state.courses.contains_key(&course) {
        return Err(request.not_found());
    }
    let activity = match &given.resource_link_id {
        None => None,
        Some(id) => {
            let ours = number(id).filter(|id| {
                state
                    .activities
                    .get(id)
                    .is_some_and(|found| found.course == course && found.tool == request.tool)
            });
            Some(ours.ok_or_else(|| request.refuse(StatusCode::FORBIDDEN, "Forbidden"))?)
        }
    };
    let id = state.new_id();
    state.line_items.insert(
        id,
        LineItem {
            id,
            course,
            tool: request.tool,
            label,
            score_maximum: maximum,
            resource_id: given.resource_id,
            tag: given.tag,
            activity,
        },
    );
    echoed["id"] = platform.line_item_url(course, id, request.tool).into();
    Ok(typed(StatusCode::CREATED, LINE_ITEM, echoed.to_string()))
}

/// A column of this tool in this course.
fn column(
    state: &state::State,
    request: &ServiceRequest,
    course: u64,
    item: u64,
) -> Result<LineItem, ServiceRefusal> {
    state
        .line_items
        .get(&item)
        .filter(|found| found.course == course && found.tool == request.tool)
        .cloned()
        .ok_or_else(|| request.not_found())
}

pub(super) async fn show_line_item(
    State(platform): State<Arc<Platform>>,
    Path((course, item)): Path<(u64, u64)>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_LINE_ITEM, AGS_LINE_ITEM_READ])?;
    request.accepts(&[LINE_ITEM], true)?;
    let found = column(&platform.state(), &request, course, item)?;
    Ok(typed(StatusCode::OK, LINE_ITEM, shown(&platform, &found).to_string()))
}

/// Replaces a column; grades are rescaled to the new maximum.
pub(super) async fn replace_line_item(
    State(platform): State<Arc<Platform>>,
    Path((course, item)): Path<(u64, u64)>,
    request: ServiceRequest,
    body: Bytes,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_LINE_ITEM])?;
    request.carries(LINE_ITEM)?;
    let malformed = || request.refuse(StatusCode::BAD_REQUEST, "No label or invalid scoreMaximum");
    let mut echoed: Value = serde_json::from_slice(&body).map_err(|_| malformed())?;
    let given: LineItemBody = serde_json::from_value(echoed.clone()).map_err(|_| malformed())?;
    let label = given.label.filter(|label| !label.is_empty()).ok_or_else(malformed)?;
    let maximum = given.score_maximum.filter(|maximum| *maximum > 0.0).ok_or_else(malformed)?;
    let mut state = platform.state();
    let found = column(&state, &request, course, item)?;
    let factor = if found.score_maximum > 0.0 { maximum / found.score_maximum } else { 1.0 };
    for ((column, _), grade) in &mut state.grades {
        if *column == item {
            grade.score = grade.score.map(|score| score * factor);
        }
    }
    state.line_items.insert(
        item,
        LineItem {
            label,
            score_maximum: maximum,
            resource_id: given.resource_id,
            tag: given.tag,
            ..found
        },
    );
    echoed["id"] = platform.line_item_url(course, item, request.tool).into();
    Ok(typed(StatusCode::OK, LINE_ITEM, echoed.to_string()))
}

/// Deletes a column, the activity's own included.
pub(super) async fn delete_line_item(
    State(platform): State<Arc<Platform>>,
    Path((course, item)): Path<(u64, u64)>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_LINE_ITEM])?;
    let mut state = platform.state();
    column(&state, &request, course, item)?;
    state.delete_column(item);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What came of a score.
enum Verdict {
    Kept,
    /// 400 with the body `[]`.
    Incorrect,
    /// 409 with the body `[]`.
    Superseded,
}

/// Receives a score (AGS 2.0, 3.4).
pub(super) async fn receive_score(
    State(platform): State<Arc<Platform>>,
    Path((course, item)): Path<(u64, u64)>,
    request: ServiceRequest,
    body: Bytes,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_SCORE])?;
    request.carries(SCORE)?;
    let now = platform.now();
    let mut state = platform.state();
    let found = column(&state, &request, course, item)?;
    let score: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let verdict = grade(&mut state, &found, &score, now);
    let (status, text_body) = match verdict {
        Verdict::Kept => (StatusCode::OK, ""),
        Verdict::Incorrect => (StatusCode::BAD_REQUEST, "[]"),
        Verdict::Superseded => (StatusCode::CONFLICT, "[]"),
    };
    state.log_score(ScoreEntry {
        line_item: item,
        user_id: score.get("userId").and_then(text).unwrap_or_default(),
        body: score,
        status: status.as_u16(),
        received_at: now,
    });
    Ok(typed(status, SCORE, text_body))
}

/// Moodle's rules for a score: a learner of the course, progress always, a maximum with
/// every given score, strictly newer to the second, and anything but `FullyGraded` erases.
fn grade(state: &mut state::State, item: &LineItem, score: &Value, now: DateTime<Utc>) -> Verdict {
    let field = |name: &str| score.get(name).and_then(Value::as_str);
    let learner = score
        .get("userId")
        .and_then(number)
        .and_then(state::person)
        .filter(|person| !person.is_trainer());
    let timestamp = field("timestamp").and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let (Some(learner), Some(timestamp), Some(activity_progress), Some(grading_progress)) =
        (learner, timestamp, field("activityProgress"), field("gradingProgress"))
    else {
        return Verdict::Incorrect;
    };
    let timestamp = timestamp.with_timezone(&Utc);
    let given = match score.get("scoreGiven") {
        None | Some(Value::Null) => None,
        Some(given) => match given.as_f64() {
            Some(given) => Some(given),
            None => return Verdict::Incorrect,
        },
    };
    let maximum = score.get("scoreMaximum").and_then(Value::as_f64);
    let scaled = match (given, maximum) {
        (None, _) => None,
        (Some(given), Some(maximum)) if given >= 0.0 && maximum > 0.0 => {
            Some((given / maximum * item.score_maximum).min(item.score_maximum))
        }
        _ => return Verdict::Incorrect,
    };
    let key = (item.id, learner.id);
    if state.grades.get(&key).is_some_and(|g| timestamp.timestamp() <= g.timestamp.timestamp()) {
        return Verdict::Superseded;
    }
    state.grades.insert(
        key,
        Grade {
            score: scaled.filter(|_| grading_progress == "FullyGraded"),
            comment: field("comment").unwrap_or_default().to_owned(),
            timestamp,
            received_at: now,
            activity_progress: activity_progress.to_owned(),
            grading_progress: grading_progress.to_owned(),
        },
    );
    Verdict::Kept
}

/// The grades of a column (AGS 2.0, 3.3); a grade without a score is left out.
pub(super) async fn list_results(
    State(platform): State<Arc<Platform>>,
    Path((course, item)): Path<(u64, u64)>,
    Query(filter): Query<Filter>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[AGS_RESULT_READ])?;
    request.accepts(&[RESULTS], true)?;
    if filter.limit.is_some() {
        // A Moodle fails on any limit here, with an HTML page.
        return Ok((
            StatusCode::NOT_FOUND,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            "<!DOCTYPE html><html lang=\"fr\"><title>Error | CAMPUS</title></html>",
        )
            .into_response());
    }
    let state = platform.state();
    let found = column(&state, &request, course, item)?;
    let column_url = platform.line_item_url(course, item, request.tool);
    let base = column_url.replacen("/lineitem?", "/lineitem/results?", 1);
    let offset = FixedOffset::east_opt(3600);
    let results: Vec<Value> = state
        .grades
        .iter()
        .filter(|((column, _), _)| *column == found.id)
        .filter_map(|((_, person), grade)| Some((person.to_string(), grade, grade.score?)))
        .filter(|(person, _, _)| filter.user_id.as_deref().is_none_or(|wanted| wanted == person))
        .map(|(person, grade, score)| {
            let timestamp = match offset {
                Some(offset) => grade
                    .timestamp
                    .with_timezone(&offset)
                    .to_rfc3339_opts(SecondsFormat::Secs, false),
                None => grade.timestamp.to_rfc3339_opts(SecondsFormat::Secs, false),
            };
            let mut result = json!({
                "id": format!("{base}&user_id={person}"),
                "userId": person,
                "resultScore": score,
                "resultMaximum": found.score_maximum,
                "scoreOf": column_url,
                "timestamp": timestamp,
            });
            if !grade.comment.is_empty() {
                result["comment"] = grade.comment.clone().into();
            }
            result
        })
        .collect();
    Ok(typed(StatusCode::OK, RESULTS, Value::Array(results).to_string()))
}
