//! A picture of every page, narrow and wide, in both languages, for people to look at.

use std::path::PathBuf;

use serde_json::json;

use crate::demo::Demo;
use crate::driver::{Browser, Options};
use crate::learner::{AURELIEN, HELENE, NOELLE, PLAYER, activity, course, enter_content, sign_in};

/// Pixels in width: a small telephone, a desk.
const WIDTHS: [u32; 2] = [320, 1280];

pub(crate) struct Album<'a> {
    browser: &'a Browser,
    folder: PathBuf,
    language: &'a str,
}

/// Where pictures go, if anybody wants them.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("PASSERELLE_SCREENSHOTS").filter(|name| !name.is_empty()).map(PathBuf::from)
}

pub(crate) async fn take(demo: &Demo) {
    for (language, learner) in [("fr", AURELIEN), ("en", NOELLE)] {
        let options = Options { language, ..Options::default() };
        let Some(browser) = Browser::start(options).await else { return };
        let Some(album) = Album::wanted(&browser, language) else { return };
        album.public_pages(demo).await;
        album.learners_pages(demo, learner).await;
        album.trainers_pages(demo).await;
    }
}

impl<'a> Album<'a> {
    pub(crate) fn wanted(browser: &'a Browser, language: &'a str) -> Option<Self> {
        let folder = folder()?;
        std::fs::create_dir_all(&folder).expect("the folder for pictures");
        Some(Self { browser, folder, language })
    }

    /// The page that is open, whole, at each width.
    pub(crate) async fn page(&self, name: &str) {
        for width in WIDTHS {
            self.browser.resize(width, 800).await;
            let height = "return Math.max(document.documentElement.scrollHeight, 400)";
            let height = self.browser.script(height, json!([])).await.as_u64().unwrap_or(800);
            self.browser.resize(width, u32::try_from(height.min(6000)).unwrap_or(800)).await;
            self.save(name, width).await;
            let wide = "return document.documentElement.scrollWidth";
            let wide = self.browser.script(wide, json!([])).await.as_u64().unwrap_or_default();
            assert!(wide <= u64::from(width), "{name} is {wide} wide on a screen of {width}");
        }
        self.browser.resize(1280, 900).await;
    }

    /// The window as it is, at each width, without making it longer.
    pub(crate) async fn screen(&self, name: &str) {
        for (width, height) in [(320, 640), (1280, 800)] {
            self.browser.resize(width, height).await;
            self.save(name, width).await;
        }
        self.browser.resize(1280, 900).await;
    }

    /// The player's table of contents, which closes by itself where it becomes narrow.
    async fn table_of_contents(&self) {
        for (width, height) in [(320, 640), (1280, 800)] {
            self.browser.resize(width, height).await;
            self.browser.enter_all(&[PLAYER]).await;
            if self.browser.look("#toc[hidden]").await.is_some() {
                self.browser.click("#toc-toggle").await;
            }
            self.browser.top().await;
            self.save("player-toc", width).await;
        }
        self.browser.resize(1280, 900).await;
    }

    async fn save(&self, name: &str, width: u32) {
        // Fonts first, and what frames inside frames still have to draw.
        let drawn = "await document.fonts.ready;
            await new Promise((resolve) => setTimeout(resolve, 300));";
        self.browser.script_async(drawn, json!([])).await;
        let file = self.folder.join(format!("{name}-{}-{width}.png", self.language));
        std::fs::write(&file, self.browser.picture().await).expect("the picture is written");
    }

    async fn public_pages(&self, demo: &Demo) {
        let at = |path: &str| format!("{}{path}", demo.service);
        for (name, path) in [
            ("home", "/"),
            ("verify", "/verify"),
            ("verify-wrong", "/verify?code=nonsense"),
            ("verify-unknown", "/verify/AAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("address-gone", "/address/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("problem", "/nothing-here"),
            (
                "new-window",
                "/lti/login?iss=https%3A%2F%2Flms.example&login_hint=1&target_link_uri=https%3A%2F%2Ftool.example%2F&passerelle_probe=1",
            ),
            (
                "refused",
                "/lti/login?iss=https%3A%2F%2Funknown.example&login_hint=1&target_link_uri=https%3A%2F%2Ftool.example%2F",
            ),
        ] {
            self.browser.open(&at(path)).await;
            self.page(name).await;
        }
    }

    async fn learners_pages(&self, demo: &Demo, learner: u64) {
        let browser = self.browser;
        sign_in(browser, demo, learner, self.language).await;
        let title = course("collaborer-en-ligne", scorm::source::Lang::French).title;
        let framed = activity(demo, &title).await;
        let address = format!("{framed}/launch?target=window");
        browser.open(&address).await;
        browser.shown("#open").await;
        self.page("course").await;
        browser.click("#open").await;
        enter_content(browser, &[]).await;
        browser.top().await;
        self.screen("player").await;
        self.table_of_contents().await;
        browser.click(".play-bar button").await;
        browser.shown("#open").await;
        self.page("course-begun").await;
        let launch = browser.address().await.replace("/course", "");
        browser.open(&format!("{launch}/address")).await;
        self.page("address").await;

        let events = activity(demo, "Tous les webinaires").await;
        browser.open(&format!("{events}/launch?target=window")).await;
        self.page("events").await;
        browser.click("article h3 a").await;
        browser.shown("form[action$='/signup'] button").await;
        self.page("event").await;
        browser.click("form[action$='/signup'] button").await;
        browser.shown("details summary").await;
        self.page("event-signed-up").await;

        // As people meet it: inside the platform.
        browser.open(&framed).await;
        browser.enter_all(&["#contentframe"]).await;
        browser.shown("#open").await;
        browser.top().await;
        self.screen("campus-course").await;
    }

    async fn trainers_pages(&self, demo: &Demo) {
        let browser = self.browser;
        sign_in(browser, demo, HELENE, self.language).await;
        browser.open(&format!("{}/course/2/pick", demo.campus)).await;
        browser.shown("#picker").await;
        self.page("picker").await;
        let events = activity(demo, "Tous les webinaires").await;
        browser.open(&format!("{events}/launch?target=window")).await;
        browser.shown("a[href$='/events/new']").await;
        self.page("events-trainer").await;
        browser.click("a[href$='/events/new']").await;
        browser.shown("#title").await;
        self.page("event-form").await;
        browser.shown("#minutes").await.replace("2").await;
        browser.click("form button[type=submit]").await;
        browser.shown("#title-problem").await;
        self.page("event-form-errors").await;
        browser.open(&format!("{events}/launch?target=window")).await;
        browser.click("article h3 a").await;
        browser.shown("a[href$='/edit']").await;
        self.page("event-trainer").await;
        let event = browser.address().await;
        browser.open(&format!("{event}/cancel")).await;
        self.page("event-cancel").await;
        browser.open(&format!("{event}/presence")).await;
        self.page("event-presence").await;
        let title = course("collaborer-en-ligne", scorm::source::Lang::French).title;
        let framed = activity(demo, &title).await;
        browser.open(&format!("{framed}/launch?target=window")).await;
        browser.shown("#open").await;
        self.page("course-preview").await;
    }
}
