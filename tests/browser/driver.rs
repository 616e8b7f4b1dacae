//! A small WebDriver client: Chromium through chromedriver, as W3C WebDriver writes it.
//!
//! Every look-up waits for what it looks for; nothing here sleeps for a fixed time and hopes.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The longest anything may take to appear. Test machines are slow and shared.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// The key under which WebDriver hands elements around.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

/// The programs, where both are installed. What is missing is said loudly; under `CI=true` it is
/// a failure.
pub(crate) fn programs() -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    if let (Some(browser), Some(driver)) = (find("chromium"), find("chromedriver")) {
        return Some((browser, driver));
    }
    let missing = "chromium and chromedriver are not both on the PATH (Debian: chromium-driver)";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
    eprintln!("\n*** SKIPPED: {missing} ***\n");
    None
}

/// How a browser differs from the usual one.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `fr` or `en`: what the browser asks pages for.
    pub(crate) language: &'static str,
    /// Chromium's `--host-resolver-rules`.
    pub(crate) resolver_rules: String,
    /// More entries of the profile's preferences.
    pub(crate) preferences: Vec<(&'static str, Value)>,
}

impl Default for Options {
    fn default() -> Self {
        Self { language: "fr", resolver_rules: String::new(), preferences: Vec::new() }
    }
}

/// One browser with a profile of its own; closed when dropped.
pub(crate) struct Browser {
    http: reqwest::Client,
    port: u16,
    session: String,
    driver: Child,
    profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) async fn start(options: Options) -> Option<Self> {
        let (browser, driver) = programs()?;
        let (driver, port) = start_driver(&driver);
        let profile = tempfile::tempdir().expect("a temporary folder");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let mut starting = Self { http, port, session: String::new(), driver, profile };
        let answer = starting
            .call("POST", "/session", Some(starting.capabilities(&browser, &options)))
            .await
            .expect("a browser");
        answer["sessionId"]
            .as_str()
            .expect("a session identifier")
            .clone_into(&mut starting.session);
        Some(starting)
    }

    fn capabilities(&self, browser: &std::path::Path, options: &Options) -> Value {
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-features=Translate,OptimizationHints,MediaRouter".to_owned(),
            "--test-third-party-cookie-phaseout".to_owned(),
            "--window-size=1280,900".to_owned(),
            format!("--lang={}", options.language),
            format!("--user-data-dir={}", self.profile.path().display()),
        ];
        if !options.resolver_rules.is_empty() {
            arguments.push(format!("--host-resolver-rules={}", options.resolver_rules));
        }
        let mut preferences = json!({
            "profile.cookie_controls_mode": 1,
            "profile.block_third_party_cookies": true,
            "intl.accept_languages": options.language,
            "intl.selected_languages": options.language,
        });
        for (key, value) in &options.preferences {
            preferences[key] = value.clone();
        }
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "pageLoadStrategy": "normal",
            "timeouts": {"script": 60_000, "pageLoad": 120_000, "implicit": 0},
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": browser,
                "args": arguments,
                "prefs": preferences,
            },
        }}})
    }

    /// One command; the error is WebDriver's own word for it, and its message.
    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = match method {
            "GET" => self.http.get(url),
            "DELETE" => self.http.delete(url),
            _ => self.http.post(url).body(body.unwrap_or_else(|| json!({})).to_string()),
        };
        let answer = request.send().await.map_err(|error| format!("chromedriver: {error}"))?;
        let ok = answer.status().is_success();
        let bytes = answer.bytes().await.map_err(|error| format!("chromedriver: {error}"))?;
        let mut answer: Value = serde_json::from_slice(&bytes)
            .map_err(|error| format!("chromedriver answered no JSON: {error}"))?;
        let value = answer["value"].take();
        if ok { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
    }

    async fn command(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        self.call(method, &format!("/session/{}{path}", self.session), body).await
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command(
            "POST",
            "/goog/cdp/execute",
            Some(json!({"cmd": command, "params": parameters})),
        )
        .await
        .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(crate) async fn open(&self, url: &str) {
        self.command("POST", "/url", Some(json!({"url": url})))
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub(crate) async fn reload(&self) {
        self.command("POST", "/refresh", None).await.expect("the page loads again");
    }

    pub(crate) async fn address(&self) -> String {
        let address = self.command("GET", "/url", None).await.expect("an address");
        address.as_str().unwrap_or_default().to_owned()
    }

    /// Back to the page itself, out of all frames.
    pub(crate) async fn top(&self) {
        self.command("POST", "/frame", Some(json!({"id": null}))).await.expect("the page");
    }

    /// Into a frame of where one is, once it is there.
    pub(crate) async fn enter(&self, frame: &str) {
        let enter = async || {
            let element = self.look(frame).await?;
            self.command("POST", "/frame", Some(json!({"id": {ELEMENT: element.id}}))).await.ok()
        };
        self.wait(&format!("the frame {frame}"), enter).await;
    }

    /// From the page through these frames.
    pub(crate) async fn enter_all(&self, frames: &[&str]) {
        self.top().await;
        for frame in frames {
            self.enter(frame).await;
        }
    }

    /// Asks again and again until there is an answer.
    pub(crate) async fn wait<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        mut ask: impl FnMut() -> F,
    ) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                self.explain(what).await;
                panic!("{what}: not there after {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the browser shows when something is missed, for whoever reads the failure.
    async fn explain(&self, what: &str) {
        let script = "return location.href + '\\n' + document.body.innerText.slice(0, 3000)";
        let text = self.try_script(script, json!([])).await;
        eprintln!("waiting for {what}, in a frame that shows:\n{text:?}");
        if let Ok(log) = self.command("POST", "/se/log", Some(json!({"type": "browser"}))).await {
            eprintln!("the console says: {log:#}");
        }
        let file = std::env::temp_dir().join("passerelle-browser-failure.png");
        if std::fs::write(&file, self.picture().await).is_ok() {
            eprintln!("the window is in {}", file.display());
        }
    }

    /// The first element, if it is there now.
    pub(crate) async fn look(&self, css: &str) -> Option<Element<'_>> {
        let body = json!({"using": "css selector", "value": css});
        let found = self.command("POST", "/element", Some(body)).await.ok()?;
        Some(Element { browser: self, id: found[ELEMENT].as_str()?.to_owned() })
    }

    /// The first element, once it can be seen.
    pub(crate) async fn shown(&self, css: &str) -> Element<'_> {
        let shown = async || {
            let element = self.look(css).await?;
            element.is_shown().await.then_some(element)
        };
        self.wait(&format!("{css}, visible"), shown).await
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        let count =
            self.script("return document.querySelectorAll(arguments[0]).length", json!([css]));
        usize::try_from(count.await.as_u64().unwrap_or_default()).unwrap_or_default()
    }

    /// Clicks as a person would, once it can be clicked.
    pub(crate) async fn click(&self, css: &str) {
        let click = async || {
            let element = self.look(css).await?;
            element.try_click().await.ok()
        };
        self.wait(&format!("a click on {css}"), click).await;
    }

    /// Presses keys wherever the focus is.
    pub(crate) async fn press(&self, key: &str) {
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key},
            {"type": "keyUp", "value": key},
        ]}]});
        self.command("POST", "/actions", Some(actions)).await.expect("a key");
    }

    /// Runs a script in the frame one is in.
    pub(crate) async fn script(&self, script: &str, arguments: Value) -> Value {
        self.try_script(script, arguments)
            .await
            .unwrap_or_else(|error| panic!("the script {script:?} failed: {error}"))
    }

    pub(crate) async fn try_script(&self, script: &str, arguments: Value) -> Result<Value, String> {
        let body = json!({"script": script, "args": arguments});
        self.command("POST", "/execute/sync", Some(body)).await
    }

    /// Runs the body of an asynchronous function and waits for what it returns.
    pub(crate) async fn script_async(&self, body: &str, arguments: Value) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async (...given) => {{ {body} }})(...arguments)
                 .then(done, (error) => done('failed: ' + error));"
        );
        let call = json!({"script": script, "args": arguments});
        self.command("POST", "/execute/async", Some(call))
            .await
            .unwrap_or_else(|error| panic!("the script {body:?} failed: {error}"))
    }

    /// The text one can read in the frame one is in.
    pub(crate) async fn text(&self) -> String {
        let text = self.script("return document.body.innerText", json!([])).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The identifiers of all windows.
    pub(crate) async fn windows(&self) -> Vec<String> {
        let windows = self.command("GET", "/window/handles", None).await.expect("windows");
        let windows = windows.as_array().cloned().unwrap_or_default();
        windows.iter().filter_map(|window| Some(window.as_str()?.to_owned())).collect()
    }

    pub(crate) async fn window(&self, handle: &str) {
        let body = json!({"handle": handle});
        self.command("POST", "/window", Some(body)).await.expect("the window");
    }

    /// The size of what a page believes to be its screen, in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// The window as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let picture = self.command("GET", "/screenshot", None).await.unwrap_or_default();
        STANDARD.decode(picture.as_str().unwrap_or_default()).unwrap_or_default()
    }
}

