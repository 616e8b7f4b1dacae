//! Following courses: launch, every activity through the run-time API, certificate, grade, mail.

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;

use super::browser::{Answer, Browser};
use super::player::{Delivery, Opened, Player};
use super::{Walk, person};
use crate::demo::campus::Person;

const FIRST_STEPS: &str = "course/premiers-pas-etwinning";
const PROJECT: &str = "course/collaborer-en-ligne";
const WEBINAR: &str = "course/animer-un-webinaire";
/// No course of ours has more activities.
const ACTIVITIES: usize = 100;
/// The activity in whose middle the browser is closed.
const INTERRUPTED: usize = 1;
/// The share of the points that each learner reaches.
const SCORE: f64 = 0.9;
/// How many minutes pass between two commits.
const MINUTES: i64 = 4;

/// What came of playing a course.
struct Played {
    activities: usize,
    completed: bool,
}

/// How to play.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// Close the browser in the middle, and come back.
    interrupted: bool,
    /// Fail the test before passing it.
    fails_first: bool,
}

pub(super) async fn walk(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    first_steps(walk).await?;
    refused(walk).await?;
    in_english(walk).await?;
    preview(walk).await?;
    without_address(walk).await
}

/// Zoé's whole way, from Campus to the certificate.
async fn first_steps(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let zoe = person(4)?;
    walk.report.step(&format!("{} opens a course from Campus", zoe.name()));
    let mut browser = walk.sign_in(zoe).await?;
    walk.report.seen("signed in at Campus");
    let activity = walk.activity(FIRST_STEPS)?;
    let launched = walk.launch_step_by_step(&mut browser, activity).await?;
    let page = launched.page.expect(200)?;
    let landed = page.url.path().ends_with("/course");
    walk.report
        .check(landed, "login, probe for cookies, authentication and launch lead to the course")?;
    let policy = page.header("content-security-policy").to_owned();
    walk.report.check(policy.contains(&walk.campus.issuer), "Campus may frame the page")?;
    let again = browser.submit(&launched.answer, &launched.form).await?.expect(200)?;
    walk.report
        .check(again.url == page.url, "the same launch sent again leads back to its page")?;

    walk.report.step("The course is played, left in the middle, and resumed");
    let manner = Manner { interrupted: true, ..Manner::default() };
    let played = play(walk, &mut browser, &page, manner).await?;
    let what = format!("{} activities were played: the course is complete", played.activities);
    walk.report.check(played.completed, &what)?;

    walk.report.step("The certificate comes, by mail and on the page");
    certificate(walk, &mut browser, &page.url, zoe, "certificat-zoe-lefevre.pdf").await?;

    walk.report.step("The grade is in Campus's gradebook");
    grade(walk, &mut browser, activity, zoe).await
}

/// A platform whose clock is an hour late: refused, and explained.
async fn refused(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    walk.report.step("A launch with an expired token is refused and explained");
    let mut browser = walk.sign_in(person(4)?).await?;
    let activity = walk.activity(FIRST_STEPS)?;
    walk.campus.misbehave(|faults| faults.id_token.clock_skew = -3600);
    let page = walk.launch(&mut browser, activity).await;
    walk.campus.misbehave(|faults| faults.id_token.clock_skew = 0);
    let page = page?.expect(400)?;
    walk.report.check(page.shows("token-expired"), "the page names the reason: token-expired")?;
    let page = walk.launch(&mut browser, activity).await?.expect(200)?;
    walk.report.check(page.url.path().ends_with("/course"), "the next launch works again")
}

/// Another course, in English, with a test that is failed first.
async fn in_english(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let aurelien = person(5)?;
    walk.report.step(&format!("{} follows a course in English", aurelien.name()));
    let mut browser = walk.sign_in(aurelien).await?;
    browser.open(&walk.on_campus("/language/en")).await?.expect(200)?;
    let activity = walk.activity(PROJECT)?;
    let page = walk.launch(&mut browser, activity).await?.expect(200)?;
    let title = "Designing a European collaborative project";
    walk.report.check(page.shows(title), "the course is shown in English")?;
    let manner = Manner { fails_first: true, ..Manner::default() };
    let played = play(walk, &mut browser, &page, manner).await?;
    let what = format!("{} activities were played: the course is complete", played.activities);
    walk.report.check(played.completed, &what)?;
    certificate(walk, &mut browser, &page.url, aurelien, "certificate-aurelien-muller-garcon.pdf")
        .await?;
    grade(walk, &mut browser, activity, aurelien).await
}

