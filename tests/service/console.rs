//! The console's door: who signs in, how, for how long, and what they see first.

use std::net::SocketAddr;
use std::process::Output;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use mail_parser::MessageParser;
use passerelle::clock::Clock;
use passerelle::console::{self, Admin, NewStaff};
use passerelle::ids::{ScoreId, TenantId};
use passerelle::router;
use passerelle::tenants::{self, NewTenant};
use passerelle::web::{Lang, problem};
use tokio::process::Command;

use crate::on_both_databases;
use crate::support::browser::{form, send};
use crate::support::service::beginning;
use crate::support::{Answer, Browser, Service, TestDatabase};

pub(crate) const ADA: &str = "ada@example.org";

/// Makes somebody staff: the path of their invitation.
pub(crate) async fn invite(
    service: &Service,
    email: &str,
    coordinates: Option<TenantId>,
) -> String {
    let new = NewStaff {
        name: "Ada Martin".to_owned(),
        email: email.parse().expect("an address"),
        coordinates,
        locale: Lang::Fr,
    };
    let mut tx = service.app.db.write().await.expect("a transaction");
    let invited = console::invite(&mut tx, new, service.clock.now()).await.expect("invited");
    tx.commit().await.expect("the commit");
    invited.path
}

/// Opens a link and presses its button.
pub(crate) async fn follow(browser: &mut Browser, path: &str) -> Answer {
    let token = browser.get(path).await.expect(200).form_token();
    browser.post(path, &[("form_token", &token)]).await
}

pub(crate) async fn signed_in(
    service: &Service,
    email: &str,
    coordinates: Option<TenantId>,
) -> Browser {
    let path = invite(service, email, coordinates).await;
    let mut browser = service.browser();
    let answer = follow(&mut browser, &path).await.expect(303);
    assert_eq!(answer.location(), "/console");
    browser
}

/// Asks for a link: the answer.
async fn ask(browser: &mut Browser, email: &str, next: &str) -> Answer {
    let token = browser.get("/console/sign-in").await.expect(200).form_token();
    let fields = [("form_token", token.as_str()), ("email", email), ("next", next)];
    browser.post("/console/sign-in", &fields).await
}

/// The link in the one mail that came, as a path.
async fn mailed_link(service: &Service) -> String {
    service.run_jobs().await;
    let mails = service.take_mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients.len(), 1);
    assert!(mails[0].recipients[0].eq_ignore_ascii_case(ADA), "{:?}", mails[0].recipients);
    let mail = MessageParser::default().parse(&mails[0].raw).expect("a mail");
    let text = mail.body_text(0).expect("text").into_owned();
    let link = text.split_whitespace().find(|word| word.contains("/console/link/"));
    let link = link.unwrap_or_else(|| panic!("no link: {text}"));
    link.strip_prefix(&service.app.config.origin()).expect("ours").to_owned()
}

/// The token of the frame's own forms.
fn frame_token(answer: &Answer) -> String {
    let text = answer.text();
    let rest = text.split("name=\"frame_token\" value=\"").nth(1).expect("a frame");
    rest.split('"').next().expect("a token").to_owned()
}

async fn second_tenant(service: &Service) -> TenantId {
    let mut tx = service.app.db.write().await.expect("a transaction");
    let tenant = NewTenant {
        slug: "autre".to_owned(),
        name: "Autre réseau".to_owned(),
        sender_address: "formation@autre.example".to_owned(),
        signatory_name: "Grace Hopper".to_owned(),
        signatory_title: "Responsable".to_owned(),
        language: Lang::Fr,
        time_zone: chrono_tz::Europe::Paris,
    };
    let id = tenants::insert(&mut tx, tenant, service.clock.now()).await.expect("the insert");
    tx.commit().await.expect("the commit");
    id.expect("is new")
}

