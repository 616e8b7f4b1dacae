//! What the player and the server tell each other, as JSON.

use scorm::runtime::{BrowserLaunch, Edition, RequestValid};
use serde::{Deserialize, Serialize};

use super::progress::Mode;

/// One commit: what the SCO set since the last one.
#[derive(Clone, Debug, Deserialize)]
pub struct Commit {
    /// The activity whose content said so.
    pub activity: String,
    /// One more than the last within an opening of the player.
    pub seq: i64,
    /// The opening it was said in; the present one when left out. A browser that was offline sends
    /// what it kept of an earlier one.
    #[serde(default)]
    pub run: Option<u32>,
    /// Element and value, in the order of the calls.
    pub delta: Vec<(String, String)>,
    /// The content terminated.
    #[serde(rename = "final", default)]
    pub last: bool,
    /// The content's own count of this session.
    #[serde(default)]
    pub session_seconds: Option<f64>,
    /// The learner is being taken elsewhere: what the content asks for does not count.
    #[serde(default)]
    pub leaving: bool,
}

/// What the player shows around the content.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    pub title: String,
    pub toc: Vec<TocLine>,
    pub can_continue: bool,
    pub can_previous: bool,
    pub completed: bool,
    /// In `review` and `browse` nothing is recorded.
    pub mode: Mode,
    /// The controls the current activity asks to hide.
    pub hidden: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TocLine {
    pub id: String,
    pub title: String,
    pub depth: u32,
    pub leaf: bool,
    pub selectable: bool,
    pub current: bool,
    /// `done`, `failed`, `begun` or `new`.
    pub status: &'static str,
}

/// Content to be shown now.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub activity: String,
    pub title: String,
    /// From the root of the content host.
    pub url: String,
    /// `None`: an asset, which speaks no API.
    pub launch: Option<BrowserLaunch>,
    pub edition: Edition,
}

#[derive(Clone, Debug, Serialize)]
pub struct CommitAnswer {
    pub seq: i64,
    pub request_valid: RequestValid,
    pub view: View,
    /// The content asked to go elsewhere, and this is where.
    pub delivery: Option<Delivery>,
    /// The content asked to end the session.
    pub ended: bool,
}

/// What opening the player or navigating leads to.
#[derive(Clone, Debug, Serialize)]
pub struct Opened {
    pub attempt: String,
    /// The number of this opening of the player.
    pub run: u32,
    pub view: View,
    pub delivery: Option<Delivery>,
    pub ended: bool,
}