/// The trainer looks at the course as learners see it.
async fn preview(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let helene = person(3)?;
    walk.report
        .step(&format!("{} previews the course: nothing is graded or awarded", helene.name()));
    let mut browser = walk.sign_in(helene).await?;
    let activity = walk.activity(FIRST_STEPS)?;
    let page = walk.launch(&mut browser, activity).await?.expect(200)?;
    let played = play(walk, &mut browser, &page, Manner::default()).await?;
    walk.report.check(played.completed, "the course plays to its end")?;
    walk.settle().await?;
    let page = browser.follow(&page.url, page.url.clone()).await?.expect(200)?;
    walk.report.check(page.link_with("/credentials/").is_none(), "there is no certificate")?;
    let score = score_of(walk, &mut browser, activity, helene).await?;
    walk.report.check(score.is_none(), "there is no grade")?;
    walk.report.check(!walk.report.has_unread("helene"), "there is no mail")
}

/// Somebody of whom the platform tells no address.
async fn without_address(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    const ADDRESS: &str = "noelle.dherve@ecole-jean-zay.example";
    let noelle = person(6)?;
    walk.report.step(&format!("{} is launched without an e-mail address", noelle.name()));
    let mut browser = walk.sign_in(noelle).await?;
    let activity = walk.activity(WEBINAR)?;
    walk.campus.misbehave(|faults| faults.id_token.drop_claims = vec!["email".to_owned()]);
    let page = walk.launch(&mut browser, activity).await;
    walk.campus.misbehave(|faults| faults.id_token.drop_claims.clear());
    let page = page?.expect(200)?;
    let asked = page.link_to("/address").context("✗ the page does not ask for an address")?;
    walk.report.seen("the page asks for an address");
    let played = play(walk, &mut browser, &page, Manner::default()).await?;
    walk.report.check(played.completed, "the course is complete")?;
    let (_, pdf) = pdf_link(walk, &mut browser, &page.url).await?;
    let pdf = browser.follow(&page.url, pdf).await?.expect(200)?;
    walk.report.check(pdf.body.starts_with(b"%PDF-"), "the certificate can be downloaded")?;
    walk.settle().await?;
    walk.report.check(!walk.report.has_unread("noelle"), "there is no mail")?;

    walk.report.step("She tells an address and confirms it by the link in a mail");
    let asking = browser.follow(&page.url, asked).await?.expect(200)?;
    let mut form = asking.form()?;
    ensure!(form.fill("email", "noelle.dherve@"), "✗ the form has no field for the address");
    browser.submit(&asking, &form).await?.expect(422)?;
    walk.report.seen("half an address is refused");
    form.fill("email", ADDRESS);
    browser.submit(&asking, &form).await?.expect(200)?;
    let mail =
        walk.report.mail("noelle", "the mail with the link", |mail| mail.pdf.is_none()).await?;
    let link = mail.link("/address/").context("✗ the mail has no link")?.to_owned();
    let mut stranger = Browser::at(&walk.app.config.origin())?;
    stranger.open(&link).await?.expect(200)?;
    let shown = stranger.open(&link).await?.expect(200)?;
    walk.report.check(shown.shows(ADDRESS), "opening the link only shows, however often")?;
    stranger.submit(&shown, &shown.form()?).await?.expect(200)?;
    let spent = stranger.open(&link).await?.expect(200)?;
    walk.report.check(spent.form().is_err(), "pressing its button confirms, once")?;
    let what = "the certificate that waited comes by mail";
    let mail = walk.report.mail("noelle", what, |mail| mail.pdf.is_some()).await?;
    let same = mail.pdf.as_deref() == Some(&pdf.body[..]);
    walk.report.check(same, "it is the same PDF")?;
    walk.report.save("certificates/certificat-noelle-dherve.pdf", &pdf.body)
}

/// Opens the player and plays every activity to its end.
async fn play(
    walk: &mut Walk<'_>,
    browser: &mut Browser,
    course: &Answer,
    manner: Manner,
) -> anyhow::Result<Played> {
    let mut player = Player::admit(browser, course).await?;
    let mut opened = player.call("open", json!({})).await?;
    let (mut activities, mut completed) = (0, false);
    while let Some(mut delivery) = opened.delivery.take() {
        ensure!(activities < ACTIVITIES, "✗ the course does not end");
        player.look_at(&delivery).await?;
        if manner.interrupted && activities == INTERRUPTED {
            delivery = interrupt(walk, &mut player, delivery).await?;
        }
        let fails_first = manner.fails_first;
        opened = activity(walk, &mut player, &delivery, fails_first).await?;
        activities += 1;
        completed = opened.view.completed;
        if opened.delivery.is_none() && !opened.ended && !completed {
            opened = player.call("navigate", json!({ "request": "continue" })).await?;
        }
    }
    Ok(Played { activities, completed })
}

