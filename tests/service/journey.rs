//! The whole journey: from the platform's link to certificate, mail and grade.

use chrono::TimeDelta;
use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{person, trainer};
use crate::support::player::leaves;
use crate::support::{Browser, Player, Service};

const ITEM: &str = "course/fixture";

async fn start(database: crate::support::TestDatabase) -> Service {
    let service = Service::start(database).await;
    service.install_course().await;
    service
}

/// A browser on the learner's page of the course, and the page's path.
async fn launched(service: &Service, change: impl FnOnce(&mut Value)) -> (Browser, String) {
    let mut browser = service.browser();
    let answer = service.platform.launch(&mut browser, ITEM, change).await.expect(303);
    (browser, answer.location().to_owned())
}

async fn admit(service: &Service, browser: &mut Browser, page: &str) -> Player {
    Player::admit(&service.app, browser, page).await
}

fn pdf_path(page: &str) -> Option<String> {
    let rest = page.split("href=\"").find(|rest| rest.contains("/credentials/"))?;
    Some(rest.split('"').next()?.to_owned())
}

on_both_databases! {
    async fn a_course_is_followed_certified_mailed_and_graded(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, |_| ()).await;
        let mut player = admit(&service, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(leaves(&opened["view"]).len(), 3, "{opened}");
        assert!(opened["delivery"]["url"].is_string(), "{opened}");
        service.advance(TimeDelta::minutes(1));
        let last = player.complete(0.9).await;
        assert_eq!(last["view"]["completed"], true, "{last}");
        assert_eq!(service.count("completions").await, 1);
        assert_eq!(service.count("credentials").await, 1);
        service.run_jobs().await;
        assert_eq!(service.number("SELECT COUNT(*) FROM jobs WHERE state <> 'done'").await, 0);

        // The mail: text, HTML, the PDF, an id that follows from the message's.
        let mails = service.take_mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].recipients, ["zoe.lefevre@ecole.example"]);
        let mail = MessageParser::default().parse(&mails[0].raw).expect("a mail");
        let id = service.uuid("SELECT id FROM messages").await;
        assert_eq!(mail.html_body_count(), 1);
        assert_eq!(mail.text_body_count(), 1);
        assert_eq!(mail.attachment_count(), 1);
        let attached = mail.attachment(0).expect("an attachment");
        assert!(attached.contents().starts_with(b"%PDF-"));
        assert!(attached.attachment_name().is_some_and(|name| name.starts_with("Certificat")));
        assert_eq!(mail.message_id(), Some(format!("{id}@reseau.example").as_str()));

        // The grade: in the line item's path, before its query.
        let scores = service.platform.record().scores.clone();
        assert_eq!(scores.len(), 1);
        assert_eq!(scores[0].path, "/line-items/7/lineitem/scores?type_id=3");
        assert_eq!(scores[0].media_type, "application/vnd.ims.lis.v1.score+json");
        assert_eq!(scores[0].authorization, "Bearer access-1");
        let score = &scores[0].body;
        assert_eq!(score["userId"], "learner-1");
        assert_eq!(score["scoreGiven"].as_f64(), Some(90.0));
        assert_eq!(score["scoreMaximum"].as_f64(), Some(100.0));
        assert_eq!(score["gradingProgress"], "FullyGraded");
        assert_eq!(score["activityProgress"], "Completed");

        // The certificate: its owner's, the same bytes as in the mail.
        let shown = browser.get(&page).await.expect(200).text();
        let pdf = pdf_path(&shown).unwrap_or_else(|| panic!("no certificate: {shown}"));
        let file = browser.get(&pdf).await.expect(200);
        assert_eq!(file.header("content-type"), Some("application/pdf"));
        assert_eq!(&file.body[..], attached.contents());
        let (mut other, others) = launched(&service, |claims| person(claims, 2)).await;
        let id = pdf.split("/credentials/").nth(1).expect("an id");
        let launch = others.trim_end_matches("/course");
        other.get(&format!("{launch}/credentials/{id}")).await.expect(404);
        other.get(&pdf).await.expect(403);

        // Anybody can check it, and sees no address.
        let code = service.texts("SELECT code FROM credentials").await.remove(0);
        let mut anybody = service.browser();
        let verified = anybody.get(&format!("/verify/{code}")).await.expect(200);
        let text = verified.text();
        assert!(text.contains("Zoé Lefèvre") && text.contains("Traverser une passerelle"), "{text}");
        assert!(!text.contains("ecole.example"), "{text}");
        assert!(verified.header("x-robots-tag").is_some_and(|robots| robots.contains("noindex")));
        anybody.get(&format!("/verify/{}", passerelle::ids::verification_code())).await.expect(404);
    }

    async fn nothing_is_awarded_mailed_or_graded_twice(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, |_| ()).await;
        let mut player = admit(&service, &mut browser, &page).await;
        player.complete(0.8).await;
        service.run_jobs().await;
        let mut again = admit(&service, &mut browser, &page).await;
        again.seq = player.seq;
        again.complete(0.8).await;
        service.run_jobs().await;
        assert_eq!(service.count("completions").await, 1);
        assert_eq!(service.count("credentials").await, 1);
        assert_eq!(service.count("messages").await, 1);
        assert_eq!(service.take_mails().len(), 1);
        assert_eq!(service.platform.record().scores.len(), 1);
        // The same link once more changes nothing either.
        launched(&service, |_| ()).await;
        service.run_jobs().await;
        assert_eq!(service.platform.record().scores.len(), 1);
    }

    async fn a_better_score_is_sent_later_and_a_worse_one_never(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, |_| ()).await;
        let mut player = admit(&service, &mut browser, &page).await;
        player.complete(0.8).await;
        service.run_jobs().await;
        let opened = player.open().await;
        let test = leaves(&opened["view"]).pop().expect("a test");
        for (score, sent) in [(0.76, 1), (0.95, 2), (0.9, 2)] {
            player.choose(&test).await;
            player.finish(&test, score).await;
            service.run_jobs().await;
            assert_eq!(service.platform.record().scores.len(), sent, "{score}");
        }
        let scores = service.platform.record().scores.clone();
        let at = |index: usize| {
            let timestamp = scores[index].body["timestamp"].as_str().expect("a timestamp");
            chrono::DateTime::parse_from_rfc3339(timestamp).expect("an instant")
        };
        assert!(at(1) > at(0), "{} {}", at(0), at(1));
        assert_eq!(scores[1].body["scoreGiven"].as_f64(), Some(95.0));
        assert_eq!(service.count("credentials").await, 1);
    }

    async fn a_failed_test_awards_nothing_until_it_is_passed(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, |_| ()).await;
        let mut player = admit(&service, &mut browser, &page).await;
        let last = player.complete(0.3).await;
        assert_eq!(last["view"]["completed"], false, "{last}");
        assert_eq!(service.count("completions").await, 0);
        let test = leaves(&last["view"]).pop().expect("a test");
        player.open().await;
        player.choose(&test).await;
        let passed = player.finish(&test, 0.8).await;
        assert_eq!(passed["view"]["completed"], true, "{passed}");
        assert_eq!(service.count("completions").await, 1);
    }

    async fn a_trainers_preview_plays_and_gives_nothing(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, trainer).await;
        let mut player = admit(&service, &mut browser, &page).await;
        let last = player.complete(1.0).await;
        assert_eq!(last["view"]["completed"], true, "{last}");
        service.run_jobs().await;
        for table in ["completions", "credentials", "messages", "scores", "grade_targets"] {
            assert_eq!(service.count(table).await, 0, "{table}");
        }
        assert!(service.platform.record().scores.is_empty());
    }

    async fn a_platform_that_fails_gets_its_score_later(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, page) = launched(&service, |_| ()).await;
        service.platform.record().scores_status = vec![500, 401, 503];
        let mut player = admit(&service, &mut browser, &page).await;
        player.complete(1.0).await;
        for _ in 0..4 {
            service.run_jobs().await;
            service.advance(TimeDelta::minutes(30));
        }
        assert_eq!(service.platform.record().scores.len(), 1);
        // The refused token was not used again.
        assert_eq!(service.platform.record().tokens_given, 2);
        assert_eq!(service.texts("SELECT state FROM scores").await, ["delivered"]);
    }

    async fn somebody_without_an_address_confirms_one_and_gets_the_certificate(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let anonymous = |claims: &mut Value| claims["email"] = json!(null);
        let (mut browser, page) = launched(&service, anonymous).await;
        let mut player = admit(&service, &mut browser, &page).await;
        player.complete(1.0).await;
        service.run_jobs().await;
        assert_eq!(service.take_mails().len(), 0);
        // It can be downloaded all the same.
        let shown = browser.get(&page).await.expect(200).text();
        browser.get(&pdf_path(&shown).expect("a certificate")).await.expect(200);

        let address = format!("{}/address", page.trim_end_matches("/course"));
        let token = browser.get(&address).await.expect(200).form_token();
        let wrong = [("form_token", token.as_str()), ("email", "zoé@")];
        browser.post(&address, &wrong).await.expect(422);
        let right = [("form_token", token.as_str()), ("email", "zoe@maison.example")];
        browser.post(&address, &right).await.expect(200);
        service.run_jobs().await;
        let mails = service.take_mails();
        assert_eq!((mails.len(), mails[0].recipients[0].as_str()), (1, "zoe@maison.example"));
        let mail = MessageParser::default().parse(&mails[0].raw).expect("a mail");
        let text = mail.body_text(0).expect("text").into_owned();
        let link = text.split_whitespace().find(|word| word.contains("/address/")).expect("a link");

        // Looking at the link does nothing, however often a scanner looks.
        let mut scanner = service.browser();
        let shown = scanner.get(link).await.expect(200);
        scanner.get(link).await.expect(200);
        service.run_jobs().await;
        assert_eq!(service.take_mails().len(), 0);
        let token = shown.form_token();
        scanner.post(link, &[("form_token", "forged")]).await.expect(403);
        scanner.post(link, &[("form_token", &token)]).await.expect(200);
        scanner.post(link, &[("form_token", &token)]).await;
        service.run_jobs().await;
        let mails = service.take_mails();
        assert_eq!((mails.len(), mails[0].recipients[0].as_str()), (1, "zoe@maison.example"));
    }
}