impl Drop for Browser {
    /// Asks chromedriver to close the browser, which it would leave behind when it is killed.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let limit = Some(Duration::from_secs(20));
            let asked = stream.set_read_timeout(limit).and_then(|()| {
                write!(
                    stream,
                    "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
                    self.session, self.port
                )
            });
            if asked.is_ok() {
                // The answer comes when the browser is gone; its words do not matter.
                let _ = stream.read(&mut [0; 512]);
            }
        }
        if self.driver.kill().is_ok() {
            let _ = self.driver.wait();
        }
    }
}

/// An element of the frame one was in when it was found.
pub(crate) struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Element<'_> {
    async fn command(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        self.browser.command(method, &format!("/element/{}{path}", self.id), body).await
    }

    pub(crate) async fn is_shown(&self) -> bool {
        self.command("GET", "/displayed", None).await.is_ok_and(|shown| shown == true)
    }

    async fn try_click(&self) -> Result<(), String> {
        self.command("POST", "/click", None).await.map(drop)
    }

    /// Types into a field.
    pub(crate) async fn type_in(&self, text: &str) {
        self.command("POST", "/value", Some(json!({"text": text}))).await.expect("a field");
    }

    /// Empties a field and types into it.
    pub(crate) async fn replace(&self, text: &str) {
        self.command("POST", "/clear", None).await.expect("a field");
        self.type_in(text).await;
    }

    pub(crate) async fn text(&self) -> String {
        let text = self.command("GET", "/text", None).await.expect("text");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// An attribute's value, empty when it is not there.
    pub(crate) async fn attribute(&self, name: &str) -> String {
        let value = self.command("GET", &format!("/attribute/{name}"), None).await;
        value.expect("an attribute").as_str().unwrap_or_default().to_owned()
    }
}

/// chromedriver on a free port, which it says on its standard output.
fn start_driver(program: &std::path::Path) -> (Child, u16) {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .expect("chromedriver");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| line.split_once("on port ")?.1.trim_end_matches('.').parse().ok())
        // Its first line repeats the zero it was given.
        .find(|port| *port != 0)
        .expect("the port of chromedriver");
    // A full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
}
