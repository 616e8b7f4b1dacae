//! Assignment and Grade Services 2.0: line items, scores, results.
//!
//! Requests carry exactly the media types of the specification: Moodle answers 400 to any other
//! `Accept` or `Content-Type`, and never is a `limit` sent (its answers to one are broken). Add
//! the access token with [`crate::http::Request::bearer`].

mod line_item;
mod score;

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::http::{Method, Request, Response};
use crate::json;
use crate::service::{self, ServiceError};

pub use line_item::{
    LineItem, LineItemFilter, create_line_item, delete_line_item, line_items, parse_line_item,
    parse_line_items, read_line_item, update_line_item,
};
pub use score::{
    ActivityProgress, GradingProgress, History, Score, ScoreInvalid, ScoreOutcome, next_timestamp,
    post_score, score_outcome,
};

/// One line item (AGS 3.2.4).
pub const LINE_ITEM_TYPE: &str = "application/vnd.ims.lis.v2.lineitem+json";
/// A list of line items.
pub const LINE_ITEMS_TYPE: &str = "application/vnd.ims.lis.v2.lineitemcontainer+json";
/// A score.
pub const SCORE_TYPE: &str = "application/vnd.ims.lis.v1.score+json";
/// A list of results.
pub const RESULTS_TYPE: &str = "application/vnd.ims.lis.v2.resultcontainer+json";

/// Where a line item's scores go (3.4.1): the path grows, the query stays. Moodle's addresses end
/// in `?type_id=…`.
pub fn scores_url(line_item: &Url) -> Url {
    extend(line_item, "scores")
}

/// Where a line item's results are (3.3.1).
pub fn results_url(line_item: &Url) -> Url {
    extend(line_item, "results")
}

fn extend(line_item: &Url, segment: &str) -> Url {
    let mut url = line_item.clone();
    let path = format!("{}/{segment}", line_item.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The results of a line item, of one user or of all (3.3).
pub fn results(line_item: &Url, user_id: Option<&str>) -> Request {
    let mut url = results_url(line_item);
    if let Some(user_id) = user_id {
        url.query_pairs_mut().append_pair("user_id", user_id);
    }
    Request::new(Method::Get, url).header("Accept", RESULTS_TYPE)
}

/// A grade as the platform holds it (3.3.4).
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformResult {
    /// Whose.
    pub user_id: String,
    /// The grade; absent when there is none.
    pub score: Option<f64>,
    /// Out of.
    pub maximum: Option<f64>,
    /// The teacher's or our comment.
    pub comment: Option<String>,
}

/// Reads a list of results; entries without a user are left out.
pub fn parse_results(
    response: &Response,
    now: DateTime<Utc>,
) -> Result<Vec<PlatformResult>, ServiceError> {
    let body = service::json(response, now)?;
    let entries = body.as_array().ok_or_else(|| service::unreadable(response))?;
    Ok(entries
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|entry| {
            Some(PlatformResult {
                user_id: json::identifier(entry, "userId")?,
                score: json::number(entry, "resultScore"),
                maximum: json::number(entry, "resultMaximum"),
                comment: json::text(entry, "comment"),
            })
        })
        .collect())
}

/// Whole numbers without a fraction, as people write them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_grows_before_the_query() -> Result<(), url::ParseError> {
        let line_item = Url::parse("http://lms.test/2/lineitems/12/lineitem?type_id=1")?;
        assert_eq!(
            scores_url(&line_item).as_str(),
            "http://lms.test/2/lineitems/12/lineitem/scores?type_id=1"
        );
        assert_eq!(
            results(&line_item, Some("5")).url.as_str(),
            "http://lms.test/2/lineitems/12/lineitem/results?type_id=1&user_id=5"
        );
        assert_eq!(
            scores_url(&Url::parse("https://canvas.test/li/1/")?).as_str(),
            "https://canvas.test/li/1/scores"
        );
        Ok(())
    }
}
