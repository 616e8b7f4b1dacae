//! A webinar's life: scheduled, signed up for, changed, reminded of, attended, attested.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Europe::Paris;

use super::browser::{Answer, Browser};
use super::course::award;
use super::report::Mail;
use super::{Walk, person};
use crate::demo::campus::Person;
use crate::demo::seed;
use crate::web::dates;

const TITLE: &str = "Préparer la première visioconférence entre deux classes";
/// What the trainer types.
const FIELDS: [(&str, &str); 6] = [
    ("title", TITLE),
    ("description", "Rôles, règles de parole, solution de secours : une heure pour tout prévoir."),
    ("minutes", "60"),
    ("time_zone", "Europe/Paris"),
    ("capacity", "2"),
    ("join_url", "https://visio.example.org/premiere-visio"),
];

/// Somebody and their browser.
struct Guest {
    person: &'static Person,
    browser: Browser,
}

/// The webinar, as the trainer made it.
struct Planned {
    id: String,
    starts_at: DateTime<Utc>,
}

pub(super) async fn walk(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let mut trainer = guest(walk, 3).await?;
    let mut planned = schedule(walk, &mut trainer).await?;
    let (mut zoe, mut aurelien, mut noelle) =
        (guest(walk, 4).await?, guest(walk, 5).await?, guest(walk, 6).await?);
    sign_ups(walk, &planned, &mut zoe, &mut aurelien, &mut noelle).await?;
    change(walk, &mut planned, &mut trainer).await?;
    cancel(walk, &mut trainer, &mut zoe).await?;
    remind(walk, &planned).await?;
    attend(walk, &planned, &mut trainer, &mut zoe).await
}

async fn guest(walk: &mut Walk<'_>, id: u64) -> anyhow::Result<Guest> {
    let person = person(id)?;
    let browser = walk.sign_in(person).await?;
    Ok(Guest { person, browser })
}

impl Guest {
    /// The list of webinars, through its link in Campus.
    async fn list(&mut self, walk: &Walk<'_>) -> anyhow::Result<Answer> {
        let activity = walk.activity("events")?;
        let page = walk.launch(&mut self.browser, activity).await?.expect(200)?;
        ensure!(page.url.path().ends_with("/events"), "✗ the link does not lead to the webinars");
        Ok(page)
    }

    /// The page of a webinar, by way of the list.
    async fn webinar(&mut self, walk: &Walk<'_>, id: &str) -> anyhow::Result<Answer> {
        let list = self.list(walk).await?;
        let link = list.link_to(&format!("/events/{id}"));
        let link = link.context("✗ the webinar is not in the list")?;
        self.browser.follow(&list.url, link).await?.expect(200)
    }

    /// Follows a link of the page that ends so.
    async fn go(&mut self, page: &Answer, ending: &str) -> anyhow::Result<Answer> {
        let link = page.link_to(ending);
        let link = link.with_context(|| format!("✗ the page has no link to …{ending}"))?;
        self.browser.follow(&page.url, link).await?.expect(200)
    }

    /// Presses the button of the form that goes there.
    async fn press(&mut self, page: &Answer, ending: &str) -> anyhow::Result<Answer> {
        let answer = self.browser.submit(page, &page.form_to(ending)?).await?.expect(200)?;
        ensure!(answer.redirected, "✗ the form for …{ending} was not accepted");
        Ok(answer)
    }
}

fn asks(mail: &Mail) -> bool {
    mail.property("METHOD") == Some("REQUEST")
}

fn cancels(mail: &Mail) -> bool {
    mail.property("METHOD") == Some("CANCEL")
}

async fn schedule(walk: &mut Walk<'_>, trainer: &mut Guest) -> anyhow::Result<Planned> {
    walk.report.step(&format!("{} schedules a webinar from Campus", trainer.person.name()));
    let list = trainer.list(walk).await?;
    let page = trainer.go(&list, "/events/new").await?;
    let mut form = page.form_to("/events/new")?;
    let refused = trainer.browser.submit(&page, &form).await?.expect(422)?;
    walk.report.check(!refused.redirected, "an empty form is refused, field by field")?;
    let starts_at = seed::workday(walk.app.clock.now(), 7, (17, 30), Paris)
        .context("the webinar has no date")?;
    let starts = dates::local_field(starts_at, Paris);
    for (field, value) in FIELDS.into_iter().chain([("starts", starts.as_str())]) {
        ensure!(form.fill(field, value), "✗ the form has no field {field}");
    }
    let shown = trainer.browser.submit(&page, &form).await?.expect(200)?;
    walk.report.check(shown.redirected && shown.shows(TITLE), "the webinar is in the calendar")?;
    let id = shown.url.path_segments().and_then(|mut parts| parts.next_back());
    let id = id.context("✗ the webinar has no address")?.to_owned();
    Ok(Planned { id, starts_at })
}

