//! Two identities of one human, joined by a code.

use chrono::TimeDelta;
use passerelle::ids::TenantId;
use passerelle::platforms::{self, NewRegistration};
use passerelle::tenants::{self, NewTenant};
use passerelle::web::Lang;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{CLIENT, DEPLOYMENT, person, trainer};
use crate::support::{Answer, Browser, Platform, Player, Service};

const COURSE: &str = "course/fixture";

/// The tenant that the service begins with.
pub(crate) async fn tenant(service: &Service) -> TenantId {
    service.uuid("SELECT id FROM tenants ORDER BY created_at, id LIMIT 1").await.into()
}

pub(crate) async fn another_tenant(service: &Service) -> TenantId {
    let now = service.clock.now();
    let new = NewTenant {
        slug: "ailleurs".to_owned(),
        name: "Ailleurs".to_owned(),
        sender_address: "formation@ailleurs.example".to_owned(),
        signatory_name: "Nadia Benali".to_owned(),
        signatory_title: "Directrice".to_owned(),
        language: Lang::Fr,
        time_zone: chrono_tz::Europe::Paris,
    };
    let mut tx = service.app.db.write().await.expect("a transaction");
    let id = tenants::insert(&mut tx, new, now).await.expect("the insert").expect("is new");
    tx.commit().await.expect("the commit");
    id
}

/// One more platform, registered by this tenant.
pub(crate) async fn another_platform(service: &Service, tenant: TenantId) -> Platform {
    let platform = Platform::start(service.clock.clone()).await;
    let at = |path: &str| platform.at(path).parse().expect("an address");
    let new = NewRegistration {
        tenant,
        name: "Autre plateforme".to_owned(),
        issuer: platform.issuer.clone(),
        client_id: CLIENT.to_owned(),
        authorization_endpoint: at("/auth"),
        token_endpoint: at("/token"),
        jwks_uri: at("/keys"),
        token_audience: None,
        deployments: vec![DEPLOYMENT.to_owned()],
    };
    let now = service.clock.now();
    let mut tx = service.app.db.write().await.expect("a transaction");
    platforms::insert(&mut tx, new, now).await.expect("the insert").expect("is new");
    tx.commit().await.expect("the commit");
    platform
}

/// Somebody on one platform, with a page open.
struct Side {
    browser: Browser,
    launch: String,
}

impl Side {
    async fn open(
        service: &Service,
        platform: &Platform,
        item: &str,
        change: impl FnOnce(&mut Value),
    ) -> Self {
        // Nobody is as old as the one before.
        service.advance(TimeDelta::seconds(1));
        let mut browser = service.browser();
        let answer = platform.launch(&mut browser, item, change).await.expect(303);
        let mut parts = answer.location().splitn(4, '/');
        let launch = format!("/launches/{}", parts.nth(2).expect("a launch"));
        Self { browser, launch }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.launch)
    }

    async fn get(&mut self, rest: &str) -> Answer {
        let path = self.path(rest);
        self.browser.get(&path).await
    }

    async fn send(&mut self, rest: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/identities").await.expect(200).form_token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        let path = self.path(rest);
        self.browser.post(&path, &all).await
    }

    /// A code to type elsewhere.
    async fn ask(&mut self) -> String {
        let text = self.send("/identities/code", &[]).await.expect(200).text();
        let code = text.split("id=\"join-code\">").nth(1).and_then(|rest| rest.split('<').next());
        code.unwrap_or_else(|| panic!("no code: {text}")).to_owned()
    }

    async fn look(&mut self, code: &str) -> Answer {
        self.send("/identities", &[("code", code)]).await
    }

    async fn join(&mut self, code: &str) -> Answer {
        self.send("/identities/join", &[("code", code)]).await
    }

    /// In the course's player.
    async fn play(&mut self, service: &Service) -> Player {
        let page = self.path("/course");
        Player::admit(&service.app, &mut self.browser, &page).await
    }

    async fn sign_up(&mut self, event: &str) -> Answer {
        let page = self.path(&format!("/events/{event}"));
        let token = self.browser.get(&page).await.expect(200).form_token();
        self.browser.post(&format!("{page}/signup"), &[("form_token", &token)]).await.expect(303)
    }
}

