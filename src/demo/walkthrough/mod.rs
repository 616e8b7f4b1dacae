//! The whole journey without a browser: the same running parts, over real HTTP and SMTP.
//!
//! One clock serves the service and Campus, and stands still until a step moves it: that is how a
//! lesson takes its minutes, and how the day before a webinar comes.

mod browser;
mod course;
mod html;
mod player;
mod report;
mod webinar;

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use scorm::archive::{Archive, Limits, read_entry};
use scorm::compiler::Theme;
use scorm::manifest::{self, Item};
use scorm::package::{self, Format};
use serde_json::Value;

use self::browser::{Answer, Browser};
use self::report::Report;
use super::campus::{Campus, PEOPLE, Person};
use super::mailbox::Mailbox;
use super::store;
use crate::app::App;
use crate::courses::shipped;
use crate::launches::ITEM;

const FORMATS: [Format; 2] = [Format::Scorm12, Format::Scorm2004Fourth];
/// A manifest is text; a larger one is something else.
const MANIFEST_LIMIT: u64 = 20 * 1024 * 1024;
/// How often and how long something is waited for that a page will show.
const PACE: Duration = Duration::from_millis(50);
const TRIES: usize = 1200;

/// Who walks, and where.
struct Walk<'a> {
    app: &'a App,
    campus: &'a Campus,
    report: Report,
}

/// Makes the journey; the first thing that is not as it should be ends it.
pub(super) async fn run(
    app: &App,
    campus: &Campus,
    mailbox: &Mailbox,
    folder: &Path,
) -> anyhow::Result<()> {
    let report = Report::new(folder, mailbox.clone())?;
    let mut walk = Walk { app, campus, report };
    let outcome = walk.all().await;
    if outcome.is_err() {
        // What came before helps to see why.
        let _ = walk.report.save_mails();
    }
    outcome.with_context(|| walk.report.place())?;
    super::say(&format!(
        "\n{} checks passed. Look into {}",
        walk.report.checks(),
        folder.display()
    ));
    Ok(())
}

