//! The browser script's own business: states, sending, retrying, the journal.

use scorm::runtime::{Edition, Launch, Model};

use crate::browser::{Browser, Message};
use crate::corpus;

fn browser() -> Browser {
    let model = Model::new(Edition::V2004, &corpus::launch());
    let browser = Browser::start(Edition::V2004, &model.browser_launch(7));
    assert_eq!(browser.call("Initialize", &[""]), answer("true", "0"));
    browser
}

fn answer(value: &str, code: &str) -> (String, String) {
    (value.to_owned(), code.to_owned())
}

fn pairs(message: &Message) -> Vec<(&str, &str)> {
    message.delta.iter().map(|(element, value)| (element.as_str(), value.as_str())).collect()
}

#[test]
fn every_state_answers_with_its_own_code() {
    for (edition, launch) in
        [(Edition::V12, corpus::legacy_launch()), (Edition::V2004, Launch::default())]
    {
        let legacy = edition == Edition::V12;
        let page = Browser::start(edition, &Model::new(edition, &launch).browser_launch(0));
        let call = |name: &str, arguments: &[&str]| {
            let name = match (legacy, name) {
                (true, "Terminate") => "LMSFinish".to_owned(),
                (true, name) => format!("LMS{name}"),
                (false, name) => name.to_owned(),
            };
            page.call(&name, arguments)
        };
        let code = |v12: &str, v2004: &str| if legacy { v12.to_owned() } else { v2004.to_owned() };
        let location = if legacy { "cmi.core.lesson_location" } else { "cmi.location" };
        assert_eq!(call("GetValue", &[location]), (String::new(), code("301", "122")));
        assert_eq!(call("SetValue", &[location, "x"]), ("false".into(), code("301", "132")));
        assert_eq!(call("Commit", &[""]), ("false".into(), code("301", "142")));
        assert_eq!(call("Terminate", &[""]), ("false".into(), code("301", "112")));
        assert_eq!(call("Initialize", &["x"]), ("false".into(), "201".into()));
        assert_eq!(call("Initialize", &[""]), answer("true", "0"));
        assert_eq!(call("Initialize", &[""]), ("false".into(), code("101", "103")));
        assert_eq!(call("Terminate", &["x"]), ("false".into(), "201".into()));
        assert_eq!(call("Terminate", &[""]), answer("true", "0"));
        assert_eq!(call("Initialize", &[""]), ("false".into(), code("101", "104")));
        assert_eq!(call("GetValue", &[location]), (String::new(), code("301", "123")));
        assert_eq!(call("SetValue", &[location, "x"]), ("false".into(), code("301", "133")));
        assert_eq!(call("Commit", &[""]), ("false".into(), code("301", "143")));
        assert_eq!(call("Terminate", &[""]), ("false".into(), code("301", "113")));
        let diagnostic: String =
            page.json(&format!("session.api.{}GetDiagnostic('')", if legacy { "LMS" } else { "" }));
        assert!(!diagnostic.is_empty() && diagnostic.len() < 255);
    }
}

#[test]
fn a_burst_of_values_leaves_once_within_a_second() {
    let page = browser();
    page.call("SetValue", &["cmi.location", "1"]);
    page.tick(600);
    page.call("SetValue", &["cmi.interactions.0.id", "q1"]);
    page.call("SetValue", &["cmi.location", "2"]);
    assert_eq!(page.messages(), []);
    page.tick(400);
    let messages = page.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].seq, 8);
    assert_eq!(pairs(&messages[0]), [("cmi.interactions.0.id", "q1"), ("cmi.location", "2")]);
    assert!(!messages[0].last);
    assert_eq!(page.json::<(Vec<u64>, Vec<u64>)>("[kept, acked]"), (vec![8], vec![8]));
    assert_eq!(page.call("GetValue", &["adl.nav.request_valid.continue"]), answer("true", "0"));
    assert_eq!(page.json::<u64>("session.unsent"), 0);
}

