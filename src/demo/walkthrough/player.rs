//! The player without a browser: what its page asks of the content host, and is told.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::browser::{Answer, Browser};
use super::html;

/// What `course/open` answers.
#[derive(Deserialize)]
struct Admission {
    player_url: Url,
    origin: Url,
    token: String,
}

/// What opening the player, navigating and committing answer, as far as it is looked at.
#[derive(Deserialize)]
pub(super) struct Opened {
    pub(super) view: View,
    pub(super) delivery: Option<Delivery>,
    #[serde(default)]
    pub(super) ended: bool,
    #[serde(default)]
    pub(super) request_valid: Value,
}

#[derive(Deserialize)]
pub(super) struct View {
    pub(super) completed: bool,
}

#[derive(Deserialize)]
pub(super) struct Delivery {
    pub(super) activity: String,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) launch: Option<Launch>,
}

#[derive(Deserialize)]
pub(super) struct Launch {
    values: BTreeMap<String, String>,
    pub(super) seq: i64,
}

impl Launch {
    pub(super) fn value(&self, element: &str) -> &str {
        self.values.get(element).map(String::as_str).unwrap_or_default()
    }
}

/// A player that is open.
pub(super) struct Player<'b> {
    pub(super) browser: &'b mut Browser,
    pub(super) course: Url,
    player: Url,
    origin: Url,
    pub(super) token: String,
}

impl<'b> Player<'b> {
    /// Opens the player from the course's page.
    pub(super) async fn admit(browser: &'b mut Browser, course: &Answer) -> anyhow::Result<Self> {
        let admission = admission(browser, course).await?;
        let mut player = Self {
            browser,
            course: course.url.clone(),
            player: admission.player_url,
            origin: admission.origin,
            token: admission.token,
        };
        player.show().await?;
        Ok(player)
    }

    pub(super) async fn admit_again(&mut self, course: &Answer) -> anyhow::Result<()> {
        let admission = admission(self.browser, course).await?;
        (self.player, self.origin, self.token) =
            (admission.player_url, admission.origin, admission.token);
        self.show().await
    }

    async fn show(&mut self) -> anyhow::Result<()> {
        let page = self.browser.follow(&self.course, self.player.clone()).await?.expect(200)?;
        no_cookie(&page)
    }

    /// Loads the activity's page.
    pub(super) async fn look_at(&mut self, delivery: &Delivery) -> anyhow::Result<()> {
        let url = self.origin.join(&delivery.url)?;
        let page = self.browser.follow(&self.player, url).await?.expect(200)?;
        no_cookie(&page)?;
        let html = page.header("content-type").starts_with("text/html");
        ensure!(html && !page.body.is_empty(), "✗ {} is not a page", delivery.title);
        Ok(())
    }

    pub(super) async fn call(&mut self, path: &str, body: Value) -> anyhow::Result<Opened> {
        self.send(path, body).await?.expect(200)?.json()
    }

    pub(super) async fn send(&mut self, path: &str, mut body: Value) -> anyhow::Result<Answer> {
        body["token"] = json!(self.token);
        let url = self.origin.join(&format!("/runtime/{path}"))?;
        self.browser.post_json(&self.player, url, &body).await
    }
}

/// Asks the course's page, as its script does, for the right to play.
async fn admission(browser: &mut Browser, course: &Answer) -> anyhow::Result<Admission> {
    let page = course.text();
    let part = |name: &str| {
        html::attribute(&page, name).with_context(|| format!("✗ the course's page has no {name}"))
    };
    let (open, token) = (course.url.join(&part("data-open")?)?, part("data-token")?);
    browser.post_fields(&course.url, open, &[("form_token", &token)]).await?.expect(200)?.json()
}

/// Content's hosts never set a cookie.
fn no_cookie(page: &Answer) -> anyhow::Result<()> {
    ensure!(!page.headers.contains_key("set-cookie"), "✗ {} sets a cookie", page.url.path());
    Ok(())
}
