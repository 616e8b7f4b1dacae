//! Webinars: places, waiting lists, mails with calendar entries, presence.

use chrono::TimeDelta;
use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{lti, person, trainer};
use crate::support::{Answer, Browser, Service, TestDatabase};

/// Somebody with the list of webinars open: their browser, and their launch's path.
struct Guest {
    browser: Browser,
    launch: String,
}

impl Guest {
    async fn launch(service: &Service, change: impl FnOnce(&mut Value)) -> Self {
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, "events", change).await.expect(303);
        let launch = answer.location().trim_end_matches("/events").to_owned();
        Self { browser, launch }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/events{rest}", self.launch)
    }

    async fn get(&mut self, rest: &str) -> Answer {
        let path = self.path(rest);
        self.browser.get(&path).await
    }

    /// Sends a form of the page `page` to `action`.
    async fn send(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.expect(200).form_token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        let path = self.path(action);
        self.browser.post(&path, &all).await
    }

    async fn act(&mut self, event: &str, what: &str) -> Answer {
        self.send(&format!("/{event}"), &format!("/{event}/{what}"), &[]).await
    }
}

/// The form of an event a week from the beginning, on a Monday at 17:30 in Paris.
fn described(capacity: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("title", "Découvrir l’<atelier>"),
        ("description", "Une heure.\nDes questions."),
        ("starts", "2026-11-30T17:30"),
        ("minutes", "60"),
        ("time_zone", "Europe/Paris"),
        ("capacity", capacity),
        ("join_url", "https://visio.example/salle?a=1&b=2"),
    ]
}

/// The service, its trainer, and an event's identifier.
async fn with_event(database: TestDatabase, capacity: &'static str) -> (Service, Guest, String) {
    let service = Service::start(database).await;
    let mut trainer = Guest::launch(&service, trainer).await;
    let created = trainer.send("/new", "/new", &described(capacity)).await.expect(303);
    let event = created.location().rsplit('/').next().and_then(|rest| rest.split('?').next());
    let event = event.expect("an identifier").to_owned();
    (service, trainer, event)
}

async fn learner(service: &Service, number: usize) -> Guest {
    Guest::launch(service, |claims| person(claims, number)).await
}

/// What a mail is about: its recipient, its subject, and the calendar in it.
#[derive(Debug)]
struct Told {
    to: String,
    subject: String,
    calendar: Option<String>,
}