#[test]
fn a_commit_leaves_at_once_and_one_message_travels_at_a_time() {
    let page = browser();
    page.eval("mode = 'park';");
    page.call("SetValue", &["cmi.location", "1"]);
    page.call("Commit", &[""]);
    page.call("SetValue", &["cmi.location", "2"]);
    page.call("Commit", &[""]);
    page.tick(5000);
    assert_eq!(page.messages().len(), 1);
    page.eval("mode = 'ok'; parked.shift()({});");
    let messages = page.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[0].seq, messages[1].seq), (8, 9));
    assert_eq!(pairs(&messages[1]), [("cmi.location", "2")]);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_under_its_number() {
    let page = browser();
    page.eval("mode = 'fail';");
    page.call("SetValue", &["cmi.location", "1"]);
    page.tick(1000);
    page.call("SetValue", &["cmi.location", "2"]);
    page.eval("mode = 'ok';");
    page.tick(1000);
    page.tick(1000);
    let messages = page.messages();
    let sent: Vec<(u64, Vec<(&str, &str)>)> =
        messages.iter().map(|message| (message.seq, pairs(message))).collect();
    assert_eq!(
        sent,
        [
            (8, vec![("cmi.location", "1")]),
            (8, vec![("cmi.location", "1")]),
            (9, vec![("cmi.location", "2")]),
        ]
    );
    assert_eq!(page.json::<Vec<u64>>("acked"), [8, 9]);
}

#[test]
fn without_a_network_the_journal_has_everything_and_one_message_collects_it() {
    let page = browser();
    page.eval("mode = 'fail';");
    page.call("SetValue", &["cmi.location", "0"]);
    page.tick(1000);
    for number in 1..=20 {
        page.call("SetValue", &["cmi.location", &number.to_string()]);
        page.call("SetValue", &["cmi.comments_from_learner.0.comment", &number.to_string()]);
        page.tick(1000);
    }
    let kept: Vec<u64> = page.json("kept");
    assert_eq!(kept.len(), 21, "{kept:?}");
    assert_eq!(page.json::<u64>("session.unsent"), 2);
    page.eval("mode = 'ok';");
    page.call("Commit", &[""]);
    let messages = page.messages();
    let last = messages.last().expect("messages were sent");
    assert_eq!(last.seq, 9);
    assert_eq!(last.delta.iter().filter(|(element, _)| element == "cmi.location").count(), 1);
    assert_eq!(last.delta.last().map(|(_, value)| value.as_str()), Some("20"));
    assert_eq!(page.json::<u64>("session.unsent"), 0);
}

#[test]
fn pagehide_sends_everything_unacknowledged_without_waiting() {
    let page = browser();
    page.eval("mode = 'park';");
    page.call("SetValue", &["cmi.location", "1"]);
    page.call("Commit", &[""]);
    page.call("SetValue", &["cmi.location", "2"]);
    page.eval("session.flushNow({ keepalive: true });");
    let sent: Vec<(u64, bool)> =
        page.json("sent.map((message) => [message.seq, message.keepalive])");
    assert_eq!(sent, [(8, false), (8, true), (9, true)]);
    assert_eq!(page.json::<Vec<u64>>("kept"), [8, 9]);
    page.eval("mode = 'ok'; parked.splice(0).forEach((resolve) => resolve({}));");
    assert_eq!(page.json::<u64>("session.unsent"), 0);
    assert_eq!(page.messages().len(), 3, "an acknowledged message is not sent again");
    page.call("SetValue", &["cmi.location", "3"]);
    page.tick(1000);
    assert_eq!(page.messages().last().map(|message| message.seq), Some(10));
}

#[test]
fn terminate_sends_a_final_message_with_the_navigation_request() {
    let page = browser();
    assert_eq!(
        page.call("SetValue", &["adl.nav.request", "{target=nowhere}walk"]),
        answer("false", "406")
    );
    assert_eq!(
        page.call("SetValue", &["adl.nav.request", "{target=item-2}choice"]),
        answer("true", "0")
    );
    page.tick(2500);
    page.call("Terminate", &[""]);
    let messages = page.messages();
    assert_eq!(messages.len(), 2);
    assert!(messages[1].last);
    assert_eq!(messages[1].navigation.as_deref(), Some("{target=item-2}choice"));
    assert_eq!(page.json::<u64>("sent[1].session_seconds"), 3);
    page.eval("session.flushNow({ keepalive: true });");
    page.tick(60_000);
    assert_eq!(page.messages().len(), 2, "there is one final message");
}

#[test]
fn terminate_while_a_message_travels_is_not_lost() {
    let page = browser();
    page.eval("mode = 'park';");
    page.call("SetValue", &["cmi.location", "1"]);
    page.call("Commit", &[""]);
    page.call("SetValue", &["cmi.location", "2"]);
    page.call("Terminate", &[""]);
    page.eval("mode = 'ok'; parked.shift()({});");
    let messages = page.messages();
    assert_eq!(messages.len(), 2);
    assert!(messages[1].last && pairs(&messages[1]) == [("cmi.location", "2")]);
}

