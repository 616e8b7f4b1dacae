//! Copied courses: whose list an event has, and which items a platform may open.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::identities::{another_platform, another_tenant, tenant};
use crate::on_both_databases;
use crate::support::platform::{lti, person, trainer};
use crate::support::{Answer, Browser, Platform, Service, TestDatabase};

/// A page that a launch led to.
struct Opened {
    browser: Browser,
    page: String,
}

impl Opened {
    async fn get(&mut self, rest: &str) -> Answer {
        let path = format!("{}{rest}", self.page);
        self.browser.get(&path).await
    }

    /// Sends a form of the page at `rest` to it.
    async fn send(&mut self, rest: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(rest).await.expect(200).form_token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        let path = format!("{}{rest}", self.page);
        self.browser.post(&path, &all).await
    }

    /// The event that the page is about.
    fn event(&self) -> &str {
        self.page.rsplit('/').next().expect("an event")
    }
}

async fn open(
    service: &Service,
    platform: &Platform,
    item: &str,
    change: impl FnOnce(&mut Value),
) -> Opened {
    let mut browser = service.browser();
    let answer = platform.launch(&mut browser, item, change).await.expect(303);
    Opened { browser, page: answer.location().to_owned() }
}

/// In a course that is a copy of those in `history`.
fn copied(claims: &mut Value, context: &str, history: &str) {
    claims[lti("context")] = json!({"id": context, "title": format!("Copie {context}")});
    claims[lti("resource_link")] = json!({"id": format!("link-of-{context}")});
    claims[lti("custom")] = json!({"context_id_history": history});
}

fn form<'a>(title: &'a str, starts: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("title", title),
        ("description", "Une heure."),
        ("starts", starts),
        ("minutes", "60"),
        ("time_zone", "Europe/Paris"),
        ("capacity", "10"),
        ("join_url", "https://visio.example/salle"),
    ]
}

/// The service, and an event of its usual course for which one has signed up.
async fn with_event(database: TestDatabase) -> (Service, String) {
    let service = Service::start(database).await;
    let platform = service.platform.clone();
    let mut list = open(&service, &platform, "events", trainer).await;
    let created = list.send("/new", &form("Découvrir", "2026-11-30T17:30")).await.expect(303);
    let event = created.location().rsplit('/').next().and_then(|rest| rest.split('?').next());
    let event = event.expect("an identifier").to_owned();
    let mut learner =
        open(&service, &platform, &format!("event/{event}"), |claims| person(claims, 1)).await;
    sign_up(&mut learner).await;
    (service, event)
}

async fn sign_up(learner: &mut Opened) {
    let token = learner.get("").await.expect(200).form_token();
    let path = format!("{}/signup", learner.page);
    learner.browser.post(&path, &[("form_token", &token)]).await.expect(303);
}

/// A trainer of the copied course opens its link to the event.
async fn trains(service: &Service, event: &str, context: &str, history: &str) -> Opened {
    let platform = service.platform.clone();
    open(service, &platform, &format!("event/{event}"), |claims| {
        trainer(claims);
        copied(claims, context, history);
    })
    .await
}

async fn learns(
    service: &Service,
    event: &str,
    context: &str,
    history: &str,
    number: usize,
) -> Opened {
    let platform = service.platform.clone();
    open(service, &platform, &format!("event/{event}"), |claims| {
        person(claims, number);
        copied(claims, context, history);
    })
    .await
}