/// The same learner, as the other platform knows them.
fn elsewhere(claims: &mut Value) {
    claims["sub"] = json!("user-900");
    claims["name"] = json!("Zoé L.");
    claims["given_name"] = json!("Zoé");
    claims["family_name"] = json!("L.");
}

async fn with_course(database: crate::support::TestDatabase) -> (Service, Platform) {
    let service = Service::start(database).await;
    service.install_course().await;
    let tenant = tenant(&service).await;
    let other = another_platform(&service, tenant).await;
    (service, other)
}

/// An event made by the trainer of the usual course; its identifier.
async fn event(service: &Service, capacity: &str) -> String {
    let mut side = Side::open(service, &service.platform, "events", trainer).await;
    let token = side.get("/events/new").await.expect(200).form_token();
    let fields = [
        ("form_token", token.as_str()),
        ("title", "Atelier"),
        ("description", "Une heure."),
        ("starts", "2026-11-30T17:30"),
        ("minutes", "60"),
        ("time_zone", "Europe/Paris"),
        ("capacity", capacity),
        ("join_url", ""),
    ];
    let path = side.path("/events/new");
    let created = side.browser.post(&path, &fields).await.expect(303);
    let event = created.location().rsplit('/').next().and_then(|rest| rest.split('?').next());
    event.expect("an identifier").to_owned()
}

fn pdf_path(page: &str) -> Option<String> {
    let rest = page.split("href=\"").find(|rest| rest.contains("/credentials/"))?;
    Some(rest.split('"').next()?.to_owned())
}

