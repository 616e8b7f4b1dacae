//! The picker: what is offered, found, looked at, and answered.

use serde_json::{Value, json};

use crate::deep_linking::{claims, dl};
use crate::identities::{another_tenant, tenant};
use crate::on_both_databases;
use crate::support::platform::{deep_linking_settings, lti, trainer};
use crate::support::{Browser, Service};

const TARGET: &str = "http://localhost:8080/lti/launch";

/// A trainer's browser on the picker of a request with these settings changed, and its path.
async fn picker(service: &Service, change: impl FnOnce(&mut Value)) -> (Browser, String) {
    let mut browser = service.browser();
    let login = service.platform.login(&mut browser, TARGET).await;
    let issuer = service.platform.issuer.clone();
    let request = |claims: &mut Value| {
        trainer(claims);
        claims.as_object_mut().expect("claims").remove(&lti("resource_link"));
        claims[lti("message_type")] = json!("LtiDeepLinkingRequest");
        let mut settings = json!({
            "deep_link_return_url": format!("{issuer}/return"),
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"],
            "accept_multiple": true,
        });
        change(&mut settings);
        claims[deep_linking_settings()] = settings;
    };
    let answer = service.platform.answer(&mut browser, &login, request).await.expect(303);
    (browser, answer.location().to_owned())
}

/// The items of the answer to choosing these.
async fn chosen(service: &Service, change: impl FnOnce(&mut Value), values: &[&str]) -> Vec<Value> {
    let (mut browser, path) = picker(service, change).await;
    let token = browser.get(&path).await.expect(200).form_token();
    let mut fields = vec![("form_token", token.as_str())];
    fields.extend(values.iter().map(|value| ("item", *value)));
    let back = browser.post(&path, &fields).await.expect(200);
    let claims = claims(service, &back).await;
    claims[dl("content_items")].as_array().cloned().unwrap_or_default()
}