#[test]
fn an_object_of_an_earlier_delivery_is_deaf() {
    let page = browser();
    page.call("SetValue", &["cmi.location", "1"]);
    page.eval("session.retire();");
    assert_eq!(page.messages().len(), 1);
    assert_eq!(page.call("SetValue", &["cmi.location", "2"]), answer("false", "133"));
    assert_eq!(page.call("Terminate", &[""]), answer("false", "113"));
    page.tick(60_000);
    assert_eq!(page.messages().len(), 1);
}

#[test]
fn a_superseded_or_refused_session_stops_sending() {
    for (mode, retired) in [("superseded", true), ("refuse", false)] {
        let page = browser();
        page.eval(&format!("mode = '{mode}';"));
        page.call("SetValue", &["cmi.location", "1"]);
        page.tick(1000);
        let expected = if retired { answer("false", "133") } else { answer("true", "0") };
        assert_eq!(page.call("SetValue", &["cmi.location", "2"]), expected);
        page.tick(60_000);
        assert_eq!(page.messages().len(), 1, "{mode}");
    }
}

#[test]
fn odd_arguments_are_texts() {
    let page = browser();
    page.eval("session.api.SetValue('cmi.score.raw', 7); session.api.SetValue('cmi.location', undefined);");
    assert_eq!(page.call("GetValue", &["cmi.score.raw"]), answer("7", "0"));
    assert_eq!(page.call("GetValue", &["cmi.location"]), answer("", "0"));
    page.eval("session.api.SetValue('cmi.suspend_data', 'a\\ud800b\\udc00\\ud83d\\ude00');");
    assert_eq!(
        page.call("GetValue", &["cmi.suspend_data"]),
        answer("a\u{fffd}b\u{fffd}\u{1f600}", "0")
    );
    let frozen: bool = page.json("Object.isFrozen(session.api)");
    assert!(frozen);
}

/// As much of IndexedDB as the journal uses.
const DATABASE: &str = r#"
const disk = new Map();
const key = (value) => JSON.stringify(value);
const later = (target, result, name) => { target.result = result; Promise.resolve().then(() => target[name] && target[name]()); return target; };
globalThis.IDBKeyRange = { bound: (low, high) => ({ low, high }) };
globalThis.indexedDB = { open() {
  const request = {};
  const store = (transaction) => ({
    put(record) { disk.set(key([record.attempt, record.seq]), structured(record)); return later(transaction, undefined, "oncomplete"); },
    delete(id) { disk.delete(key(id)); return later({}, undefined, "onsuccess"); },
    getAll({ low, high }) {
      const records = [...disk.values()].filter((record) => record.attempt === low[0] && record.seq >= low[1] && record.seq <= high[1]);
      return later({}, records.sort((a, b) => a.seq - b.seq), "onsuccess");
    },
  });
  const database = {
    createObjectStore() {},
    transaction() { const transaction = {}; transaction.objectStore = () => store(transaction); return transaction; },
    close() {},
  };
  request.result = database;
  Promise.resolve().then(() => { request.onupgradeneeded(); request.onsuccess(); });
  return request;
} };
const structured = (value) => JSON.parse(JSON.stringify(value));
const replayed = [];
(async () => {
  for (const attempt of ["a", "b"]) {
    const journal = await openScormJournal(attempt);
    for (const seq of [2, 1, 10, 3]) await journal.append({ seq, delta: [["cmi.location", attempt + seq]] });
    await journal.append({ seq: 3, delta: [["cmi.location", "newer"]] });
    await journal.ack(2);
  }
  const again = await openScormJournal("b");
  for (const message of await again.pending()) replayed.push([message.seq, message.delta[0][1]]);
})();
"#;

#[test]
fn the_journal_gives_back_what_was_not_acknowledged_in_order() {
    let page = browser();
    page.script(scorm::runtime::PLAYER_JOURNAL);
    page.script(DATABASE);
    let replayed: Vec<(u64, String)> = page.json("replayed");
    let expected = [(1, "b1"), (3, "newer"), (10, "b10")];
    assert_eq!(replayed, expected.map(|(seq, value)| (seq, value.to_owned())));
}
