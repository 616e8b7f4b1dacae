//! What the player and the server tell each other, as JSON.

use std::fmt;

use scorm::runtime::{BrowserLaunch, Edition, RequestValid};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::progress::Mode;

/// One commit: what the SCO set since the last one. Nothing in it is flattened: that would keep a
/// second copy of a large delta while it is read.
#[derive(Clone, Deserialize)]
pub struct Commit {
    /// The right to play.
    pub token: String,
    /// The activity whose content said so.
    pub activity: String,
    /// One more than the last within an opening of the player.
    pub seq: i64,
    /// The opening it was said in; the present one when left out. A browser that was offline sends
    /// what it kept of an earlier one.
    #[serde(default)]
    pub run: Option<u32>,
    pub delta: Delta,
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

/// So many pairs are merged in one commit. A browser that was offline all day sends some thousands.
pub const MOST_PAIRS: usize = 100_000;

/// Element and value, in the order of the calls.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    pairs: Vec<(String, String)>,
    /// Those beyond [`MOST_PAIRS`], which are counted and not kept.
    beyond: usize,
}

impl Delta {
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(element, value)| (element.as_str(), value.as_str()))
    }

    /// How many there are, where that is too many.
    pub fn fits(&self) -> Result<(), usize> {
        if self.beyond == 0 { Ok(()) } else { Err(self.pairs.len() + self.beyond) }
    }
}

impl<'de> Deserialize<'de> for Delta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Delta;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of pairs of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Delta, A::Error> {
                let mut delta = Delta::default();
                while delta.pairs.len() < MOST_PAIRS {
                    match list.next_element()? {
                        Some(pair) => delta.pairs.push(pair),
                        None => return Ok(delta),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    delta.beyond += 1;
                }
                Ok(delta)
            }
        }

        deserializer.deserialize_seq(Pairs)
    }
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
