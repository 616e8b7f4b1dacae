//! The product under test: `passerelle demo`, compiled, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Where the running demo is. One serves all tests of this binary.
#[derive(Debug)]
pub(crate) struct Demo {
    /// `http://127.0.0.1:port`: the learning platform, another site than the service.
    pub(crate) campus: String,
    /// `http://localhost:port`: the service's pages.
    pub(crate) service: String,
    /// Database and files.
    pub(crate) data: PathBuf,
    /// Its standard input stays open as long as this process lives.
    _shell: Child,
}

impl Demo {
    /// The demo, started by whoever comes first.
    pub(crate) fn running() -> &'static Self {
        static DEMO: OnceLock<Demo> = OnceLock::new();
        DEMO.get_or_init(start)
    }

    /// The port of the service's pages.
    pub(crate) fn port(&self) -> u16 {
        let port = self.service.rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("the service's port")
    }

    /// What Campus remembers, as JSON.
    pub(crate) async fn campus_state(&self) -> Value {
        self.json("/_state").await
    }

    /// Every mail received so far.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        let mails = self.json("/mailbox/messages.json").await;
        mails.as_array().cloned().unwrap_or_default()
    }

    /// The mails to one address whose subject or text holds `words`.
    pub(crate) async fn mails_to(&self, address: &str, words: &str) -> Vec<Value> {
        let mut mails = self.mails().await;
        mails.retain(|mail| {
            let to =
                mail["recipients"].as_array().is_some_and(|all| all.iter().any(|to| to == address));
            let holds = |part: &str| mail[part].as_str().is_some_and(|text| text.contains(words));
            to && (holds("subject") || holds("text"))
        });
        mails
    }

    pub(crate) async fn attachment(&self, mail: &Value, number: usize) -> Vec<u8> {
        self.bytes(&format!("/mailbox/{}/attachments/{number}?download=true", mail["id"])).await
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.bytes(path).await).expect("JSON")
    }

    async fn bytes(&self, path: &str) -> Vec<u8> {
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let answer = http.get(format!("{}{path}", self.campus)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.bytes().await.expect("a body").to_vec()
    }

    /// A command line of the product against the demo's database and files.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_passerelle"))
            .args(arguments)
            .env(
                "PASSERELLE_DATABASE_URL",
                format!("sqlite:{}", self.data.join("passerelle.sqlite").display()),
            )
            .env("PASSERELLE_BLOBS", self.data.join("blobs"))
            .output()
            .expect("the command runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{errors}");
        said
    }
}

/// Starts the demo under a shell that ends it when this process is gone, however it goes: the test
/// harness leaves by `exit`, where nothing is dropped. What it says goes to a file, which outlives
/// this process as a pipe would not.
fn start() -> Demo {
    let watch = "log=$(mktemp); echo \"$log\"; \"$@\" >\"$log\" & demo=$!
        read -r _; kill \"$demo\"; wait \"$demo\"; rm -f \"$log\"";
    #[expect(clippy::zombie_processes, reason = "it outlives this function and ends by itself")]
    let mut shell = Command::new("sh")
        .args(["-c", watch, "sh", env!("CARGO_BIN_EXE_passerelle")])
        .args(["demo", "--port", "0", "--content-port", "0", "--campus-port", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    let mut log = String::new();
    let mut said = BufReader::new(shell.stdout.take().expect("its output"));
    said.read_line(&mut log).expect("the file's name");
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(log.trim()).unwrap_or_default();
        if let Some((campus, service, data)) = read(&text) {
            return Demo { campus, service, data, _shell: shell };
        }
        assert!(begun.elapsed() < PATIENCE, "the demo does not start: {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Campus, the service and the data's folder, once all of them were said.
fn read(text: &str) -> Option<(String, String, PathBuf)> {
    let lines = || text.lines().map(str::trim);
    let address = |start: &str| lines().find(|line| line.starts_with(start)).map(str::to_owned);
    let data = lines().find_map(|line| line.split_once("data: "))?.1;
    // The last line, or a line may be half written.
    text.contains("Ctrl-C").then_some(())?;
    let data = data.split(" (").next()?.into();
    Some((address("http://127.0.0.1:")?, address("http://localhost:")?, data))
}

/// Building the courses takes a while where everything is slow.
const PATIENCE: Duration = Duration::from_mins(3);