/// Two places, three people.
async fn sign_ups(
    walk: &mut Walk<'_>,
    planned: &Planned,
    zoe: &mut Guest,
    aurelien: &mut Guest,
    noelle: &mut Guest,
) -> anyhow::Result<()> {
    walk.report.step("Three people sign up for two places");
    let mut entries = Vec::new();
    for guest in [&mut *zoe, &mut *aurelien] {
        let page = guest.webinar(walk, &planned.id).await?;
        guest.press(&page, "/signup").await?;
        let what = format!("{} has a place, and a calendar entry", guest.person.name());
        entries.push(walk.report.mail(guest.person.email, &what, asks).await?);
    }
    let page = noelle.webinar(walk, &planned.id).await?;
    let waiting = noelle.press(&page, "/signup").await?;
    walk.report.check(waiting.form_to("/withdraw").is_ok(), "Noëlle is on the waiting list")?;
    let told = |mail: &Mail| mail.calendar.is_none();
    walk.report.mail("noelle", "she is told so, without a calendar entry", told).await?;

    walk.report.step("Aurélien withdraws: his place goes to Noëlle");
    let page = aurelien.webinar(walk, &planned.id).await?;
    aurelien.press(&page, "/withdraw").await?;
    let what = "the entry is taken out of his calendar";
    let gone = walk.report.mail(aurelien.person.email, what, cancels).await?;
    let had = entries.last().context("✗ he had no entry")?;
    let same = gone.property("UID") == had.property("UID") && gone.sequence() > had.sequence();
    walk.report.check(same, "it is the same entry, with a higher SEQUENCE")?;
    walk.report.mail("noelle", "Noëlle has the place now", asks).await?;
    let page = noelle.webinar(walk, &planned.id).await?;
    let calendar = noelle.go(&page, "/calendar.ics").await?;
    let published = calendar.text().contains("METHOD:PUBLISH");
    walk.report.check(published, "she can download the entry from the page")?;
    walk.report.save("calendars/webinar.ics", &calendar.body)
}

async fn change(
    walk: &mut Walk<'_>,
    planned: &mut Planned,
    trainer: &mut Guest,
) -> anyhow::Result<()> {
    walk.report.step("The webinar moves by half an hour");
    let page = trainer.webinar(walk, &planned.id).await?;
    let page = trainer.go(&page, "/edit").await?;
    let mut form = page.form_to("/edit")?;
    planned.starts_at += TimeDelta::minutes(30);
    let starts = dates::local_field(planned.starts_at, Paris);
    ensure!(form.fill("starts", &starts), "✗ the form has no field starts");
    let moved = trainer.browser.submit(&page, &form).await?.expect(200)?;
    walk.report.check(moved.redirected, "the change is stored")?;
    trainer.browser.submit(&page, &form).await?.expect(409)?;
    walk.report.seen("the same form sent from a second window is refused as stale");
    let starts = planned.starts_at.format("%Y%m%dT%H%M%SZ").to_string();
    for (to, name) in [("zoe", "Zoé"), ("noelle", "Noëlle")] {
        let what = format!("{name} is told, and the calendar entry moves");
        let at_new_time = |mail: &Mail| asks(mail) && mail.property("DTSTART") == Some(&starts);
        let mail = walk.report.mail(to, &what, at_new_time).await?;
        let what = format!("SEQUENCE is {} now", mail.sequence().unwrap_or_default());
        walk.report.check(mail.sequence() > Some(1), &what)?;
    }
    Ok(())
}

