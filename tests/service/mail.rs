//! The outbox against a mail server that misbehaves as real ones do.

use chrono::TimeDelta;
use mail_parser::MessageParser;
use passerelle::demo::mailbox::Received;
use passerelle::ids::{PersonId, TenantId};
use passerelle::mail::{self, Body, Draft, Mailbox};

use crate::on_both_databases;
use crate::support::{Service, TestDatabase};

/// The service with one mail in its outbox; whether it may go out twice.
async fn with_mail(database: TestDatabase, repeat_unknown: bool) -> Service {
    let service = Service::start(database).await;
    let mut browser = service.browser();
    service.platform.launch(&mut browser, "events", |_| ()).await.expect(303);
    let person = PersonId::from(service.uuid("SELECT id FROM people").await);
    let tenant = TenantId::from(service.uuid("SELECT id FROM tenants").await);
    let draft = Draft {
        tenant,
        sender: Mailbox {
            name: "Réseau, « Écoles »".to_owned(),
            address: "formation@reseau.example".to_owned(),
        },
        kind: "trial",
        subject_id: person.uuid(),
        revision: 1,
        person,
        recipient: "zoe.lefevre@ecole.example".to_owned(),
        body: Body {
            subject: "Été : votre certificat est prêt, téléchargez-le dès maintenant".to_owned(),
            text: "Bonjour Zoé,\n\n.\nUn point seul sur sa ligne.\n".to_owned(),
            html: "<p>Bonjour Zoé</p>".to_owned(),
        },
        attachments: Vec::new(),
        repeat_unknown,
    };
    let now = service.clock.now();
    let mut tx = service.app.db.write().await.expect("a transaction");
    mail::enqueue(&mut tx, draft.clone(), now).await.expect("enqueued");
    // The same mail about the same thing is one mail.
    mail::enqueue(&mut tx, draft, now).await.expect("enqueued");
    tx.commit().await.expect("the commit");
    assert_eq!(service.count("messages").await, 1);
    service
}

async fn state(service: &Service) -> String {
    service.texts("SELECT state FROM messages").await.remove(0)
}

async fn job_state(service: &Service) -> String {
    service.texts("SELECT state FROM jobs WHERE kind = 'send-message'").await.remove(0)
}

fn message_id(mail: &Received) -> String {
    let mail = MessageParser::default().parse(&mail.raw).expect("a mail");
    mail.message_id().expect("an id").to_owned()
}

/// Days go by, and the worker works.
async fn a_week(service: &Service) {
    for _ in 0..7 * 12 {
        service.advance(TimeDelta::hours(2));
        service.run_jobs().await;
    }
}

on_both_databases! {
    async fn a_mail_arrives_whole(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.run_jobs().await;
        assert_eq!(state(&service).await, "accepted");
        let mails = service.take_mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].envelope_from, "formation@reseau.example");
        let mail = MessageParser::default().parse(&mails[0].raw).expect("a mail");
        assert_eq!(
            mail.subject(),
            Some("Été : votre certificat est prêt, téléchargez-le dès maintenant")
        );
        let text = mail.body_text(0).expect("text");
        assert!(text.replace("\r\n", "\n").contains("\n.\nUn point seul"), "{text:?}");
        let from = mail.from().and_then(|from| from.first()).expect("a sender");
        assert_eq!(from.name(), Some("Réseau, « Écoles »"));
        let raw = String::from_utf8_lossy(&mails[0].raw);
        assert!(raw.contains("Auto-Submitted: auto-generated"), "{raw}");
        a_week(&service).await;
        assert_eq!(service.take_mails().len(), 0);
    }

    async fn a_greylisted_mail_is_tried_again_after_five_minutes(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.mailbox.misbehave(|faults| faults.greylist = 1);
        service.run_jobs().await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("queued".to_owned(), 0));
        service.advance(TimeDelta::seconds(299));
        assert_eq!(service.run_jobs().await, 0);
        service.advance(TimeDelta::seconds(1));
        service.run_jobs().await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("accepted".to_owned(), 1));
    }

    async fn a_server_that_is_away_gets_the_mail_when_it_is_back(database: TestDatabase) {
        let service = with_mail(database, false).await;
        service.mailbox.misbehave(|faults| {
            faults.drop_at_greeting = 1;
            faults.unavailable_at_mail = 1;
            faults.defer_data = 1;
        });
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("accepted".to_owned(), 1));
    }

    async fn a_refused_recipient_is_not_asked_for_again(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.mailbox.misbehave(|faults| faults.refuse_recipients = 1);
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("failed".to_owned(), 0));
        assert_eq!(job_state(&service).await, "failed");
        let answer = service.texts("SELECT last_answer FROM messages").await.remove(0);
        assert!(answer.contains("5.1.1"), "{answer}");
    }

    async fn a_mail_that_is_put_off_for_days_is_given_up(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.mailbox.misbehave(|faults| faults.greylist = 10_000);
        a_week(&service).await;
        assert_eq!(state(&service).await, "failed");
        service.mailbox.misbehave(|faults| faults.greylist = 0);
        a_week(&service).await;
        assert_eq!(service.take_mails().len(), 0);
    }

    async fn a_certificate_whose_answer_was_lost_goes_out_once_more(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.mailbox.misbehave(|faults| faults.store_and_drop = 1);
        service.run_jobs().await;
        assert_eq!(state(&service).await, "unknown");
        a_week(&service).await;
        assert_eq!(state(&service).await, "accepted");
        let mails = service.take_mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(message_id(&mails[0]), message_id(&mails[1]));
        assert_eq!(mails[0].raw, mails[1].raw);
    }

    async fn a_certificate_whose_answers_are_always_lost_goes_out_twice(database: TestDatabase) {
        let service = with_mail(database, true).await;
        service.mailbox.misbehave(|faults| faults.store_and_drop = 100);
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("unknown".to_owned(), 2));
    }

    async fn a_reminder_whose_answer_was_lost_is_not_repeated(database: TestDatabase) {
        let service = with_mail(database, false).await;
        service.mailbox.misbehave(|faults| faults.store_and_drop = 1);
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("unknown".to_owned(), 1));
    }

    async fn a_certificate_that_was_being_sent_when_the_process_died_goes_out_once(
        database: TestDatabase
    ) {
        let service = with_mail(database, true).await;
        service.execute("UPDATE messages SET state = 'sending'").await;
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("accepted".to_owned(), 1));
        // Died twice: its fate was unknown twice, and it stays so.
        service.execute("UPDATE messages SET state = 'sending', unknowns = 1").await;
        service.execute("UPDATE jobs SET state = 'queued' WHERE kind = 'send-message'").await;
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("unknown".to_owned(), 0));
    }

    async fn a_reminder_that_was_being_sent_when_the_process_died_stays_unknown(
        database: TestDatabase
    ) {
        let service = with_mail(database, false).await;
        service.execute("UPDATE messages SET state = 'sending'").await;
        a_week(&service).await;
        assert_eq!((state(&service).await, service.take_mails().len()), ("unknown".to_owned(), 0));
    }
}