on_both_databases! {
    async fn two_identities_become_one_person_and_both_platforms_get_the_grade(
        database: TestDatabase
    ) {
        let (service, other) = with_course(database).await;
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let mut player = here.play(&service).await;
        player.complete(0.9).await;
        service.run_jobs().await;
        let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
        assert_eq!(service.count("people").await, 2);

        let code = here.ask().await;
        assert_eq!(code.len(), 9, "{code}");
        let typed = code.to_lowercase().replace('-', " ");
        let shown = there.look(&typed).await.expect(200).text();
        for word in ["Zoé Lefèvre", "Zoé L.", "Autre plateforme", "Un certificat ou une attestation"] {
            assert!(shown.contains(word), "no {word} in {shown}");
        }
        assert_eq!(service.count("identity_joins").await, 0, "looking joins nothing");
        there.join(&typed).await.expect(303);

        assert_eq!(service.count("identity_joins").await, 1);
        assert_eq!(service.count("people").await, 2, "nobody is removed, and nobody made");
        let joined = "SELECT COUNT(*) FROM people a JOIN people b ON b.id = a.joined_to
             WHERE a.family_name = 'L.' AND b.family_name = 'Lefèvre'";
        assert_eq!(service.number(joined).await, 1);
        let strays = "SELECT COUNT(*) FROM identities i JOIN people p ON p.id = i.person_id
             WHERE p.joined_to IS NOT NULL";
        assert_eq!(service.number(strays).await, 0);

        // The other platform's gradebook gets the grade under its own identifier, the first no
        // second one.
        service.run_jobs().await;
        let scores = other.record().scores.clone();
        assert_eq!(scores.len(), 1);
        assert_eq!(scores[0].body["userId"], "user-900");
        assert_eq!(scores[0].body["scoreGiven"].as_f64(), Some(90.0));
        assert_eq!(service.platform.record().scores.len(), 1);

        // The certificate is the person's wherever they come from, as it was issued.
        let page = there.get("/course").await.expect(200).text();
        let pdf = pdf_path(&page).unwrap_or_else(|| panic!("no certificate: {page}"));
        assert!(there.browser.get(&pdf).await.expect(200).body.starts_with(b"%PDF-"));
        let code = service.texts("SELECT code FROM credentials").await.remove(0);
        let verified = service.browser().get(&format!("/verify/{code}")).await.expect(200).text();
        assert!(verified.contains("Zoé Lefèvre"), "{verified}");

        // Once more changes nothing, and the platforms are listed.
        there.join(&typed).await.expect(303);
        assert_eq!(service.count("identity_joins").await, 1);
        Side::open(&service, &other, COURSE, elsewhere).await;
        assert_eq!(service.count("people").await, 2);
        let known = here.get("/identities?done=joined").await.expect(200).text();
        for word in ["Plateforme d’essai", "Autre plateforme", "ne font plus qu’une"] {
            assert!(known.contains(word), "no {word} in {known}");
        }
    }

    async fn what_is_further_is_kept_and_the_other_player_is_told(database: TestDatabase) {
        let (service, other) = with_course(database).await;
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let unfinished = here.play(&service).await;
        unfinished.open().await;
        let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
        there.play(&service).await.complete(0.8).await;
        service.run_jobs().await;
        let code = there.ask().await;
        here.join(&code).await.expect(303);

        let kept = "SELECT p.family_name FROM enrolments e JOIN people p ON p.id = e.person_id
             JOIN attempts a ON a.enrolment_id = e.id WHERE a.status = 'completed'";
        assert_eq!(service.texts(kept).await, ["Lefèvre"], "the finished one is the survivor's");
        let lost = "SELECT p.family_name FROM enrolments e JOIN people p ON p.id = e.person_id
             WHERE e.label IS NULL AND e.revoked_label IS NOT NULL";
        assert_eq!(service.texts(lost).await, ["L."]);
        let told = unfinished.call("/runtime/open", json!({})).await.expect(409);
        assert_eq!(told.problem(), "player-joined");
        let page = here.get("/course").await.expect(200).text();
        assert!(page.contains("id=\"outcome-title\""), "{page}");

        service.run_jobs().await;
        let scores = service.platform.record().scores.clone();
        assert_eq!(scores.len(), 1, "the first platform gets the grade too");
        assert_eq!(scores[0].body["userId"], "learner-1");
        assert_eq!(scores[0].body["scoreGiven"].as_f64(), Some(80.0));
        // Nobody is left on the way.
        assert_eq!(service.count("people").await, 2);
    }

    async fn certificates_of_both_are_kept(database: TestDatabase) {
        let (service, other) = with_course(database).await;
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        here.play(&service).await.complete(0.8).await;
        let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
        there.play(&service).await.complete(0.95).await;
        service.run_jobs().await;
        let code = here.ask().await;
        there.join(&code).await.expect(303);
        service.run_jobs().await;
        let holders = "SELECT DISTINCT p.family_name FROM credentials c
             JOIN people p ON p.id = c.person_id";
        assert_eq!(service.texts(holders).await, ["Lefèvre"]);
        assert_eq!(service.count("credentials").await, 2);
        for code in service.texts("SELECT code FROM credentials").await {
            service.browser().get(&format!("/verify/{code}")).await.expect(200);
        }
        // The better grade goes where the lesser was, and not once more where it is.
        let given = |platform: &Platform| -> Vec<Option<f64>> {
            platform.record().scores.iter().map(|s| s.body["scoreGiven"].as_f64()).collect()
        };
        assert_eq!(given(&service.platform), [Some(80.0), Some(95.0)]);
        assert_eq!(given(&other), [Some(95.0)]);
    }

    async fn the_better_place_is_kept_and_the_other_goes_to_the_next(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (two_places, one_place) = (event(&service, "2").await, event(&service, "1").await);
        let platform = service.platform.clone();
        let guest = async |number| {
            Side::open(&service, &platform, "events", |claims| person(claims, number)).await
        };
        let (mut one, mut two, mut three) = (guest(1).await, guest(2).await, guest(3).await);
        for side in [&mut one, &mut two, &mut three] {
            side.sign_up(&two_places).await;
            service.advance(TimeDelta::seconds(1));
        }
        two.sign_up(&one_place).await;
        one.sign_up(&one_place).await;
        service.run_jobs().await;
        service.take_mails();
        // Both opened the same link of the same course: its column has a cell for each.
        Side::open(&service, &platform, COURSE, |claims| person(claims, 2)).await;
        let mut course =
            Side::open(&service, &platform, COURSE, |claims| person(claims, 1)).await;
        course.play(&service).await.complete(0.8).await;
        service.run_jobs().await;
        service.take_mails();

        let code = two.ask().await;
        let shown = one.look(&code).await.expect(200).text();
        assert!(shown.contains("2 webinaires sont réservés deux fois"), "{shown}");
        one.join(&code).await.expect(303);
        let places = async |event: &str, state: &str| {
            let sql = format!(
                "SELECT p.family_name FROM signups s JOIN people p ON p.id = s.person_id
                 JOIN events e ON e.id = s.event_id
                 WHERE s.state = '{state}' AND e.capacity = {event} ORDER BY p.family_name"
            );
            service.texts(&sql).await
        };
        assert_eq!(places("2", "confirmed").await, ["Numéro 1", "Numéro 3"]);
        assert_eq!(places("2", "withdrawn").await, ["Numéro 2"]);
        assert_eq!(places("1", "confirmed").await, ["Numéro 1"]);
        assert_eq!(places("1", "withdrawn").await, ["Numéro 2"]);
        service.run_jobs().await;
        let mails = service.take_mails();
        let told: Vec<&str> = mails.iter().map(|mail| mail.recipients[0].as_str()).collect();
        assert_eq!(told, ["karim-3@ecole.example"], "the next in line, and nobody else");
        let scores = service.platform.record().scores.clone();
        let users: Vec<&str> =
            scores.iter().filter_map(|score| score.body["userId"].as_str()).collect();
        assert_eq!(users, ["person-1", "person-2"]);
    }

    async fn a_code_that_proves_nothing_joins_nothing(database: TestDatabase) {
        let (service, other) = with_course(database).await;
        let stranger = another_tenant(&service).await;
        let stranger = another_platform(&service, stranger).await;
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
        let mut away = Side::open(&service, &stranger, COURSE, elsewhere).await;

        for wrong in ["", "ACDE-FGHJ", "not a code", "<script>"] {
            let text = there.look(wrong).await.expect(422).text();
            assert!(text.contains("n’est pas le bon"), "{text}");
        }
        let code = here.ask().await;
        let text = here.look(&code).await.expect(422).text();
        assert!(text.contains("demandé ici même"), "{text}");
        for answer in [away.look(&code).await, away.join(&code).await] {
            let text = answer.expect(403).text();
            assert!(text.contains("autre organisme"), "{text}");
            assert!(!text.contains("Lefèvre"), "{text}");
        }
        // Asked for anew, the first works no longer; nor does any after a quarter of an hour.
        let second = here.ask().await;
        let mut again = Side::open(&service, &other, COURSE, elsewhere).await;
        let text = again.join(&code).await.expect(422).text();
        assert!(text.contains("ne fonctionne plus"), "{text}");
        service.advance(TimeDelta::minutes(15));
        again.join(&second).await.expect(422);
        assert_eq!(service.count("identity_joins").await, 0);
        let hashed = "SELECT code_hash FROM join_codes";
        assert!(service.texts(hashed).await.iter().all(|hash| hash.len() == 64));

        // The form of another page, and another site, join nothing either.
        let third = here.ask().await;
        let forged = [("form_token", "forged"), ("code", third.as_str())];
        let path = again.path("/identities/join");
        again.browser.post(&path, &forged).await.expect(403);
        let token = again.get("/identities").await.expect(200).form_token();
        let sent = [("form_token", token.as_str()), ("code", third.as_str())];
        again.browser.post_from("https://evil.example", &path, &sent).await.expect(403);
        assert_eq!(service.count("identity_joins").await, 0);
    }

    async fn guesses_are_limited(database: TestDatabase) {
        let (service, other) = with_course(database).await;
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let code = here.ask().await;
        for round in 0..4 {
            let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
            for _ in 0..5 {
                there.look("ACDE-FGHJ").await.expect(422);
            }
            let refused = there.look(&code).await.expect(429).text();
            assert!(!refused.contains("name=\"code\""), "round {round}: {refused}");
            there.join(&code).await.expect(429);
        }
        // Twenty in an hour: another launch does not help.
        let mut there = Side::open(&service, &other, COURSE, elsewhere).await;
        there.look(&code).await.expect(429);
        service.advance(TimeDelta::hours(1));
        let mut here = Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let code = here.ask().await;
        there.join(&code).await.expect(303);
        assert_eq!(service.count("identity_joins").await, 1);
    }

    async fn an_address_of_both_joins_nothing(database: TestDatabase) {
        let (service, other) = with_course(database).await;
        Side::open(&service, &service.platform, COURSE, |_| ()).await;
        let mut there = Side::open(&service, &other, COURSE, |claims| {
            claims["sub"] = json!("user-901");
        })
        .await;
        assert_eq!(service.count("people").await, 2);
        let page = there.get("/identities").await.expect(200).text();
        assert!(!page.contains("Plateforme d’essai"), "{page}");
    }
}
