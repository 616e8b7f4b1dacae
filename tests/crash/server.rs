//! The compiled service in a process of its own, to be killed and started again.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where one service lives: the same over all its lives.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) content_port: u16,
    pub(crate) folder: tempfile::TempDir,
    smtp_port: u16,
    running: Option<Child>,
}

impl Server {
    pub(crate) fn new(smtp_port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Both are taken at once, so that they differ.
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let (pages, content) = (listen(), listen());
        let port = |listener: &TcpListener| listener.local_addr().expect("its address").port();
        let (port, content_port) = (port(&pages), port(&content));
        Self { port, content_port, folder, smtp_port, running: None }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
        let at = |path: &str| self.folder.path().join(path).display().to_string();
        command
            .env("PASSERELLE_DATABASE_URL", format!("sqlite:{}", at("passerelle.sqlite")))
            .env("PASSERELLE_BLOBS", at("blobs"))
            .env("PASSERELLE_BIND", format!("127.0.0.1:{}", self.port))
            .env("PASSERELLE_CONTENT_BIND", format!("127.0.0.1:{}", self.content_port))
            .env("PASSERELLE_METRICS_BIND", "")
            .env("PASSERELLE_PUBLIC_URL", self.origin())
            .env(
                "PASSERELLE_CONTENT_URL",
                format!("http://{{label}}.localhost:{}", self.content_port),
            )
            .env("PASSERELLE_INSECURE_ALLOW_PRIVATE_NETWORKS", "true")
            .env("PASSERELLE_SMTP_HOST", "127.0.0.1")
            .env("PASSERELLE_SMTP_PORT", self.smtp_port.to_string())
            .env("PASSERELLE_SMTP_ENCRYPTION", "none")
            .env("RUST_LOG", "error")
            .stdin(Stdio::null());
        command
    }

    /// One command of the product.
    pub(crate) fn run(&self, arguments: &[&str]) {
        let output = self.command().args(arguments).output().expect("the command runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
    }

    pub(crate) fn start(&mut self) {
        let child = self.command().arg("serve").stdout(Stdio::null()).spawn();
        self.running = Some(child.expect("the service starts"));
    }

    /// SIGKILL: nothing is finished, flushed or said.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().expect("a process to kill");
            child.wait().expect("its end");
        }
    }

    pub(crate) async fn ready(&mut self, http: &reqwest::Client) {
        let begun = Instant::now();
        let address = format!("http://127.0.0.1:{}/health/ready", self.port);
        loop {
            if http.get(&address).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            if let Some(ended) = self.running.as_mut().and_then(|child| child.try_wait().ok()?) {
                panic!("the service stopped by itself: {ended}");
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "the service is not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="short" version="1" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
  <metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
  <organizations default="all"><organization identifier="all"><title>Un cours très court</title>
    <item identifier="only" identifierref="page"><title>Une page</title></item>
  </organization></organizations>
  <resources><resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="page.html">
    <file href="page.html"/></resource></resources>
</manifest>"#;

/// The one activity of the package.
pub(crate) const ACTIVITY: &str = "only";

/// A package of one page.
pub(crate) fn package(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("short.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&file).expect("a file"));
    for (name, text) in [("imsmanifest.xml", MANIFEST), ("page.html", "<!doctype html><p>Bonjour")]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        zip.write_all(text.as_bytes()).expect("its text");
    }
    zip.finish().expect("a zip");
    file
}