/// The workshop that the demo starts with.
async fn cancel(walk: &mut Walk<'_>, trainer: &mut Guest, zoe: &mut Guest) -> anyhow::Result<()> {
    walk.report.step("A workshop is cancelled");
    let item = walk.campus.inspect(|state| {
        let mut items = state.activities.values().flat_map(|activity| &activity.custom);
        items.rfind(|(_, value)| value.starts_with("event/")).cloned()
    });
    let (_, item) = item.context("✗ Campus shows no webinar")?;
    let activity = walk.activity(&item)?;
    let page = walk.launch(&mut zoe.browser, activity).await?.expect(200)?;
    zoe.press(&page, "/signup").await?;
    let entry = walk.report.mail("zoe", "Zoé has a place, through its own link", asks).await?;
    let page = walk.launch(&mut trainer.browser, activity).await?.expect(200)?;
    let question = trainer.go(&page, "/cancel").await?;
    trainer.press(&question, "/cancel").await?;
    walk.report.seen("the trainer was asked, and confirmed");
    let gone = walk.report.mail("zoe", "Zoé is told", cancels).await?;
    let same = gone.property("UID") == entry.property("UID")
        && gone.property("STATUS") == Some("CANCELLED")
        && gone.sequence() > entry.sequence();
    walk.report.check(same, "the same calendar entry is cancelled, with a higher SEQUENCE")
}

/// The day before.
async fn remind(walk: &mut Walk<'_>, planned: &Planned) -> anyhow::Result<()> {
    walk.report.step("A day before, those who have a place are reminded");
    let eve = planned.starts_at - TimeDelta::hours(24) + TimeDelta::minutes(1);
    walk.advance(eve - walk.app.clock.now()).await?;
    for (to, name) in [("zoe", "Zoé"), ("noelle", "Noëlle")] {
        walk.report.mail(to, &format!("the reminder for {name}"), asks).await?;
    }
    walk.settle().await?;
    walk.report.check(!walk.report.has_unread("aurelien"), "Aurélien, who withdrew, gets none")
}

async fn attend(
    walk: &mut Walk<'_>,
    planned: &Planned,
    trainer: &mut Guest,
    zoe: &mut Guest,
) -> anyhow::Result<()> {
    walk.report.step("The trainer marks who was present");
    walk.advance(planned.starts_at + TimeDelta::minutes(50) - walk.app.clock.now()).await?;
    let page = trainer.webinar(walk, &planned.id).await?;
    let list = trainer.go(&page, "/participants.csv").await?;
    walk.report.check(list.shows(zoe.person.family_name), "the list of participants is a file")?;
    walk.report.save("participants.csv", &list.body)?;
    let sheet = trainer.go(&page, "/presence").await?;
    let mut form = sheet.form_to("/presence")?;
    let mut rows: Vec<String> = Vec::new();
    for field in form.fields.iter().filter(|field| field.name.starts_with("presence-")) {
        if !rows.contains(&field.name) {
            rows.push(field.name.clone());
        }
    }
    // By family name: D’Hervé, then Lefèvre. The mail shows that it was the right one.
    let [absent, present] = rows.as_slice() else {
        anyhow::bail!("✗ the sheet has {} rows instead of two", rows.len());
    };
    let marked = form.fill(absent, "absent") && form.fill(present, "present");
    ensure!(marked, "✗ presence cannot be marked");
    for what in ["Zoé was present, Noëlle was not", "the same sheet sent again changes nothing"] {
        let saved = trainer.browser.submit(&sheet, &form).await?.expect(200)?;
        walk.report.check(saved.redirected, what)?;
    }

    walk.report.step("Who was present gets an attestation");
    let page = zoe.webinar(walk, &planned.id).await?;
    let (here, browser) = (page.url, &mut zoe.browser);
    let link = walk
        .until("the page links the attestation", async || {
            let page = browser.follow(&here, here.clone()).await?.expect(200)?;
            Ok(page.link_with("/credentials/"))
        })
        .await?;
    let pdf = browser.follow(&here, link).await?.expect(200)?;
    award(walk, zoe.person, &pdf.body, None, "attestation-zoe-lefevre.pdf").await?;
    walk.settle().await?;
    walk.report.check(!walk.report.has_unread("zoe"), "it came once")?;
    walk.report.check(!walk.report.has_unread("noelle"), "Noëlle, who was absent, gets none")
}
