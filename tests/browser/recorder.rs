//! What really went over the wire: a relay between the browser and the service that keeps a copy
//! of every request's head. The browser is led through it by a host rule, so that addresses,
//! origins and sites stay what they are.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The heads of all requests so far.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    port: u16,
    bytes: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    /// Relays to `target` on loopback.
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let recorder = Self { port, bytes: Arc::default() };
        let bytes = recorder.bytes.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(stream, target, bytes.clone()));
            }
        });
        recorder
    }

    /// The host rule that leads `localhost:target` through here.
    pub(crate) fn rule(&self, target: u16) -> String {
        format!("MAP localhost:{target} 127.0.0.1:{}", self.port)
    }

    /// The heads of the requests whose first line starts with `line`.
    pub(crate) fn requests(&self, line: &str) -> Vec<Head> {
        let connections = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heads = Vec::new();
        for connection in connections.iter() {
            let text = String::from_utf8_lossy(connection);
            for (at, _) in text.match_indices(line) {
                let head = text[at..].split("\r\n\r\n").next().unwrap_or_default();
                heads.push(Head(head.to_owned()));
            }
        }
        heads
    }
}

/// The first line and the fields of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head(String);

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.0
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

async fn relay(browser: TcpStream, target: u16, bytes: Arc<Mutex<Vec<Vec<u8>>>>) {
    let Ok(service) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    let (mut from_browser, mut to_browser) = browser.into_split();
    let (mut from_service, mut to_service) = service.into_split();
    let index = {
        let mut all = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Vec::new());
        all.len() - 1
    };
    let answers = async {
        let _ = tokio::io::copy(&mut from_service, &mut to_browser).await;
        let _ = to_browser.shutdown().await;
    };
    let requests = async {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_browser.read(&mut piece).await {
            if let Some(all) = bytes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
                all.extend_from_slice(&piece[..read]);
            }
            if to_service.write_all(&piece[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_service.shutdown().await;
    };
    tokio::join!(answers, requests);
}