/// Plays one activity as its pages do: a commit at each page, the last one final.
async fn activity(
    walk: &mut Walk<'_>,
    player: &mut Player<'_>,
    delivery: &Delivery,
    fails_first: bool,
) -> anyhow::Result<Opened> {
    let Some(launch) = &delivery.launch else {
        return player.call("navigate", json!({ "request": "continue" })).await;
    };
    let pass_mark: Option<f64> = launch.value("cmi.scaled_passing_score").parse().ok();
    let mut seq = launch.seq;
    let mut commit = async |seconds: i64, last: bool, delta: Value| {
        walk.advance(TimeDelta::minutes(MINUTES)).await?;
        seq += 1;
        let body = json!({
            "activity": delivery.activity,
            "seq": seq,
            "delta": delta,
            "final": last,
            "session_seconds": seconds,
        });
        player.call("commit", body).await
    };
    let minute = MINUTES * 60;
    let begun = json!([
        ["cmi.completion_status", "incomplete"],
        ["cmi.exit", "suspend"],
        ["cmi.location", "page-1"],
        ["cmi.suspend_data", "{\"v\":1,\"s\":\"10\"}"],
        ["cmi.progress_measure", "0.5"],
    ]);
    let mut answer = commit(minute, false, begun).await?;
    if pass_mark.is_some() && fails_first {
        answer = commit(2 * minute, false, tested(0.1, "failed")).await?;
        ensure!(!answer.view.completed, "✗ a failed test completed the course");
    }
    let mut done = json!([
        ["cmi.location", "page-2"],
        ["cmi.completion_status", "completed"],
        ["cmi.progress_measure", "1"],
        ["cmi.session_time", format!("PT{}M0S", 3 * MINUTES)],
    ]);
    if let (Some(pass_mark), Some(delta)) = (pass_mark, done.as_array_mut()) {
        let result = tested(SCORE.max(pass_mark), "passed");
        delta.extend(result.as_array().cloned().unwrap_or_default());
    }
    // Only where there is a next activity, as the pages' own button does.
    if let (Some(true), Some(delta)) =
        (answer.request_valid["continue"].as_bool(), done.as_array_mut())
    {
        delta.push(json!(["adl.nav.request", "continue"]));
    }
    let ended = commit(3 * minute, true, done).await?;
    walk.report.seen(&format!("{}: three or more commits, completed", delivery.title));
    Ok(ended)
}

/// What a test reports.
fn tested(scaled: f64, success: &str) -> Value {
    json!([
        ["cmi.score.scaled", scaled.to_string()],
        ["cmi.score.min", "0"],
        ["cmi.score.max", "100"],
        ["cmi.score.raw", format!("{:.2}", scaled * 100.0)],
        ["cmi.completion_status", "completed"],
        ["cmi.success_status", success],
    ])
}

/// Stores a place, lets the browser vanish, and opens the course again.
async fn interrupt(
    walk: &mut Walk<'_>,
    player: &mut Player<'_>,
    delivery: Delivery,
) -> anyhow::Result<Delivery> {
    const PLACE: &str = "page-3";
    const KEPT: &str = "{\"v\":1,\"note\":\"à mi-chemin\"}";
    let launch = delivery.launch.as_ref().context("✗ the activity speaks no API")?;
    let commit = |place: &str| {
        json!({
            "activity": delivery.activity,
            "seq": launch.seq + 1,
            "delta": [
                ["cmi.completion_status", "incomplete"],
                ["cmi.exit", "suspend"],
                ["cmi.location", place],
                ["cmi.suspend_data", KEPT],
            ],
            "session_seconds": 60,
        })
    };
    walk.advance(TimeDelta::minutes(MINUTES)).await?;
    player.call("commit", commit(PLACE)).await?;
    player.call("commit", commit("nowhere")).await?;
    let left = player.token.clone();
    walk.advance(TimeDelta::minutes(MINUTES)).await?;

    let url = player.course.clone();
    let course = player.browser.follow(&url, url.clone()).await?.expect(200)?;
    player.admit_again(&course).await?;
    let new = std::mem::replace(&mut player.token, left);
    player.send("commit", commit("late")).await?.expect(409)?;
    player.token = new;
    walk.report.seen("a player that was left open elsewhere can store nothing any more");

    let opened = player.call("open", json!({})).await?;
    let resumed = opened.delivery.context("✗ coming back shows no activity")?;
    let told = resumed.launch.as_ref().context("✗ the activity speaks no API")?;
    walk.report
        .check(resumed.activity == delivery.activity, "coming back leads to the same activity")?;
    walk.report.check(told.value("cmi.entry") == "resume", "the activity is told to resume")?;
    let kept = told.value("cmi.location") == PLACE && told.value("cmi.suspend_data") == KEPT;
    walk.report.check(kept, "place and data are kept, and a repeated commit was merged once")?;
    Ok(resumed)
}