impl Told {
    /// The value of one property of the calendar, unfolded.
    fn property(&self, name: &str) -> String {
        let calendar = self.calendar.as_ref().unwrap_or_else(|| panic!("no calendar: {self:?}"));
        let unfolded = calendar.replace("\r\n ", "").replace("\n ", "");
        let line = unfolded.lines().find(|line| line.starts_with(&format!("{name}:")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {unfolded}"));
        line[name.len() + 1..].trim().to_owned()
    }

    fn sequence(&self) -> i64 {
        self.property("SEQUENCE").parse().expect("a number")
    }
}

/// Runs the jobs; the mails that came of it, by recipient.
async fn told(service: &Service) -> Vec<Told> {
    service.run_jobs().await;
    let mails = service.take_mails().into_iter().map(|mail| {
        let parsed = MessageParser::default().parse(&mail.raw).expect("a mail");
        let calendar = parsed.parts.iter().find(|part| {
            part.content_type().is_some_and(|kind| kind.subtype() == Some("calendar"))
        });
        Told {
            to: mail.recipients[0].clone(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            calendar: calendar.map(|part| String::from_utf8_lossy(part.contents()).into_owned()),
        }
    });
    let mut mails: Vec<Told> = mails.collect();
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    mails
}

async fn places(service: &Service, state: &str) -> i64 {
    service.number(&format!("SELECT COUNT(*) FROM signups WHERE state = '{state}'")).await
}

on_both_databases! {
    async fn a_learner_signs_up_is_told_and_withdraws(database: TestDatabase) {
        let (service, _, event) = with_event(database, "").await;
        let mut zoe = Guest::launch(&service, |_| ()).await;
        let list = zoe.get("").await.expect(200).text();
        assert!(list.contains("Découvrir l’&lt;atelier&gt;"), "{list}");
        let before = zoe.get(&format!("/{event}")).await.expect(200).text();
        assert!(!before.contains("visio.example"), "the link is for those who have a place");
        zoe.get(&format!("/{event}/calendar.ics")).await.expect(404);

        let done = zoe.act(&event, "signup").await.expect(303);
        assert!(done.location().ends_with("?done=signed-up"), "{}", done.location());
        let after = zoe.get(&format!("/{event}")).await.expect(200).text();
        assert!(after.contains("visio.example"), "{after}");
        let file = zoe.get(&format!("/{event}/calendar.ics")).await.expect(200);
        assert!(file.text().contains("METHOD:PUBLISH"), "{}", file.text());
        let confirmed = told(&service).await;
        assert_eq!(confirmed.len(), 1);
        assert!(confirmed[0].subject.contains("Découvrir l’<atelier>"), "{confirmed:?}");
        assert_eq!(confirmed[0].property("METHOD"), "REQUEST");
        assert_eq!(confirmed[0].property("DTSTART"), "20261130T163000Z");
        assert_eq!(confirmed[0].property("DTEND"), "20261130T173000Z");

        // The button pressed twice does nothing twice.
        zoe.act(&event, "signup").await.expect(303);
        assert!(told(&service).await.is_empty());

        zoe.act(&event, "withdraw").await.expect(303);
        let withdrawn = told(&service).await;
        assert_eq!(withdrawn[0].property("METHOD"), "CANCEL");
        assert_eq!(withdrawn[0].property("UID"), confirmed[0].property("UID"));
        assert!(withdrawn[0].sequence() > confirmed[0].sequence());
        zoe.get(&format!("/{event}/calendar.ics")).await.expect(404);

        zoe.act(&event, "signup").await.expect(303);
        let again = told(&service).await;
        assert_eq!(again[0].property("UID"), confirmed[0].property("UID"));
        assert!(again[0].sequence() > withdrawn[0].sequence());
    }

    async fn twenty_who_come_at_once_never_get_more_places_than_there_are(database: TestDatabase) {
        let (service, _, event) = with_event(database, "5").await;
        let mut guests = Vec::new();
        for number in 0..20 {
            guests.push(learner(&service, number).await);
        }
        let all = guests.iter_mut().map(|guest| guest.act(&event, "signup"));
        for answer in futures::future::join_all(all).await {
            answer.expect(303);
        }
        assert_eq!((places(&service, "confirmed").await, places(&service, "waiting").await), (5, 15));
        let distinct = "SELECT COUNT(DISTINCT position) FROM signups WHERE state = 'waiting'";
        assert_eq!(service.number(distinct).await, 15);

        // All who have a place leave at once: five of those who wait follow, no more.
        let leaving = service
            .texts(
                "SELECT p.family_name FROM signups s JOIN people p ON p.id = s.person_id
                 WHERE s.state = 'confirmed'",
            )
            .await;
        let leaving: Vec<usize> = leaving
            .iter()
            .filter_map(|name| name.rsplit(' ').next()?.parse().ok())
            .collect();
        let all = guests
            .iter_mut()
            .enumerate()
            .filter(|(number, _)| leaving.contains(number))
            .map(|(_, guest)| guest.act(&event, "withdraw"));
        for answer in futures::future::join_all(all).await {
            answer.expect(303);
        }
        assert_eq!((places(&service, "confirmed").await, places(&service, "waiting").await), (5, 10));
    }

    async fn who_waits_follows_in_order(database: TestDatabase) {
        let (service, mut trainer, event) = with_event(database, "1").await;
        let mut guests = Vec::new();
        for number in 1..=4 {
            let mut guest = learner(&service, number).await;
            let done = guest.act(&event, "signup").await.expect(303);
            let expected = if number == 1 { "?done=signed-up" } else { "?done=waiting" };
            assert!(done.location().ends_with(expected), "{}", done.location());
            guests.push(guest);
            service.advance(TimeDelta::seconds(1));
        }
        let mails = told(&service).await;
        assert_eq!(mails.len(), 4);
        assert!(mails.iter().skip(1).all(|mail| mail.calendar.is_none()), "{mails:?}");

        // Who waits and leaves gives nobody a place; who has one gives it to the next.
        guests[1].act(&event, "withdraw").await.expect(303);
        told(&service).await;
        guests[0].act(&event, "withdraw").await.expect(303);
        let mails = told(&service).await;
        let recipients: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(recipients, ["karim-1@ecole.example", "karim-3@ecole.example"]);
        assert_eq!(mails[1].property("METHOD"), "REQUEST");

        // A higher capacity promotes too.
        let mut form = described("2");
        form.push(("edition", "1"));
        let page = trainer.get(&format!("/{event}/edit")).await.expect(200).text();
        let edition = page.split("name=\"edition\" value=\"").nth(1).and_then(|r| r.split('"').next());
        let edition = edition.expect("the edition").to_owned();
        form.pop();
        form.push(("edition", &edition));
        let (page, action) = (format!("/{event}/edit"), format!("/{event}/edit"));
        trainer.send(&page, &action, &form).await.expect(303);
        let mails = told(&service).await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert_eq!(mails[0].to, "karim-4@ecole.example");
        assert_eq!(places(&service, "confirmed").await, 2);

        // The same form once more was opened on an older edition.
        trainer.send(&page, &action, &form).await.expect(409);
    }

    async fn changes_and_cancellations_reach_calendars(database: TestDatabase) {
        let (service, mut trainer, event) = with_event(database, "1").await;
        let (mut one, mut two) = (learner(&service, 1).await, learner(&service, 2).await);
        one.act(&event, "signup").await.expect(303);
        two.act(&event, "signup").await.expect(303);
        let first = told(&service).await;

        let page = format!("/{event}/edit");
        let text = trainer.get(&page).await.expect(200).text();
        let edition = text.split("name=\"edition\" value=\"").nth(1).and_then(|r| r.split('"').next());
        let edition = edition.expect("the edition").to_owned();
        let mut form = described("1");
        form.iter_mut().filter(|(n, _)| *n == "starts").for_each(|(_, v)| *v = "2026-12-01T10:00");
        form.push(("edition", &edition));
        trainer.send(&page, &page, &form).await.expect(303);
        let changed = told(&service).await;
        assert_eq!(changed.len(), 2);
        assert_eq!(changed[0].property("METHOD"), "REQUEST");
        assert_eq!(changed[0].property("DTSTART"), "20261201T090000Z");
        assert_eq!(changed[0].property("UID"), first[0].property("UID"));
        assert!(changed[0].sequence() > first[0].sequence());
        assert!(changed[1].calendar.is_none(), "who waits has no entry");

        let mut late = learner(&service, 3).await;
        let token = late.get(&format!("/{event}")).await.expect(200).form_token();
        let path = format!("/{event}/cancel");
        trainer.send(&path, &path, &[]).await.expect(303);
        let cancelled = told(&service).await;
        assert_eq!(cancelled.len(), 2);
        assert_eq!(cancelled[0].property("METHOD"), "CANCEL");
        assert_eq!(cancelled[0].property("UID"), first[0].property("UID"));
        assert!(cancelled[0].sequence() > changed[0].sequence());
        let path = late.path(&format!("/{event}/signup"));
        late.browser.post(&path, &[("form_token", &token)]).await.expect(409);
        // Its reminder is not sent.
        service.advance(TimeDelta::days(10));
        assert!(told(&service).await.is_empty());
    }

    async fn a_reminder_goes_out_a_day_before_to_those_who_have_a_place(database: TestDatabase) {
        let (service, _, event) = with_event(database, "1").await;
        let (mut one, mut two) = (learner(&service, 1).await, learner(&service, 2).await);
        one.act(&event, "signup").await.expect(303);
        two.act(&event, "signup").await.expect(303);
        told(&service).await;
        // A week and seven and a half hours from the beginning, less a day.
        service.advance(TimeDelta::days(6) + TimeDelta::minutes(7 * 60 + 29));
        assert!(told(&service).await.is_empty());
        service.advance(TimeDelta::minutes(1));
        let reminders = told(&service).await;
        assert_eq!(reminders.len(), 1, "{reminders:?}");
        assert_eq!(reminders[0].to, "karim-1@ecole.example");
        service.advance(TimeDelta::hours(1));
        assert!(told(&service).await.is_empty());
    }

    async fn presence_is_attested_once(database: TestDatabase) {
        let (service, mut trainer, event) = with_event(database, "").await;
        let (mut one, mut two) = (learner(&service, 1).await, learner(&service, 2).await);
        one.act(&event, "signup").await.expect(303);
        two.act(&event, "signup").await.expect(303);
        told(&service).await;
        let page = format!("/{event}/presence");
        trainer.send(&format!("/{event}/cancel"), &page, &[("all", "1")]).await.expect(409);
        service.advance(TimeDelta::days(7) + TimeDelta::hours(8));
        service.run_jobs().await;
        service.mailbox.clear();
        let mut trainer = Guest::launch(&service, crate::support::platform::trainer).await;
        let form = trainer.get(&page).await.expect(200).text();
        let field = form.split("presence-").nth(1).and_then(|rest| rest.split('"').next());
        let field = format!("presence-{}", field.expect("a field"));
        trainer.send(&page, &page, &[(&field, "present")]).await.expect(303);
        let attested = told(&service).await;
        assert_eq!((attested.len(), service.count("credentials").await), (1, 1));
        // It cannot be taken back, and is not issued again.
        trainer.send(&page, &page, &[(&field, "absent")]).await.expect(409);
        trainer.send(&page, &page, &[("all", "1")]).await.expect(303);
        trainer.send(&page, &page, &[("all", "1")]).await.expect(303);
        assert_eq!((told(&service).await.len(), service.count("credentials").await), (1, 2));
        let nonsense = [("presence-nonsense", "present")];
        trainer.send(&page, &page, &nonsense).await.expect(400);

        let mut one = learner(&service, 1).await;
        let shown = one.get(&format!("/{event}")).await.expect(200).text();
        let pdf = shown.split("href=\"").find(|rest| rest.contains("/credentials/"));
        let pdf = pdf.and_then(|rest| rest.split('"').next()).expect("an attestation").to_owned();
        let file = one.browser.get(&pdf).await.expect(200);
        assert!(file.body.starts_with(b"%PDF-"));
        let csv = trainer.get(&format!("/{event}/participants.csv")).await.expect(200).text();
        assert!(csv.contains("Karim Numéro 1"), "{csv}");
    }

    async fn a_learner_cannot_do_what_trainers_do(database: TestDatabase) {
        let (service, mut trainer, event) = with_event(database, "").await;
        let mut learner = learner(&service, 1).await;
        let gets = ["edit", "cancel", "presence", "participants.csv"];
        learner.get("/new").await.expect(403);
        for what in gets {
            learner.get(&format!("/{event}/{what}")).await.expect(403);
        }
        let token = learner.get(&format!("/{event}")).await.expect(200).form_token();
        learner.browser.wants_json = true;
        for what in ["edit", "cancel", "presence"] {
            let path = learner.path(&format!("/{event}/{what}"));
            let mut fields = described("");
            fields.push(("form_token", &token));
            let refused = learner.browser.post(&path, &fields).await.expect(403);
            assert_eq!(refused.problem(), "trainers-only");
        }
        // A trainer takes nobody's place.
        let path = trainer.path(&format!("/{event}/signup"));
        let token = trainer.get(&format!("/{event}/cancel")).await.expect(200).form_token();
        trainer.browser.post(&path, &[("form_token", &token)]).await.expect(403);
        assert_eq!(service.count("signups").await, 0);
    }

    async fn an_event_of_another_course_is_not_there(database: TestDatabase) {
        let (service, _, event) = with_event(database, "").await;
        let elsewhere = |claims: &mut Value| {
            claims[lti("context")] = json!({"id": "context-9", "title": "Ailleurs"});
            claims[lti("resource_link")] = json!({"id": "link-9"});
        };
        let mut stranger = Guest::launch(&service, |claims| {
            trainer(claims);
            elsewhere(claims);
        })
        .await;
        for rest in ["", "/edit", "/cancel", "/presence", "/participants.csv"] {
            stranger.get(&format!("/{event}{rest}")).await.expect(404);
        }
        let list = stranger.get("").await.expect(200).text();
        assert!(!list.contains("Découvrir"), "{list}");
        let mut learner = Guest::launch(&service, |claims| {
            person(claims, 1);
            elsewhere(claims);
        })
        .await;
        learner.get(&format!("/{event}")).await.expect(404);
        learner.get("/nonsense").await.expect(404);
    }

    async fn a_form_says_which_field_is_wrong_and_keeps_what_was_typed(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut trainer = Guest::launch(&service, trainer).await;
        let cases = [
            ("title", ""),
            ("title", "\n \t"),
            ("starts", "tomorrow"),
            ("starts", "2026-11-20T10:00"),
            ("starts", "2027-03-28T02:30"),
            ("minutes", "0"),
            ("minutes", "an hour"),
            ("time_zone", "Mars/Olympus"),
            ("capacity", "-1"),
            ("capacity", "99999999999999999999"),
            ("join_url", "javascript:alert(1)"),
            ("join_url", "http://visio.example/"),
        ];
        for (field, value) in cases {
            let mut form = described("10");
            form.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, v)| *v = value);
            let answer = trainer.send("/new", "/new", &form).await.expect(422);
            let text = answer.text();
            assert!(text.contains("aria-invalid=\"true\""), "{field} {value:?}: {text}");
            assert!(text.contains("Une heure."), "{field}: the description is lost");
        }
        assert_eq!(service.count("events").await, 0);
        assert_eq!(service.count("jobs").await, 0);
    }
}