on_both_databases! {
    async fn a_link_by_mail_signs_in_once(database: TestDatabase) {
        let service = Service::start(database).await;
        invite(&service, "Ada@Example.org", None).await;
        let mut browser = service.browser();
        // The page that was asked for is where the link leads in the end.
        let away = browser.get("/console?seen=1").await.expect(303);
        assert_eq!(away.location(), "/console/sign-in?next=%2Fconsole%3Fseen%3D1");
        let asked = ask(&mut browser, " ADA@example.ORG ", "/console?seen=1").await.expect(200);
        assert!(asked.text().contains("vient d’y être envoyé"), "{}", asked.text());
        let link = mailed_link(&service).await;
        // Nothing of it is in the database but its hash.
        let secret = link.rsplit('/').next().expect("a token");
        let stored = service.texts("SELECT token_hash FROM staff_links").await;
        assert!(stored.iter().all(|hash| hash != secret), "{stored:?}");

        // A scanner opens it, twice; then the person presses the button.
        let mut scanner = service.browser();
        scanner.get(&link).await.expect(200);
        let form = scanner.get(&link).await.expect(200).form_token();
        scanner.get("/console").await.expect(303);
        let answer = follow(&mut browser, &link).await.expect(303);
        assert_eq!(answer.location(), "/console?seen=1");
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.starts_with("__Host-passerelle-console="), "{cookie}");
        assert!(cookie.contains("; HttpOnly; Secure; SameSite=Lax"), "{cookie}");
        let home = browser.get("/console").await.expect(200);
        assert!(home.text().contains("Bonjour Ada Martin"), "{}", home.text());
        assert!(home.text().contains("Tout va bien"), "{}", home.text());
        let policy = home.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert_eq!(home.header("cache-control"), Some("no-store"));
        assert_eq!(browser.get("/console/sign-in").await.expect(303).location(), "/console");

        let mut thief = service.browser();
        let gone = thief.get(&link).await.expect(200);
        assert!(gone.text().contains("ne fonctionne plus"), "{}", gone.text());
        let gone = thief.post(&link, &[("form_token", &form)]).await.expect(200);
        assert!(gone.header("set-cookie").is_none());
        thief.get("/console").await.expect(303);
        assert_eq!(service.count("staff_sessions").await, 1);
    }

    async fn a_link_works_for_a_quarter_of_an_hour(database: TestDatabase) {
        let service = Service::start(database).await;
        invite(&service, ADA, None).await;
        let mut browser = service.browser();
        ask(&mut browser, ADA, "").await.expect(200);
        let link = mailed_link(&service).await;
        let token = browser.get(&link).await.expect(200).form_token();
        service.advance(TimeDelta::minutes(15));
        let late = browser.post(&link, &[("form_token", &token)]).await.expect(200);
        assert!(late.text().contains("trop ancien"), "{}", late.text());
        assert_eq!(service.count("staff_sessions").await, 0);
        // An invitation is handed over by hand, and works for a day.
        let invitation = invite(&service, ADA, None).await;
        service.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
        assert!(browser.get(&invitation).await.expect(200).text().contains("Bonjour Ada"));
        service.advance(TimeDelta::seconds(1));
        assert!(browser.get(&invitation).await.expect(200).text().contains("trop ancien"));
    }

    async fn an_unknown_address_is_answered_like_a_known_one(database: TestDatabase) {
        let service = Service::start(database).await;
        invite(&service, ADA, None).await;
        let mut browser = service.browser();
        let known = ask(&mut browser, ADA, "").await.expect(200);
        let unknown = ask(&mut browser, "nobody@example.org", "").await.expect(200);
        assert_eq!(known.text(), unknown.text());
        assert_eq!(known.headers, unknown.headers);
        mailed_link(&service).await;
        let mut tx = service.app.db.write().await.expect("a transaction");
        let ada = ADA.parse().expect("an address");
        let removed = console::remove(&mut tx, &ada, service.clock.now()).await;
        assert!(removed.expect("the removal"));
        tx.commit().await.expect("the commit");
        service.advance(TimeDelta::minutes(2));
        let former = ask(&mut browser, ADA, "").await.expect(200);
        assert_eq!(former.text(), unknown.text());
        service.run_jobs().await;
        assert_eq!(service.take_mails().len(), 0);
        let wrong = ask(&mut browser, "ada@", "").await.expect(422);
        assert!(wrong.text().contains("value=\"ada@\""), "{}", wrong.text());
    }

    async fn nobody_is_flooded_with_links(database: TestDatabase) {
        let service = Service::start(database).await;
        invite(&service, ADA, None).await;
        let mut browser = service.browser();
        let mut mails = 0;
        for minute in 0..60 {
            if minute > 0 {
                service.advance(TimeDelta::minutes(1));
            }
            if minute < 7 {
                // The second of a minute sends nothing.
                for _ in 0..2 {
                    ask(&mut browser, ADA, "").await.expect(200);
                }
                service.run_jobs().await;
                let sent = service.take_mails().len();
                assert_eq!(sent, usize::from(minute < 5), "minute {minute}");
                mails += sent;
            }
        }
        assert_eq!(mails, 5);
        service.advance(TimeDelta::minutes(1));
        ask(&mut browser, ADA, "").await.expect(200);
        mailed_link(&service).await;
    }

    async fn a_session_ends_with_its_twelve_hours_its_sign_out_and_its_staff(
        database: TestDatabase
    ) {
        let service = Service::start(database).await;
        let mut browser = signed_in(&service, ADA, None).await;
        service.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
        browser.get("/console").await.expect(200);
        service.advance(TimeDelta::seconds(1));
        browser.get("/console").await.expect(303);

        let mut browser = signed_in(&service, ADA, None).await;
        let token = frame_token(&browser.get("/console").await.expect(200));
        let mut copy = browser.clone();
        browser.post("/console/sign-out", &[("frame_token", "forged")]).await.expect(403);
        let out = browser.post("/console/sign-out", &[("frame_token", &token)]).await.expect(303);
        assert_eq!(out.location(), "/console/sign-in");
        assert!(out.header("set-cookie").is_some_and(|cookie| cookie.ends_with("Max-Age=0")));
        browser.get("/console").await.expect(303);
        // The cookie is worth nothing to whoever copied it, either.
        copy.get("/console").await.expect(303);
        copy.wants_json = true;
        let refused = copy.post("/console/sign-out", &[("frame_token", &token)]).await.expect(403);
        assert_eq!(refused.problem(), "console-signed-out");

        let mut browser = signed_in(&service, ADA, None).await;
        browser.get("/console").await.expect(200);
        let mut tx = service.app.db.write().await.expect("a transaction");
        let ada = ADA.parse().expect("an address");
        console::remove(&mut tx, &ada, service.clock.now()).await.expect("the removal");
        tx.commit().await.expect("the commit");
        browser.get("/console").await.expect(303);
        assert_eq!(service.count("staff_sessions").await, 0);
        // Whoever was removed can be invited anew, as something else.
        let tenant = TenantId::from(service.uuid("SELECT id FROM tenants").await);
        signed_in(&service, ADA, Some(tenant)).await.get("/console").await.expect(200);
    }

    async fn another_site_changes_nothing_in_the_console(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = signed_in(&service, ADA, None).await;
        let token = frame_token(&browser.get("/console").await.expect(200));
        browser.wants_json = true;
        let evil = "https://evil.example";
        for (path, fields) in [
            ("/console/sign-out", vec![("frame_token", token.as_str())]),
            ("/console/language", vec![("frame_token", token.as_str()), ("language", "en")]),
            ("/console/sign-in", vec![("email", ADA)]),
        ] {
            let refused = browser.post_from(evil, path, &fields).await.expect(403);
            assert_eq!(refused.problem(), "cross-site", "{path}");
        }
        browser.get("/console").await.expect(200);
        assert_eq!(service.texts("SELECT locale FROM staff").await, ["fr"]);
    }

    async fn the_language_is_the_persons_own(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = signed_in(&service, ADA, None).await;
        let home = browser.get("/console").await.expect(200);
        assert!(home.text().contains("<html lang=\"fr\">"));
        let token = frame_token(&home);
        let fields = |language, back| {
            [("frame_token", token.as_str()), ("language", language), ("back", back)]
        };
        let answer = browser.post("/console/language", &fields("en", "/console?a=1")).await;
        assert_eq!(answer.expect(303).location(), "/console?a=1");
        let answer = browser.post("/console/language", &fields("en", "//evil.example")).await;
        assert_eq!(answer.expect(303).location(), "/console");
        browser.post("/console/language", &fields("xx", "/console")).await.expect(400);
        let home = browser.get("/console").await.expect(200);
        assert!(home.text().contains("<html lang=\"en\">"));
        assert!(home.text().contains("Hello Ada Martin"), "{}", home.text());
    }

    async fn a_coordinator_is_refused_what_is_an_administrators(database: TestDatabase) {
        let service = Service::start(database).await;
        let tenant = TenantId::from(service.uuid("SELECT id FROM tenants").await);
        let mut coordinator = signed_in(&service, ADA, Some(tenant)).await;
        let home = coordinator.get("/console").await.expect(200).text();
        assert!(home.contains("Réseau Écoles d’Europe"), "{home}");
        assert!(!home.contains("/console/platforms"), "{home}");
        let administrator = signed_in(&service, "grace@example.org", None).await;
        let page = async |browser: &Browser| {
            let app = service.app.clone();
            let routes = Router::new()
                .route("/console/anything", get(async |_: Admin| "an administrator's"))
                .layer(from_fn_with_state(app.clone(), problem::render))
                .with_state(app);
            let cookie: Vec<String> =
                browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = Request::get("/console/anything")
                .header(header::COOKIE, cookie.join("; "))
                .body(Body::empty());
            send(routes, request.expect("a request")).await
        };
        assert_eq!(page(&administrator).await.expect(200).text(), "an administrator's");
        let refused = page(&coordinator).await.expect(403).text();
        assert!(refused.contains("Page réservée à l’administration"), "{refused}");
        let away = page(&service.browser()).await.expect(303);
        assert_eq!(away.location(), "/console/sign-in?next=%2Fconsole%2Fanything");
    }

    async fn the_home_says_what_needs_somebody_and_to_whom(database: TestDatabase) {
        let service = Service::start(database).await;
        let own = TenantId::from(service.uuid("SELECT id FROM tenants").await);
        let other = second_tenant(&service).await;
        let mut administrator = signed_in(&service, ADA, None).await;
        let mut coordinator = signed_in(&service, "grace@example.org", Some(own)).await;
        let mut stranger = signed_in(&service, "alan@example.org", Some(other)).await;

        // A launch of a deployment that nobody approved, a signature that does not hold, a mail
        // that was refused, a job that failed.
        service.execute("UPDATE deployments SET state = 'pending'").await;
        let mut learner = service.browser();
        service.platform.launch(&mut learner, "events", |_| ()).await.expect(403);
        let person = service.uuid("SELECT id FROM people LIMIT 1").await;
        let now = service.clock.now();
        let draft = passerelle::mail::Draft {
            tenant: own,
            sender: passerelle::mail::Mailbox {
                name: "Réseau".to_owned(),
                address: "formation@reseau.example".to_owned(),
            },
            kind: "trial",
            subject_id: person,
            revision: 1,
            person: person.into(),
            recipient: "zoe@ecole.example".to_owned(),
            body: passerelle::mail::Body {
                subject: "Essai".to_owned(),
                text: "Bonjour".to_owned(),
                html: "<p>Bonjour</p>".to_owned(),
            },
            attachments: Vec::new(),
            repeat_unknown: false,
        };
        let mut tx = service.app.db.write().await.expect("a transaction");
        passerelle::mail::enqueue(&mut tx, draft, now).await.expect("enqueued");
        tx.commit().await.expect("the commit");
        service.mailbox.misbehave(|faults| faults.refuse_recipients = 1);
        service.run_jobs().await;
        service
            .execute("UPDATE jobs SET kind = 'render-credential' WHERE state = 'failed'")
            .await;

        let seen = administrator.get("/console").await.expect(200).text();
        for words in [
            "attend d’être approuvé",
            "deployment-1",
            "/console/platforms/",
            "Un courriel n’a pas pu être remis (trial)",
            "Une tâche a échoué définitivement (render-credential)",
            "<code>deployment-pending</code>",
            "Plateforme d’essai",
        ] {
            assert!(seen.contains(words), "{words}: {seen}");
        }
        assert!(!seen.contains("Tout va bien"), "{seen}");
        let seen = coordinator.get("/console").await.expect(200).text();
        for words in ["deployment-1", "Demandez à l’administration", "(trial)", "deployment-pending"] {
            assert!(seen.contains(words), "{words}: {seen}");
        }
        assert!(!seen.contains("/console/platforms"), "{seen}");
        assert!(!seen.contains("render-credential"), "{seen}");
        let seen = stranger.get("/console").await.expect(200).text();
        assert!(seen.contains("Tout va bien"), "{seen}");
        assert!(!seen.contains("deployment-1") && !seen.contains("trial"), "{seen}");

        // A day later the refusals are history; what waits still waits.
        service.advance(TimeDelta::hours(11));
        let seen = administrator.get("/console").await.expect(200).text();
        assert!(seen.contains("deployment-pending"), "{seen}");
        service.advance(TimeDelta::hours(13));
        let mut administrator = signed_in(&service, ADA, None).await;
        let seen = administrator.get("/console").await.expect(200).text();
        assert!(!seen.contains("deployment-pending") && seen.contains("deployment-1"), "{seen}");
    }

    async fn a_score_that_is_stuck_is_told_until_a_later_one_arrives(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut learner = service.browser();
        let answer = service.platform.launch(&mut learner, "course/fixture", |_| ()).await;
        learner.get(answer.expect(303).location()).await.expect(200);
        let target = service.uuid("SELECT id FROM grade_targets").await;
        let score = async |state: &str, at: DateTime<Utc>| {
            let now = service.clock.now();
            let mut tx = service.app.db.write().await.expect("a transaction");
            tx.query(
                "INSERT INTO scores (id, grade_target_id, given, maximum, at, state, created_at,
                     updated_at)
                 VALUES ($1, $2, 1.0, 100.0, $3, $4, $5, $5)",
            )
            .bind(ScoreId::new(now))
            .bind(target)
            .bind(at)
            .bind(state.to_owned())
            .bind(now)
            .execute()
            .await
            .expect("the insert");
            tx.commit().await.expect("the commit");
        };
        score("refused", beginning()).await;
        let mut browser = signed_in(&service, ADA, None).await;
        let seen = browser.get("/console").await.expect(200).text();
        assert!(seen.contains("Une note a été refusée par"), "{seen}");
        score("pending", beginning() + TimeDelta::seconds(1)).await;
        let seen = browser.get("/console").await.expect(200).text();
        assert!(!seen.contains("Une note"), "{seen}");
        service.advance(TimeDelta::hours(25));
        let mut browser = signed_in(&service, ADA, None).await;
        let seen = browser.get("/console").await.expect(200).text();
        assert!(seen.contains("Une note attend depuis plus d’un jour"), "{seen}");
        service.execute("UPDATE scores SET state = 'delivered' WHERE state = 'pending'").await;
        let seen = browser.get("/console").await.expect(200).text();
        assert!(!seen.contains("Une note"), "{seen}");
    }

    async fn the_commands_invite_list_and_remove(database: TestDatabase) {
        let url = database.url.clone();
        let service = Service::start(database).await;
        // The command reads the machine's clock.
        service.advance(Clock::System.now() - beginning());
        let run = async |arguments: &[&str]| {
            let output: Output = Command::new(env!("CARGO_BIN_EXE_passerelle"))
                .arg("admin")
                .args(arguments)
                .env("PASSERELLE_DATABASE_URL", &url)
                .env("PASSERELLE_BLOBS", service.folder.path().join("blobs"))
                .env_remove("PASSERELLE_CONFIG")
                .output()
                .await
                .expect("the program runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), text, errors)
        };
        let (done, _, errors) =
            run(&["invite", "--name", "Ada", "--coordinator", "nowhere", ADA]).await;
        assert!(!done && errors.contains("no tenant \"nowhere\""), "{errors}");
        let (done, text, errors) = run(&["invite", "--name", "Ada Martin", ADA]).await;
        assert!(done, "{errors}");
        let link = text.split_whitespace().find(|word| word.contains("/console/link/"));
        let link = link.unwrap_or_else(|| panic!("no link: {text}"));
        let mut browser = service.browser();
        let path = link.strip_prefix(&service.app.config.origin()).expect("ours");
        follow(&mut browser, path).await.expect(303);
        browser.get("/console").await.expect(200);
        // The same again is another link; another role is a mistake.
        let (done, text, _) = run(&["invite", "--name", "Ada Martin", ADA]).await;
        assert!(done && text.contains("had access already"), "{text}");
        let (done, _, errors) =
            run(&["invite", "--name", "Ada", "--coordinator", "reseau", ADA]).await;
        assert!(!done && errors.contains("another role"), "{errors}");
        let arguments =
            ["invite", "--name", "Grace", "--coordinator", "reseau", "grace@example.org"];
        let (done, _, errors) = run(&arguments).await;
        assert!(done, "{errors}");
        let (_, text, _) = run(&["list"]).await;
        assert!(text.contains("ada@example.org  Ada Martin  admin  signed in 2"), "{text}");
        assert!(text.contains("Grace  coordinator of reseau  never signed in"), "{text}");
        let (done, _, errors) = run(&["remove", "nobody@example.org"]).await;
        assert!(!done && errors.contains("has no access"), "{errors}");
        let (done, _, errors) = run(&["remove", "ADA@example.org"]).await;
        assert!(done, "{errors}");
        browser.get("/console").await.expect(303);
        let (_, text, _) = run(&["list"]).await;
        assert!(!text.contains(ADA), "{text}");
    }

    async fn what_is_over_is_removed(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = signed_in(&service, ADA, None).await;
        let clean = async || passerelle::cleaning::clean(&service.app).await.expect("cleaned");
        clean().await;
        browser.get("/console").await.expect(200);
        service.advance(TimeDelta::hours(49));
        clean().await;
        assert_eq!(service.count("staff_sessions").await, 0);
        assert_eq!(service.count("staff_links").await, 0);
        assert_eq!(service.count("staff").await, 1);
    }
}

#[tokio::test]
async fn one_network_address_asks_thirty_times_a_minute() {
    let service = Service::start(TestDatabase::sqlite()).await;
    let token = service.browser().get("/console/sign-in").await.expect(200).form_token();
    let ask = async |address: &str| {
        let own = service.app.config.origin();
        let mut request = Request::post("/console/sign-in")
            .header(header::ORIGIN, own)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form(&[("form_token", &token), ("email", "nobody@")])))
            .expect("a request");
        let peer: SocketAddr = format!("{address}:4711").parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        send(router::pages(service.app.clone()), request).await.status.as_u16()
    };
    for _ in 0..30 {
        assert_eq!(ask("192.0.2.77").await, 422);
    }
    assert_eq!(ask("192.0.2.77").await, 429);
    assert_eq!(ask("192.0.2.78").await, 422);
    service.advance(TimeDelta::minutes(1));
    assert_eq!(ask("192.0.2.77").await, 422);
}
