//! The platform's services: who is in the course, columns, scores, results, groups, and what
//! trainers see of them.

use chrono::TimeDelta;
use passerelle::demo::campus::{Endpoint, Failure};
use serde_json::json;

use crate::on_both_databases;
use crate::support::campus::{AURELIEN, NOELLE, TRAINER, World, ZOE};
use crate::support::platform::{lti, trainer};
use crate::support::player::leaves;
use crate::support::{Browser, Player};

const MOODLE: &str = "moodle";

/// A learner in the course: their browser, the page's path, the player.
async fn learner(world: &World, person: u64) -> (Browser, String, Player) {
    let (mut browser, answer) = world.launch(person, "Cours").await;
    let page = answer.expect(303).location().to_owned();
    let player = Player::admit(&world.service.app, &mut browser, &page).await;
    (browser, page, player)
}

/// A learner who has finished the course.
async fn finished(world: &World, person: u64, score: f64) {
    let (_, _, mut player) = learner(world, person).await;
    player.complete(score).await;
}

/// The trainer's browser, and the path of their launch.
async fn trains(world: &World) -> (Browser, String) {
    let (browser, answer) = world.launch(TRAINER, "Cours").await;
    let page = answer.expect(303).location().to_owned();
    (browser, page.trim_end_matches("/course").to_owned())
}

async fn learners_page(browser: &mut Browser, launch: &str, query: &str) -> String {
    browser.get(&format!("{launch}/learners{query}")).await.expect(200).text()
}

fn fails(status: u16, times: u32) -> Failure {
    Failure { status, times, retry_after: None, after_the_work: false }
}

fn claim_family(world: &World, family: &str) {
    let platform = json!({"product_family_code": family, "guid": "g", "name": "Campus"});
    world.campus.misbehave(|faults| {
        faults.id_token.set_claims.insert(lti("tool_platform"), platform);
    });
}

/// The scores that Campus took or refused: whose, how far, graded how, and the answer.
fn scores(world: &World) -> Vec<(String, String, String, u16)> {
    world.campus.inspect(|state| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let told = state.scores.iter().map(|score| {
            let (activity, grading) =
                (&score.body["activityProgress"], &score.body["gradingProgress"]);
            (score.user_id.clone(), text(activity), text(grading), score.status)
        });
        told.collect()
    })
}