impl Walk<'_> {
    async fn all(&mut self) -> anyhow::Result<()> {
        self.health().await?;
        self.packages()?;
        course::walk(self).await?;
        webinar::walk(self).await?;
        self.report.step("What was sent is kept");
        self.report.save_mails()
    }

    async fn health(&mut self) -> anyhow::Result<()> {
        self.report.step("Service, Campus and mailbox answer");
        let mut browser = self.browser()?;
        for path in ["/health/live", "/health/ready"] {
            browser.open(&self.app.config.public(path)).await?.expect(200)?;
            self.report.seen(&format!("{path} of the service"));
        }
        let keys: Value =
            browser.open(&self.app.config.public("/.well-known/jwks.json")).await?.json()?;
        let published = keys["keys"].as_array().is_some_and(|keys| !keys.is_empty());
        self.report.check(published, "the service publishes its key")?;
        browser.open(&self.on_campus("/login")).await?.expect(200)?;
        self.report.seen("the sign-in page of Campus");
        browser.open(&self.on_campus("/mailbox")).await?.expect(200)?;
        self.report.seen("the mailbox");
        Ok(())
    }

    /// Builds every course for both editions in each language, and reads the packages back.
    fn packages(&mut self) -> anyhow::Result<()> {
        self.report.step("The courses are built as SCORM packages and read back");
        for course in shipped::sources()? {
            for (lang, content) in &course.contents {
                let parts = content.lessons.len() + usize::from(content.test.is_some());
                for format in FORMATS {
                    let bytes = package::build_bytes(&course, *lang, format, &Theme::builtin())?;
                    let name = package::file_name(&course, *lang, format);
                    let index = Archive::inspect(Cursor::new(&bytes), &Limits::default())
                        .with_context(|| format!("{name} was refused"))?;
                    let entry = index.manifest().context("the package has no manifest")?;
                    let manifest = read_entry(Cursor::new(&bytes), entry, MANIFEST_LIMIT)?;
                    let reading = manifest::read(&manifest, &index)?;
                    let edition = reading.manifest.edition;
                    ensure!(
                        edition.is_2004() == (format == Format::Scorm2004Fourth),
                        "✗ {name} reads as {}",
                        edition.name()
                    );
                    let items = reading.manifest.organization().map(|it| it.items.as_slice());
                    let launchable = launchable(items.unwrap_or_default());
                    let what = format!("{name}: {}, {launchable} activities", edition.name());
                    self.report.check(launchable == parts, &what)?;
                    self.report.save(&format!("packages/{name}"), &bytes)?;
                }
            }
        }
        Ok(())
    }

    fn browser(&self) -> anyhow::Result<Browser> {
        Browser::at(&self.campus.issuer)
    }

    fn on_campus(&self, path: &str) -> String {
        format!("{}{path}", self.campus.issuer)
    }

    /// Waits until every job that is due is done: whatever was to follow has followed.
    async fn settle(&self) -> anyhow::Result<()> {
        self.app.wake.notify_waiters();
        self.until("the work in the background is done", async || {
            let mut tx = self.app.db.read().await?;
            let due = store::due_jobs(&mut tx, self.app.clock.now()).await?;
            Ok((due == 0).then_some(()))
        })
        .await
    }

    /// Moves the one clock on. No job is under way then: its lease would run out at once, and
    /// another worker would do it again.
    async fn advance(&self, by: TimeDelta) -> anyhow::Result<()> {
        self.settle().await?;
        self.app.clock.advance(by);
        self.app.wake.notify_waiters();
        Ok(())
    }

    /// A browser in which this person is signed in at Campus.
    async fn sign_in(&mut self, person: &Person) -> anyhow::Result<Browser> {
        let mut browser = self.browser()?;
        let id = person.id.to_string();
        let login = browser.open(&self.on_campus("/login")).await?.expect(200)?;
        let url = login.url.join("/login")?;
        let course = browser.post_fields(&login.url, url, &[("person", &id)]).await?.expect(200)?;
        let at = format!("/course/{}", super::seed::CONTEXT);
        ensure!(course.url.path() == at, "✗ {} was not signed in at Campus", person.name());
        Ok(browser)
    }

    /// Campus's id of the activity that opens this item.
    fn activity(&self, item: &str) -> anyhow::Result<u64> {
        let opens = |custom: &[(String, String)]| {
            custom.iter().any(|(key, value)| key == ITEM && value == item)
        };
        self.campus
            .inspect(|state| {
                let mut all = state.activities.values();
                all.find(|activity| opens(&activity.custom)).map(|activity| activity.id)
            })
            .with_context(|| format!("Campus has no activity that opens {item}"))
    }

    /// Launches an activity and returns the last page: the learner's, or a refusal.
    async fn launch(&self, browser: &mut Browser, activity: u64) -> anyhow::Result<Answer> {
        Ok(self.launch_step_by_step(browser, activity).await?.page)
    }

    async fn launch_step_by_step(
        &self,
        browser: &mut Browser,
        activity: u64,
    ) -> anyhow::Result<Launched> {
        let shown = browser.open(&self.on_campus(&format!("/activity/{activity}"))).await?;
        let shown = shown.expect(200)?;
        let frame = shown.url.join(&format!("/activity/{activity}/launch"))?;
        let login = browser.follow(&shown.url, frame).await?.expect(200)?;
        // Login, the probe for cookies, the authentication request: Campus answers with a form.
        let answer = browser.submit(&login, &login.form()?).await?.expect(200)?;
        let form = answer.form_to("/lti/launch").context("the login did not lead to a launch")?;
        let page = browser.submit(&answer, &form).await?;
        Ok(Launched { page, answer, form })
    }

    /// Asks again and again until there is an answer.
    async fn until<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        for _ in 0..TRIES {
            if let Some(found) = ask().await? {
                return Ok(found);
            }
            tokio::time::sleep(PACE).await;
        }
        anyhow::bail!("✗ {what}: waited in vain")
    }
}

/// A launch with what is needed to send it once more.
struct Launched {
    page: Answer,
    /// Campus's page with the form that carries the id_token.
    answer: Answer,
    form: html::Form,
}

/// One of Campus's people.
fn person(id: u64) -> anyhow::Result<&'static Person> {
    PEOPLE
        .iter()
        .find(|person| person.id == id)
        .with_context(|| format!("Campus has no person {id}"))
}

/// How many items have content.
fn launchable(items: &[Item]) -> usize {
    items.iter().map(|item| usize::from(item.resource.is_some()) + launchable(&item.children)).sum()
}