on_both_databases! {
    async fn a_copied_course_may_share_the_list_and_is_asked_once(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        let mut learner = learns(&service, &event, "context-9", "context-2", 2).await;
        let waits = learner.get("").await.expect(200).text();
        assert!(waits.contains("doit encore dire"), "{waits}");
        for secret in ["Découvrir", "visio.example", "Numéro 1", "form_token"] {
            assert!(!waits.contains(secret), "{secret} in {waits}");
        }
        for rest in ["/calendar.ics", "/participants.csv", "/copy"] {
            assert!(learner.get(rest).await.status.is_client_error(), "{rest}");
        }
        let list = learner.page.trim_end_matches(&event).to_owned();
        let list = learner.browser.get(list.trim_end_matches('/')).await.expect(200).text();
        assert!(!list.contains("Découvrir"), "{list}");

        let mut asked = trains(&service, &event, "context-9", "context-2").await;
        let question = asked.get("").await.expect(303);
        assert!(question.location().ends_with("/copy"), "{}", question.location());
        let text = asked.get("/copy").await.expect(200).text();
        for word in ["Découvrir", "Parcours", "Une personne y est inscrite"] {
            assert!(text.contains(word), "no {word} in {text}");
        }
        assert!(!text.contains("Numéro 1"), "{text}");
        for rest in ["/edit", "/cancel", "/presence", "/participants.csv"] {
            asked.get(rest).await.expect(404);
        }
        asked.send("/copy", &[]).await.expect(422);
        let shared = asked.send("/copy", &[("list", "same")]).await.expect(303);
        assert!(shared.location().ends_with("?done=shared"), "{}", shared.location());

        // Nobody is asked again, and there is one list.
        let mut colleague = trains(&service, &event, "context-9", "context-2").await;
        let page = colleague.get("").await.expect(200).text();
        assert!(page.contains("Karim Numéro 1") && page.contains("Copie context-9"), "{page}");
        colleague.get("/copy").await.expect(303);
        sign_up(&mut learner).await;
        assert_eq!(service.count("events").await, 1);
        let platform = service.platform.clone();
        let mut first = open(&service, &platform, &format!("event/{event}"), trainer).await;
        let page = first.get("").await.expect(200).text();
        assert!(page.contains("Karim Numéro 2"), "{page}");
        colleague.get("/edit").await.expect(200);
    }

    async fn a_copied_course_may_have_a_list_of_its_own(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        service.advance(TimeDelta::days(8));
        let mut asked = trains(&service, &event, "context-9", "$Context.id.history").await;
        let text = asked.get("/copy").await.expect(200).text();
        assert!(text.contains("Toutes ses dates sont passées"), "{text}");
        let next = asked.send("/copy", &[("list", "new"), ("join_url", "1")]).await.expect(303);
        assert!(next.location().ends_with("/copy/new?join_url=1"), "{}", next.location());
        let filled = asked.browser.get(next.location()).await.expect(200).text();
        assert!(filled.contains("value=\"Découvrir\""), "{filled}");
        assert!(filled.contains("https://visio.example/salle"), "{filled}");
        assert!(!filled.contains("2026-11-30"), "a date of the past is offered: {filled}");
        let plain = asked.get("/copy/new").await.expect(200).text();
        assert!(!plain.contains("https://visio.example/salle"), "{plain}");
        assert_eq!(service.count("events").await, 1, "nothing is made before it has a date");

        let past = form("Découvrir encore", "2026-11-30T17:30");
        asked.send("/copy/new", &past).await.expect(422);
        let ahead = form("Découvrir encore", "2027-01-11T17:30");
        let made = asked.send("/copy/new", &ahead).await.expect(303);
        assert!(made.location().ends_with("?done=renewed"), "{}", made.location());
        let page = asked.browser.get(made.location()).await.expect(200).text();
        assert!(!page.contains("Numéro 1"), "{page}");
        assert_eq!(service.count("events").await, 2);

        // Every link of the copied course opens the new one, whatever it says.
        let mut learner = learns(&service, &event, "context-9", "", 2).await;
        let copy = learner.event().to_owned();
        assert_ne!(copy, event);
        let page = learner.get("").await.expect(200).text();
        assert!(page.contains("Découvrir encore"), "{page}");
        sign_up(&mut learner).await;
        let links = "SELECT COUNT(*) FROM resource_links WHERE lms_id = 'link-of-context-9'
             AND event_id = (SELECT opens_id FROM event_copies)";
        assert_eq!(service.number(links).await, 1);
        // The first course keeps its own, and the page that asked leads on.
        let platform = service.platform.clone();
        let first = open(&service, &platform, &format!("event/{event}"), trainer).await;
        assert_eq!(first.event(), event);
        assert!(asked.get("").await.expect(303).location().ends_with(&copy));

        // A copy of the copy is asked about the copy, and its links say the first event still.
        let mut third = trains(&service, &event, "context-12", "context-9,context-2").await;
        assert_eq!(third.event(), copy);
        third.send("/copy", &[("list", "same")]).await.expect(303);
        let mut learner = learns(&service, &event, "context-12", "", 3).await;
        assert_eq!(learner.event(), copy);
        learner.get("").await.expect(200);
    }

    async fn the_second_of_two_decisions_is_told_of_the_first(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        let mut one = trains(&service, &event, "context-9", "context-2").await;
        let mut two = trains(&service, &event, "context-9", "context-2").await;
        let token = two.get("/copy/new").await.expect(200).form_token();
        one.send("/copy", &[("list", "same")]).await.expect(303);
        let mut fields = form("Trop tard", "2027-01-11T17:30");
        fields.push(("form_token", &token));
        let path = format!("{}/copy/new", two.page);
        let told = two.browser.post(&path, &fields).await.expect(303);
        assert!(told.location().ends_with(&format!("{event}?done=decided")), "{}", told.location());
        assert_eq!(service.count("events").await, 1);
        assert_eq!(service.count("event_contexts").await, 2);
    }

    async fn another_platform_of_the_tenant_is_asked_too(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        let tenant = tenant(&service).await;
        let other = another_platform(&service, tenant).await;
        let item = format!("event/{event}");
        // Its identifiers of courses are its own: this context-2 is another.
        let mut learner = open(&service, &other, &item, |claims| person(claims, 5)).await;
        let waits = learner.get("").await.expect(200).text();
        assert!(waits.contains("doit encore dire") && !waits.contains("Découvrir"), "{waits}");
        let mut asked = open(&service, &other, &item, trainer).await;
        asked.get("").await.expect(303);
        asked.send("/copy", &[("list", "same")]).await.expect(303);
        sign_up(&mut learner).await;
        let page = asked.get("").await.expect(200).text();
        assert!(page.contains("Karim Numéro 1") && page.contains("Karim Numéro 5"), "{page}");
    }

    async fn an_address_alone_opens_nothing(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        let platform = service.platform.clone();
        let mut list = open(&service, &platform, "events", |claims| {
            trainer(claims);
            copied(claims, "context-9", "context-2");
        })
        .await;
        for rest in ["", "/copy", "/copy/new"] {
            list.get(&format!("/{event}{rest}")).await.expect(404);
        }
    }

    async fn what_another_tenant_has_does_not_open(database: TestDatabase) {
        let (service, event) = with_event(database).await;
        service.install_course().await;
        let stranger = another_tenant(&service).await;
        let stranger = another_platform(&service, stranger).await;
        let refused = async |platform: &Platform, item: &str, custom: bool| {
            let mut browser = service.browser();
            let target = if custom { "events" } else { item };
            let answer = platform
                .launch(&mut browser, target, |claims| {
                    trainer(claims);
                    if custom {
                        claims[lti("custom")] = json!({"passerelle_item": item});
                    }
                })
                .await
                .expect(400);
            assert!(answer.text().contains("item-unknown"), "{}", answer.text());
        };
        for custom in [true, false] {
            refused(&stranger, &format!("event/{event}"), custom).await;
        }
        // A course that all share is everybody's, one of a tenant is its own.
        open(&service, &stranger, "course/fixture", |_| ()).await;
        let own = "UPDATE courses SET tenant_id =
             (SELECT id FROM tenants WHERE slug = 'reseau')";
        assert_eq!(service.execute(own).await, 1);
        for custom in [true, false] {
            refused(&stranger, "course/fixture", custom).await;
        }
        let platform = service.platform.clone();
        open(&service, &platform, "course/fixture", |_| ()).await;
    }

    async fn a_self_paced_course_that_was_copied_simply_works(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let platform = service.platform.clone();
        for context in ["context-2", "context-9"] {
            let mut learner = open(&service, &platform, "course/fixture", |claims| {
                copied(claims, context, "context-2");
            })
            .await;
            learner.get("").await.expect(200);
        }
        assert_eq!(service.count("enrolments").await, 1);
    }
}
