//! The player as the service sees it: one content host, a token, commits in their order.

use axum::body::Body;
use axum::http::{Method, Request, header};
use passerelle::app::App;
use passerelle::router;
use serde_json::{Value, json};

use super::browser::{Answer, Browser, send};

#[derive(Clone)]
pub(crate) struct Player {
    app: App,
    /// The content's origin.
    pub(crate) origin: String,
    pub(crate) token: String,
    pub(crate) seq: i64,
}

/// One request to a content host.
pub(crate) async fn content(
    app: &App,
    origin: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, origin.trim_start_matches("http://"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body)).expect("a request");
    send(router::content(app.clone()), request).await
}

impl Player {
    /// From the learner's page (`/launches/…/course`) to a player with the right to play.
    pub(crate) async fn admit(app: &App, browser: &mut Browser, page: &str) -> Self {
        let token = browser.get(page).await.expect(200).form_token();
        let open = format!("{page}/open");
        let admission = browser.post(&open, &[("form_token", &token)]).await.expect(200).json();
        Self::of(app, &admission)
    }

    /// From the answer to opening.
    pub(crate) fn of(app: &App, admission: &Value) -> Self {
        let text = |name: &str| admission[name].as_str().expect(name).to_owned();
        Self { app: app.clone(), origin: text("origin"), token: text("token"), seq: 0 }
    }

    pub(crate) async fn call(&self, path: &str, mut body: Value) -> Answer {
        body["token"] = json!(self.token);
        self.post(path, body.to_string().into_bytes()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> Answer {
        let headers = [("sec-fetch-site", "same-origin"), ("accept", "application/json")];
        content(&self.app, &self.origin, Method::POST, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        content(&self.app, &self.origin, Method::GET, path, headers, Vec::new()).await
    }

    /// Opens the player; what the service answers.
    pub(crate) async fn open(&self) -> Value {
        self.call("/runtime/open", json!({})).await.expect(200).json()
    }

    pub(crate) async fn choose(&self, activity: &str) -> Value {
        let request = json!({"request": "choice", "target": activity});
        self.call("/runtime/navigate", request).await.expect(200).json()
    }

    /// The next commit of an activity.
    pub(crate) async fn commit(
        &mut self,
        activity: &str,
        delta: &[(&str, &str)],
        last: bool,
    ) -> Answer {
        self.seq += 1;
        let body = json!({
            "activity": activity, "seq": self.seq, "delta": delta, "final": last,
            "session_seconds": 30.0,
        });
        self.call("/runtime/commit", body).await
    }

    /// Goes through every activity: lessons are completed, what has a score gets `score`.
    pub(crate) async fn complete(&mut self, score: f64) -> Value {
        let opened = self.open().await;
        let mut answer = Value::Null;
        for activity in leaves(&opened["view"]) {
            self.choose(&activity).await;
            answer = self.finish(&activity, score).await;
        }
        answer
    }

    /// Finishes the activity that is shown.
    pub(crate) async fn finish(&mut self, activity: &str, score: f64) -> Value {
        let scaled = score.to_string();
        let mut delta = vec![("cmi.completion_status", "completed")];
        if activity.ends_with("test") {
            delta.push(("cmi.score.scaled", &scaled));
            let success = if score >= 0.75 { "passed" } else { "failed" };
            delta.push(("cmi.success_status", success));
        }
        self.commit(activity, &delta, true).await.expect(200).json()
    }
}

/// The activities of a view that can be delivered, in order.
pub(crate) fn leaves(view: &Value) -> Vec<String> {
    let toc = view["toc"].as_array().expect("a table of contents");
    let leaves = toc.iter().filter(|line| line["leaf"] == true);
    leaves.map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
}