on_both_databases! {
    async fn the_roster_is_read_page_by_page_however_the_links_are_quoted(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        world.service.run_jobs().await;
        let (mut browser, launch) = trains(&world).await;
        let whole = learners_page(&mut browser, &launch, "").await;
        let calls = world.calls("/memberships");
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert!(!calls[0].1.contains("limit"), "{calls:?}");

        world.campus.misbehave(|faults| {
            faults.page_size = Some(1);
            faults.curly_links = true;
            faults.escaped_names = true;
        });
        let paged = learners_page(&mut browser, &launch, "").await;
        assert_eq!(world.calls("/memberships").len(), 1 + 4);
        for page in [&whole, &paged] {
            for name in ["Ångström", "Zoé Lefèvre", "Aurélien Müller-Garçon", "Noëlle D"] {
                assert!(page.contains(name), "{name}: {page}");
            }
            assert!(page.contains("Transmise"), "{page}");
        }
        // Decoded once, and escaped by us again.
        assert!(paged.contains("D&#x27;Hervé"), "{paged}");
        assert!(!paged.contains("&amp;#"), "{paged}");
        // Campus's next page must stay on Campus, and nobody is asked for a limit.
        let first = &world.calls("/memberships")[1].1;
        assert!(!first.contains("limit"), "{first}");
    }

    async fn a_refused_token_is_replaced_once(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        let (mut browser, launch) = trains(&world).await;
        learners_page(&mut browser, &launch, "").await;
        world.campus.misbehave(|faults| faults.refuse_bearer = 1);
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("Noëlle"), "{page}");
        let statuses: Vec<u16> = world.calls("/memberships").iter().map(|call| call.2).collect();
        assert_eq!(statuses, [200, 401, 200]);
        assert_eq!(world.calls("/lti/token").len(), 2);
        // Refused twice, it is said, and not tried for ever.
        world.campus.misbehave(|faults| faults.refuse_bearer = 2);
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("n’a pas accepté notre identification"), "{page}");
        assert_eq!(world.calls("/memberships").len(), 5);
    }

    async fn without_a_roster_the_page_says_so_and_shows_who_was_here(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        let services = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice";
        world.campus.misbehave(|faults| {
            faults.id_token.drop_claims.push(services.to_owned());
        });
        finished(&world, ZOE, 0.9).await;
        let (mut browser, launch) = trains(&world).await;
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("ne donne pas la liste"), "{page}");
        assert!(page.contains("Zoé Lefèvre") && !page.contains("Noëlle"), "{page}");
        world.campus.misbehave(|faults| {
            faults.id_token.drop_claims.clear();
            faults.failures.insert(Endpoint::Memberships, fails(403, 1));
        });
        let (mut browser, launch) = trains(&world).await;
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("refuse de nous donner"), "{page}");
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("Noëlle"), "{page}");
    }

    async fn two_launches_at_once_make_one_column_and_scores_wait_for_it(database: TestDatabase) {
        let world = World::start(database, None).await;
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::LineItems, fails(503, 1));
        });
        tokio::join!(finished(&world, ZOE, 0.9), finished(&world, AURELIEN, 0.8));
        let jobs = "SELECT COUNT(*) FROM jobs WHERE kind = 'find-column'";
        assert_eq!(world.service.number(jobs).await, 1);
        for _ in 0..4 {
            world.service.run_jobs().await;
            world.service.advance(TimeDelta::minutes(1));
        }
        let activity = world.activity("Cours");
        let columns: Vec<_> = world.campus.inspect(|state| {
            state.line_items.values().filter(|c| c.activity == Some(activity)).cloned().collect()
        });
        assert_eq!(columns.len(), 1, "{columns:?}");
        assert_eq!(columns[0].label, "Traverser une passerelle : l'essentiel");
        assert_eq!(columns[0].resource_id, "course/fixture");
        assert_eq!(columns[0].tag, "passerelle");
        assert!((columns[0].score_maximum - 100.0).abs() < f64::EPSILON);
        let grades = world.campus.inspect(|state| state.grades.len());
        assert_eq!(grades, 2);
        let states = "SELECT DISTINCT state FROM scores WHERE grading = 'FullyGraded'";
        assert_eq!(world.service.texts(states).await, ["delivered"]);

        // From now on the platform tells of the column; nobody looks for another.
        finished(&world, NOELLE, 1.0).await;
        world.service.run_jobs().await;
        assert_eq!(world.service.number(jobs).await, 1);
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 3);
        assert_eq!(world.campus.inspect(|state| state.line_items.len()), 1);
    }

    async fn a_column_that_was_made_before_is_found_again(database: TestDatabase) {
        let world = World::start(database, None).await;
        finished(&world, ZOE, 0.9).await;
        world.service.run_jobs().await;
        assert_eq!(world.calls("/lineitems?").iter().filter(|c| c.0 == "POST").count(), 1);
        // As if the process had died before it wrote the address down.
        world.service.execute(
            "UPDATE link_services SET column_state = 'none', column_url = NULL, line_item = NULL",
        ).await;
        let claim = crate::support::platform::ags();
        let issuer = &world.campus.issuer;
        let scope = |name: &str| format!("https://purl.imsglobal.org/spec/lti-ags/scope/{name}");
        let offer = json!({
            "scope": [scope("lineitem"), scope("score"), scope("result.readonly")],
            "lineitems": format!("{issuer}/lti/services/2/lineitems?type_id=1"),
        });
        world.campus.misbehave(|faults| {
            faults.id_token.set_claims.insert(claim, offer);
        });
        finished(&world, AURELIEN, 0.8).await;
        world.service.run_jobs().await;
        assert_eq!(world.campus.inspect(|state| state.line_items.len()), 1);
        assert_eq!(world.calls("/lineitems?").iter().filter(|c| c.0 == "POST").count(), 1);
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 2);
    }

    async fn a_platform_that_refuses_a_column_breaks_nothing(database: TestDatabase) {
        let world = World::start(database, None).await;
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::LineItems, fails(403, 1000));
        });
        finished(&world, ZOE, 0.9).await;
        for _ in 0..5 {
            world.service.run_jobs().await;
            world.service.advance(TimeDelta::minutes(1));
        }
        assert_eq!(world.service.count("credentials").await, 1);
        let (mut browser, launch) = trains(&world).await;
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("ne nous laisse pas créer de colonne"), "{page}");
        assert!(page.contains("n’a pas de colonne dans le carnet"), "{page}");

        world.campus.misbehave(|faults| faults.failures.clear());
        let token = browser.get(&format!("{launch}/learners")).await.expect(200).form_token();
        let again = format!("{launch}/learners/send");
        browser.post(&again, &[("form_token", "forged")]).await.expect(403);
        let sent = browser.post(&again, &[("form_token", &token)]).await.expect(303);
        assert!(sent.location().ends_with("?sent=1"), "{}", sent.location());
        for _ in 0..5 {
            world.service.run_jobs().await;
            world.service.advance(TimeDelta::minutes(1));
        }
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 1);
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("Transmise") && !page.contains("créer de colonne"), "{page}");
    }

    async fn progress_is_told_until_something_is_graded(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        let (_, _, mut player) = learner(&world, ZOE).await;
        world.service.run_jobs().await;
        let opened = player.open().await;
        let steps = leaves(&opened["view"]);
        for step in &steps {
            world.service.advance(TimeDelta::seconds(30));
            player.choose(step).await;
            player.finish(step, 0.9).await;
            world.service.run_jobs().await;
        }
        let graded = world.campus.inspect(|state| state.grades.values().next().cloned());
        assert_eq!(graded.and_then(|grade| grade.score), Some(90.0));
        // Opening it again tells nothing that would erase the grade.
        let (_, _, again) = learner(&world, ZOE).await;
        again.open().await;
        world.service.run_jobs().await;
        let told: Vec<(String, String, u16)> = scores(&world)
            .into_iter()
            .map(|(_, activity, grading, status)| (activity, grading, status))
            .collect();
        let line = |activity: &str, grading: &str| (activity.to_owned(), grading.to_owned(), 200);
        assert_eq!(told, [
            line("Started", "NotReady"),
            line("InProgress", "Pending"),
            line("Completed", "FullyGraded"),
        ]);
    }

    async fn a_moodle_is_told_of_grades_alone(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        claim_family(&world, MOODLE);
        let (_, _, mut player) = learner(&world, ZOE).await;
        world.service.run_jobs().await;
        player.complete(0.8).await;
        world.service.run_jobs().await;
        let told = scores(&world);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].2, "FullyGraded");
    }

    async fn a_refused_score_is_explained_and_sent_again(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::Scores, fails(400, 1));
        });
        world.service.run_jobs().await;
        let (mut browser, launch) = trains(&world).await;
        let page = browser.get(&format!("{launch}/learners")).await.expect(200);
        let text = page.text();
        assert!(text.contains("Refusée") && text.contains("pas de rôle noté"), "{text}");
        let enrolment = world.service.uuid("SELECT id FROM enrolments WHERE NOT preview").await;
        let send = format!("{launch}/learners/{enrolment}/send");
        assert!(text.contains(&send), "{text}");
        browser.post(&send, &[("form_token", "forged")]).await.expect(403);
        assert_eq!(world.service.run_jobs().await, 0);
        let token = page.form_token();
        browser.post(&send, &[("form_token", &token)]).await.expect(303);
        world.service.run_jobs().await;
        let text = learners_page(&mut browser, &launch, "").await;
        assert!(text.contains("Transmise") && !text.contains("Refusée"), "{text}");
        // No unknown person's score, and no learner who sends their own.
        let unknown = format!("{launch}/learners/{}/send", uuid::Uuid::nil());
        browser.post(&unknown, &[("form_token", &token)]).await.expect(404);
        let (mut own, answer) = world.launch(ZOE, "Cours").await;
        let own_launch = answer.location().trim_end_matches("/course").to_owned();
        own.get(&format!("{own_launch}/learners")).await.expect(403);
        own.get(&format!("{own_launch}/learners.csv")).await.expect(403);
        let path = format!("{own_launch}/learners/{enrolment}/send");
        own.post(&path, &[("form_token", &token)]).await.expect(403);
    }

    async fn the_gradebook_is_compared_with_what_was_sent(database: TestDatabase) {
        let world = World::start(database, Some(20.0)).await;
        finished(&world, ZOE, 0.9).await;
        finished(&world, AURELIEN, 0.75).await;
        world.service.run_jobs().await;
        let (mut browser, launch) = trains(&world).await;
        let same = learners_page(&mut browser, &launch, "?compare=1").await;
        assert!(same.contains("dit la même chose"), "{same}");
        world.service.execute("UPDATE scores SET given = 40 WHERE given < 80").await;
        let other = learners_page(&mut browser, &launch, "?compare=1").await;
        assert!(other.contains("Une note du carnet diffère"), "{other}");
        assert!(!world.calls("/results")[0].1.contains("limit"));
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::Results, fails(500, 1));
        });
        let failed = learners_page(&mut browser, &launch, "?compare=1").await;
        assert!(failed.contains("n’a pas pu être lu"), "{failed}");
    }

    async fn a_platform_that_asks_to_wait_is_waited_for(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        let slow = Failure { retry_after: Some(120), ..fails(429, 1) };
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::Scores, slow);
        });
        world.service.run_jobs().await;
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 0);
        let (mut browser, launch) = trains(&world).await;
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("En attente") && page.contains("prochain essai"), "{page}");
        world.service.advance(TimeDelta::seconds(119));
        world.service.run_jobs().await;
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 0);
        world.service.advance(TimeDelta::seconds(1));
        world.service.run_jobs().await;
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 1);
    }

    async fn a_score_is_tried_for_days_and_then_shown_as_refused(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        world.campus.misbehave(|faults| {
            faults.failures.insert(Endpoint::Scores, fails(503, 100_000));
        });
        let state = "SELECT state FROM scores WHERE grading = 'FullyGraded'";
        for _ in 0..(4 * 24 / 3) {
            world.service.run_jobs().await;
            world.service.advance(TimeDelta::hours(3));
        }
        assert_eq!(world.service.texts(state).await, ["pending"]);
        for _ in 0..12 {
            world.service.run_jobs().await;
            world.service.advance(TimeDelta::hours(3));
        }
        assert_eq!(world.service.texts(state).await, ["refused"]);
        let (mut browser, launch) = trains(&world).await;
        let page = learners_page(&mut browser, &launch, "").await;
        assert!(page.contains("pendant cinq jours"), "{page}");
        world.campus.misbehave(|faults| faults.failures.clear());
        let token = browser.get(&format!("{launch}/learners")).await.expect(200).form_token();
        let send = format!("{launch}/learners/send");
        browser.post(&send, &[("form_token", &token)]).await.expect(303);
        world.service.run_jobs().await;
        assert_eq!(world.campus.inspect(|state| state.grades.len()), 1);
    }

    async fn a_review_shows_the_work_to_its_trainer_and_its_owner_alone(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        world.service.run_jobs().await;
        let (mut browser, answer) = world.launch_review(ZOE).await;
        let review = answer.expect(303).location().to_owned();
        let work = browser.get(&review).await.expect(303).location().to_owned();
        let page = browser.get(&work).await.expect(200).text();
        for said in ["Zoé Lefèvre", "Étape par étape", "90 sur 100", "Transmise", "Délivré le"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let (mut nobody, answer) = world.launch_review(NOELLE).await;
        let review = answer.expect(303).location().to_owned();
        let none = nobody.get(&review).await.expect(404).text();
        assert!(none.contains("pas encore ouvert"), "{none}");

        // A learner's own is theirs; another's is not.
        let message = lti("message_type");
        for (whose, status) in [(ZOE, 200), (AURELIEN, 404)] {
            let for_user = json!({"user_id": ZOE.to_string()});
            world.campus.misbehave(|faults| {
                let claims = &mut faults.id_token.set_claims;
                claims.insert(message.clone(), json!("LtiSubmissionReviewRequest"));
                claims.insert(lti("for_user"), for_user);
            });
            let (mut browser, answer) = world.launch(whose, "Cours").await;
            let review = answer.expect(303).location().to_owned();
            let work = browser.get(&review).await.expect(303).location().to_owned();
            let page = browser.get(&work).await.expect(status).text();
            assert!(status == 404 || page.contains("Votre travail"), "{page}");
            assert!(!page.contains("/send"), "{page}");
        }
    }

    async fn a_trainer_sees_nobody_of_another_course(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        finished(&world, ZOE, 0.9).await;
        let enrolment = world.service.uuid("SELECT id FROM enrolments WHERE NOT preview").await;
        let nrps = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice";
        world.campus.misbehave(|faults| {
            let claims = &mut faults.id_token.set_claims;
            claims.insert(lti("context"), json!({"id": "99", "title": "Un autre cours"}));
            claims.insert(lti("resource_link"), json!({"id": "99", "title": "Cours"}));
            faults.id_token.drop_claims.push(nrps.to_owned());
        });
        let (mut browser, launch) = trains(&world).await;
        let page = browser.get(&format!("{launch}/learners")).await.expect(200);
        assert!(!page.text().contains("Zoé"), "{}", page.text());
        let csv = browser.get(&format!("{launch}/learners.csv")).await.expect(200).text();
        assert!(!csv.contains("Zoé"), "{csv}");
        browser.get(&format!("{launch}/learners/{enrolment}")).await.expect(404);
        // The trainer of another platform with the same course sees nothing either.
        let mut other = world.service.browser();
        let answer = world.service.platform.launch(&mut other, "course/fixture", trainer).await;
        let launch = answer.expect(303).location().trim_end_matches("/course").to_owned();
        other.get(&format!("{launch}/learners/{enrolment}")).await.expect(404);
        let page = other.get(&format!("{launch}/learners")).await.expect(200).text();
        assert!(!page.contains("Zoé"), "{page}");
    }

    async fn groups_filter_and_who_left_stands_apart(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        world.campus.misbehave(|faults| faults.groups = true);
        finished(&world, ZOE, 0.9).await;
        let (mut browser, launch) = trains(&world).await;
        let all = learners_page(&mut browser, &launch, "").await;
        assert!(all.contains("Groupe B &amp; amis"), "{all}");
        let group = learners_page(&mut browser, &launch, "?group=31").await;
        assert!(group.contains("Aurélien") && !group.contains("Noëlle"), "{group}");
        world.campus.misbehave(|faults| {
            faults.gone.insert(ZOE);
        });
        let page = learners_page(&mut browser, &launch, "").await;
        let (_, left) = page.split_once("Ne sont plus dans le cours").expect("a part of its own");
        assert!(left.contains("Zoé Lefèvre"), "{left}");
        let csv = browser.get(&format!("{launch}/learners.csv")).await.expect(200);
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        let text = csv.text();
        assert!(text.starts_with('\u{feff}'), "{text}");
        assert!(text.contains("\"Zoé Lefèvre\";\"n’est plus dans le cours\";\"Terminé\""), "{text}");
    }

    async fn a_trainer_signs_up_people_of_the_course_for_a_webinar(database: TestDatabase) {
        let world = World::start(database, Some(100.0)).await;
        world.launch(ZOE, "Cours").await.1.expect(303);
        let (mut browser, answer) = world.launch(TRAINER, "Webinaires").await;
        let events = answer.expect(303).location().to_owned();
        let token = browser.get(&format!("{events}/new")).await.expect(200).form_token();
        let fields = [
            ("form_token", token.as_str()),
            ("title", "Atelier"),
            ("description", "Une heure."),
            ("starts", "2026-11-30T17:30"),
            ("minutes", "60"),
            ("time_zone", "Europe/Paris"),
            ("capacity", ""),
            ("join_url", "https://visio.example/salle"),
        ];
        let made = browser.post(&format!("{events}/new"), &fields).await.expect(303);
        let event = made.location().split('?').next().expect("a path").to_owned();
        let missing = format!("{event}/missing");
        let page = browser.get(&missing).await.expect(200);
        let text = page.text();
        assert!(text.contains("3 personnes du cours ne sont pas inscrites"), "{text}");
        let zoe = text.split("name=\"person\" value=\"").nth(1).and_then(|t| t.split('"').next());
        let zoe = zoe.expect("a person to sign up").to_owned();
        assert_eq!(text.matches("name=\"person\"").count(), 1, "only who was here: {text}");
        let token = page.form_token();
        let unknown = uuid::Uuid::nil().to_string();
        let fields = [("form_token", token.as_str()), ("person", unknown.as_str())];
        browser.post(&missing, &fields).await.expect(404);
        let fields = [("form_token", token.as_str()), ("person", zoe.as_str())];
        browser.post(&missing, &fields).await.expect(303);
        assert_eq!(world.service.count("signups").await, 1);
        let text = browser.get(&missing).await.expect(200).text();
        assert!(text.contains("2 personnes") && !text.contains("Zoé"), "{text}");
    }
}
