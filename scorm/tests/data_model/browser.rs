//! The browser script in an embedded JavaScript engine.

use rquickjs::{Context, Runtime};
use scorm::runtime::{BrowserLaunch, Edition, MODEL_TABLE, PLAYER_API};
use serde::Deserialize;

/// One message of the script.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Message {
    pub(crate) seq: u64,
    pub(crate) delta: Vec<(String, String)>,
    #[serde(rename = "final")]
    pub(crate) last: bool,
    pub(crate) navigation: Option<String>,
}

/// A page with the player's API; time stands still until `tick`.
pub(crate) struct Browser {
    runtime: Runtime,
    context: Context,
}

const HOST: &str = r#"
const sent = [], kept = [], acked = [], problems = [];
let time = 0, timers = [], mode = "ok", parked = [];
const clock = {
  now: () => time,
  setTimeout: (task, delay) => { timers.push({ task, due: time + delay }); return timers.length; },
  clearTimeout: (id) => { if (timers[id - 1]) timers[id - 1].task = null; },
};
function tick(ms) {
  time += ms;
  for (const timer of timers) if (timer.task && timer.due <= time) { const task = timer.task; timer.task = null; task(); }
}
const transport = { send(message, how) {
  sent.push(JSON.parse(JSON.stringify({ ...message, keepalive: how.keepalive })));
  if (mode === "fail") return Promise.reject(new Error("offline"));
  if (mode === "refuse") return Promise.reject(Object.assign(new Error("no"), { permanent: true }));
  if (mode === "park") return new Promise((resolve) => parked.push(resolve));
  if (mode === "superseded") return Promise.resolve({ superseded: true });
  return Promise.resolve({ request_valid: { continue: true } });
} };
const journal = { append: (message) => { kept.push(message.seq); }, ack: (seq) => { acked.push(seq); } };
const session = createScormApi({ table, edition, launch, transport, journal, clock, onProblem: (kind) => problems.push(kind) });
const call = (name, args) => {
  const value = session.api[name](...args);
  return JSON.stringify([String(value), session.api[(name.startsWith("LMS") ? "LMS" : "") + "GetLastError"]("")]);
};
"#;

impl Browser {
    pub(crate) fn start(edition: Edition, launch: &BrowserLaunch) -> Self {
        let runtime = Runtime::new().expect("a JavaScript engine starts");
        let context = Context::full(&runtime).expect("a JavaScript context starts");
        let browser = Self { runtime, context };
        let launch = serde_json::to_string(launch).expect("a launch is JSON");
        browser.run(PLAYER_API);
        browser.run(&format!(
            "const table = {MODEL_TABLE}; const edition = {:?}; const launch = {launch};",
            edition.key()
        ));
        browser.run(HOST);
        browser
    }

    fn run(&self, script: &str) {
        self.context.with(|page| {
            if let Err(error) = page.eval::<(), _>(script) {
                panic!("{error}: {:?}", page.catch());
            }
        });
    }

    /// A script's answer as JSON.
    pub(crate) fn json<T: for<'de> Deserialize<'de>>(&self, expression: &str) -> T {
        let text: String = self.context.with(|page| {
            match page.eval::<String, _>(format!("JSON.stringify({expression})")) {
                Ok(text) => text,
                Err(error) => panic!("{error}: {:?}", page.catch()),
            }
        });
        serde_json::from_str(&text).expect("the script answers JSON")
    }

    /// One API call: its value and the error code after it.
    pub(crate) fn call(&self, name: &str, arguments: &[&str]) -> (String, String) {
        let name = serde_json::to_string(name).expect("a name is JSON");
        let arguments = serde_json::to_string(arguments).expect("arguments are JSON");
        let answer: String = self.json(&format!("call({name}, {arguments})"));
        let answer = serde_json::from_str(&answer).expect("a call answers a pair");
        self.settle();
        answer
    }

    /// Runs the promises that are ready.
    pub(crate) fn settle(&self) {
        while self.runtime.execute_pending_job().unwrap_or(false) {}
    }

    /// Runs a script whose names stay.
    pub(crate) fn script(&self, script: &str) {
        self.run(script);
        self.settle();
    }

    pub(crate) fn eval(&self, script: &str) {
        self.run(&format!("{{ {script} }}"));
        self.settle();
    }

    pub(crate) fn tick(&self, milliseconds: u32) {
        self.eval(&format!("tick({milliseconds});"));
    }

    pub(crate) fn flush(&self) {
        self.eval("session.flushNow();");
    }

    pub(crate) fn state(&self) -> String {
        self.json("session.state")
    }

    /// Everything sent so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.json("sent")
    }
}