on_both_databases! {
    async fn an_item_has_all_that_the_platform_accepts_and_no_more(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let items = chosen(&service, |_| (), &["course/fixture"]).await;
        let item = &items[0];
        assert_eq!(item["custom"]["passerelle_item"], "course/fixture");
        assert_eq!(item["custom"]["context_id_history"], "$Context.id.history");
        assert_eq!(item["title"], "Traverser une passerelle : l'essentiel");
        assert_eq!(item["text"], "Un petit cours pour les essais.");
        assert!(item["icon"]["url"].as_str().is_some_and(|url| url.contains("/assets/")), "{item}");
        assert_eq!(item["lineItem"]["scoreMaximum"].as_f64(), Some(100.0));
        assert_eq!(item["lineItem"]["label"], "Traverser une passerelle : l'essentiel");
        assert_eq!(item["lineItem"]["resourceId"], "course/fixture");
        assert_eq!(item["lineItem"]["tag"], "passerelle-course");
        assert!(item["iframe"].is_object() && item["window"].is_null(), "{item}");

        let no_grades = |settings: &mut Value| settings["accept_lineitem"] = json!(false);
        let items = chosen(&service, no_grades, &["course/fixture"]).await;
        assert!(items[0]["lineItem"].is_null(), "{}", items[0]);
        for (targets, iframe, window) in [
            (json!(["window"]), false, true),
            (json!(["iframe"]), true, false),
            (json!(["embed", "hologram"]), false, false),
        ] {
            let set = |settings: &mut Value| {
                settings["accept_presentation_document_targets"] = targets.clone();
            };
            let items = chosen(&service, set, &["course/fixture"]).await;
            let has = |name: &str| items[0][name].is_object();
            assert_eq!((has("iframe"), has("window")), (iframe, window), "{targets}");
        }
    }

    async fn a_platform_that_takes_no_links_is_told_and_can_be_gone_back_to(
        database: TestDatabase
    ) {
        let service = Service::start(database).await;
        service.install_course().await;
        let set = |settings: &mut Value| settings["accept_types"] = json!(["html"]);
        let (mut browser, path) = picker(&service, set).await;
        let page = browser.get(&path).await.expect(200);
        assert!(!page.text().contains("course/fixture"), "{}", page.text());
        let token = page.form_token();
        let back = browser.post(&path, &[("form_token", &token), ("cancel", "1")]).await.expect(200);
        let items = claims(&service, &back).await[dl("content_items")].clone();
        assert!(items.is_null() || items.as_array().is_some_and(Vec::is_empty), "{items}");
    }

    async fn a_search_finds_without_script(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, path) = picker(&service, |_| ()).await;
        for query in ["", "PASSERELLE", "passer%C3%A9lle+essais"] {
            let text = browser.get(&format!("{path}?q={query}")).await.expect(200).text();
            assert!(text.contains("value=\"course/fixture\""), "{query}: {text}");
        }
        let text = browser.get(&format!("{path}?q=%22%3E%3Cscript%3E")).await.expect(200).text();
        assert!(!text.contains("value=\"course/fixture\""), "{text}");
        assert!(text.contains("Aucun parcours ne correspond"), "{text}");
        assert!(!text.contains("\"><script>"), "{text}");
    }

    async fn a_course_is_looked_at_before_it_is_chosen(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, path) = picker(&service, |_| ()).await;
        let token = browser.get(&path).await.expect(200).form_token();
        let preview = format!("{path}/preview");
        let look = [("form_token", token.as_str()), ("preview", "course/fixture")];
        let shown = browser.post(&preview, &look).await.expect(303);
        let page = browser.get(shown.location()).await.expect(200).text();
        assert!(page.contains("Traverser une passerelle"), "{page}");
        assert!(page.contains(&format!("href=\"{path}\"")), "no way back: {page}");
        let previews = "SELECT COUNT(*) FROM enrolments WHERE preview";
        assert_eq!(service.number(previews).await, 1);
        assert_eq!(service.count("grade_targets").await, 0);
        browser.get(&path).await.expect(200);
        for wrong in ["course/nowhere", "event/1", ""] {
            let fields = [("form_token", token.as_str()), ("preview", wrong)];
            browser.post(&preview, &fields).await.expect(400);
        }
        browser.post(&preview, &[("form_token", "x"), ("preview", "course/fixture")]).await.expect(403);
    }

    async fn a_webinar_made_on_the_way_is_marked(database: TestDatabase) {
        let service = Service::start(database).await;
        let (mut browser, path) = picker(&service, |_| ()).await;
        let empty = browser.get(&path).await.expect(200).text();
        assert!(empty.contains("Aucun parcours n’est encore publié"), "{empty}");
        let new = format!("{}/events/new", path.trim_end_matches("/picker"));
        let page = browser.get(&new).await.expect(200);
        assert!(page.text().contains(&format!("href=\"{path}\"")), "{}", page.text());
        let token = page.form_token();
        let fields = [
            ("form_token", token.as_str()),
            ("title", "Atelier"),
            ("description", ""),
            ("starts", "2026-11-30T17:30"),
            ("minutes", "60"),
            ("time_zone", "Europe/Paris"),
            ("capacity", ""),
            ("join_url", ""),
        ];
        let made = browser.post(&new, &fields).await.expect(303).location().to_owned();
        let (back, item) = made.split_once("?chosen=").expect("the picker");
        assert_eq!(back, path);
        let page = browser.get(&made).await.expect(200).text();
        assert!(page.contains(&format!("value=\"{item}\" checked")), "{page}");
        // What is marked is shown whatever is searched for.
        let page = browser.get(&format!("{made}&q=nichts")).await.expect(200).text();
        assert!(page.contains(&format!("value=\"{item}\" checked")), "{page}");
        let items = chosen(&service, |_| (), &[item]).await;
        assert_eq!(items[0]["custom"]["passerelle_item"], *item);
        assert!(items[0]["lineItem"].is_null(), "{}", items[0]);

        // Nobody is sent to what does not take place.
        assert_eq!(service.execute("UPDATE events SET state = 'cancelled'").await, 1);
        let (mut browser, path) = picker(&service, |_| ()).await;
        let page = browser.get(&path).await.expect(200);
        assert!(!page.text().contains(item), "{}", page.text());
        let token = page.form_token();
        browser.post(&path, &[("form_token", &token), ("item", item)]).await.expect(400);
    }

    async fn a_tenant_is_offered_its_own_and_what_all_share(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (own, other) = (tenant(&service).await, another_tenant(&service).await);
        for (owner, offered) in [(own, true), (other, false)] {
            let mut tx = service.app.db.write().await.expect("a transaction");
            let update = tx.query("UPDATE courses SET tenant_id = $1").bind(owner);
            update.execute().await.expect("the update");
            tx.commit().await.expect("the commit");
            let (mut browser, path) = picker(&service, |_| ()).await;
            let page = browser.get(&path).await.expect(200);
            assert_eq!(page.text().contains("course/fixture"), offered);
            let token = page.form_token();
            let status = if offered { 200 } else { 400 };
            let fields = [("form_token", token.as_str()), ("item", "course/fixture")];
            browser.post(&path, &fields).await.expect(status);
        }
    }
}