/// Waits until the course's page links the PDF.
async fn pdf_link(
    walk: &Walk<'_>,
    browser: &mut Browser,
    course: &Url,
) -> anyhow::Result<(Answer, Url)> {
    walk.until("the page links the PDF", async || {
        let page = browser.follow(course, course.clone()).await?.expect(200)?;
        let link = page.link_with("/credentials/");
        Ok(link.map(|link| (page, link)))
    })
    .await
}

/// The certificate: on the page, by mail, and checked by a stranger.
async fn certificate(
    walk: &mut Walk<'_>,
    browser: &mut Browser,
    course: &Url,
    holder: &Person,
    file: &str,
) -> anyhow::Result<()> {
    let (page, link) = pdf_link(walk, browser, course).await?;
    let verify = page.link_with("/verify/").context("✗ the page does not say where to check it")?;
    let pdf = browser.follow(course, link).await?.expect(200)?;
    award(walk, holder, &pdf.body, Some(&verify), file).await
}

/// A PDF that was downloaded is the one that was mailed, and its public page names its holder.
/// `verify` is that page's address, where another page told it.
pub(super) async fn award(
    walk: &mut Walk<'_>,
    holder: &Person,
    pdf: &[u8],
    verify: Option<&Url>,
    file: &str,
) -> anyhow::Result<()> {
    walk.report.check(pdf.starts_with(b"%PDF-"), "the document is downloaded, a PDF")?;
    let what = "the mail with the document";
    let mail = walk.report.mail(holder.email, what, |mail| mail.pdf.is_some()).await?;
    walk.report.check(mail.pdf.as_deref() == Some(pdf), "the attached PDF is the same")?;
    let link = mail.link("/verify/").context("✗ the mail does not say where to check it")?;
    let same = verify.is_none_or(|verify| verify.as_str() == link);
    walk.report.check(same, "the mail says where anybody can check it")?;
    walk.report.save(&format!("certificates/{file}"), pdf)?;
    let mut stranger = Browser::at(&walk.app.config.origin())?;
    let page = stranger.open(link).await?.expect(200)?;
    walk.report
        .check(page.shows(&holder.name()), "anybody who has the code sees the holder's name")?;
    walk.report.check(!page.shows(holder.email), "and no e-mail address")?;
    let robots = page.header("x-robots-tag").contains("noindex");
    walk.report.check(robots, "search engines are kept away")
}

/// Waits for the grade.
async fn grade(
    walk: &mut Walk<'_>,
    browser: &mut Browser,
    activity: u64,
    learner: &Person,
) -> anyhow::Result<()> {
    let score = walk
        .until("the grade arrives at Campus", async || {
            score_of(walk, browser, activity, learner).await
        })
        .await?;
    let what = format!("{score} of 100 points arrived");
    walk.report.check((score - SCORE * 100.0).abs() < 0.01, &what)
}

/// What Campus's gradebook holds for this person in this activity.
async fn score_of(
    walk: &Walk<'_>,
    browser: &mut Browser,
    activity: u64,
    person: &Person,
) -> anyhow::Result<Option<f64>> {
    let state: Value = browser.open(&walk.on_campus("/_state")).await?.expect(200)?.json()?;
    let all = |name: &str| state[name].as_array().cloned().unwrap_or_default();
    let columns: Vec<Value> = all("line_items")
        .into_iter()
        .filter(|column| column["activity"] == activity)
        .map(|column| column["id"].clone())
        .collect();
    let grade = all("grades")
        .into_iter()
        .find(|grade| columns.contains(&grade["line_item"]) && grade["person"] == person.id);
    Ok(grade.and_then(|grade| grade["grade"]["score"].as_f64()))
}
