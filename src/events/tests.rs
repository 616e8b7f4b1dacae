use super::form::{EventForm, Field};
use super::places::{AlreadySignedUp, CannotMark, CannotWithdraw, NotWaiting, Room};
use super::*;
use crate::ids::SignupId;
use chrono::TimeZone as _;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).single().expect("a moment")
}

fn date(starts_in: TimeDelta, minutes: i64) -> EventDate {
    let starts_at = now() + starts_in;
    let ends_at = starts_at + TimeDelta::minutes(minutes);
    EventDate { id: EventDateId::new(now()), starts_at, ends_at }
}

fn signup(state: SignupState, presence: Option<Presence>) -> Signup {
    Signup {
        id: SignupId::new(now()),
        event_id: EventId::new(now()),
        person_id: PersonId::new(now()),
        state,
        position: 4,
        revision: 2,
        presence,
    }
}

fn room(capacity: Option<i64>, confirmed: i64, waiting: i64) -> Room {
    Room { capacity, confirmed, waiting }
}

#[test]
fn places_are_given_while_there_are_some() {
    assert_eq!(room(None, 1_000, 0).next(), SignupState::Confirmed);
    assert_eq!(room(Some(2), 1, 0).next(), SignupState::Confirmed);
    assert_eq!(room(Some(2), 2, 0).next(), SignupState::Waiting);
    assert_eq!(room(Some(2), 3, 0).next(), SignupState::Waiting);
}

#[test]
fn nobody_overtakes_those_who_wait() {
    assert_eq!(room(Some(3), 2, 1).next(), SignupState::Waiting);
    assert_eq!(room(Some(4), 2, 1).next(), SignupState::Confirmed);
}

#[test]
fn free_places_go_to_those_who_wait_and_no_further() {
    assert_eq!(room(Some(3), 2, 5).promotions(), 1);
    assert_eq!(room(Some(9), 2, 5).promotions(), 5);
    assert_eq!(room(Some(2), 3, 5).promotions(), 0);
    assert_eq!(room(None, 2, 5).promotions(), 5);
}

#[test]
fn any_order_of_sign_ups_and_withdrawals_keeps_to_the_capacity() {
    let capacity = Some(3);
    let (mut confirmed, mut waiting) = (0, 0);
    for step in 0..500_u32 {
        // Two arrive for each that leaves, in an order that never repeats itself soon.
        if (step.wrapping_mul(2_654_435_761) >> 16) & 3 > 0 {
            match room(capacity, confirmed, waiting).next() {
                SignupState::Confirmed => confirmed += 1,
                _ => waiting += 1,
            }
        } else if confirmed > 0 {
            confirmed -= 1;
        }
        let promotions = room(capacity, confirmed, waiting).promotions();
        confirmed += promotions;
        waiting -= promotions;
        assert!(confirmed <= 3 && (waiting == 0 || confirmed == 3), "{confirmed} {waiting}");
    }
}

#[test]
fn a_place_is_promoted_only_from_the_waiting_list() {
    let promoted = signup(SignupState::Waiting, None).promote().expect("it waits");
    assert_eq!((promoted.state, promoted.revision), (SignupState::Confirmed, 3));
    for state in [SignupState::Confirmed, SignupState::Withdrawn] {
        assert_eq!(signup(state, None).promote(), Err(NotWaiting));
    }
}

#[test]
fn who_withdrew_comes_back_at_the_end() {
    let back = signup(SignupState::Withdrawn, None)
        .sign_up_again(SignupState::Waiting, 9)
        .expect("withdrawn");
    assert_eq!((back.state, back.position, back.revision), (SignupState::Waiting, 9, 3));
    let again = signup(SignupState::Confirmed, None).sign_up_again(SignupState::Waiting, 9);
    assert_eq!(again, Err(AlreadySignedUp(SignupState::Confirmed)));
}

#[test]
fn an_attested_place_is_not_given_back() {
    let attested = signup(SignupState::Confirmed, Some(Presence::Present));
    assert_eq!(attested.withdraw(), Err(CannotWithdraw::Attested));
    let withdrawn = signup(SignupState::Withdrawn, None);
    assert_eq!(withdrawn.withdraw(), Err(CannotWithdraw::NotSignedUp));
    let absent = signup(SignupState::Confirmed, Some(Presence::Absent));
    let given_back = absent.withdraw().expect("a place");
    assert_eq!((given_back.state, given_back.presence), (SignupState::Withdrawn, None));
}

#[test]
fn presence_goes_from_absent_to_present_and_never_back() {
    let mark = |state, before, after| signup(state, before).mark(after);
    let confirmed = SignupState::Confirmed;
    let (present, absent) = (Presence::Present, Presence::Absent);
    let marked = mark(confirmed, None, present).expect("a place").expect("a change");
    assert_eq!(marked.presence, Some(present));
    assert!(mark(confirmed, Some(absent), present).expect("a place").is_some());
    assert_eq!(mark(confirmed, Some(present), present), Ok(None));
    assert_eq!(mark(confirmed, Some(absent), absent), Ok(None));
    assert_eq!(mark(confirmed, Some(present), absent), Err(CannotMark::Attested));
    for state in [SignupState::Waiting, SignupState::Withdrawn] {
        assert_eq!(mark(state, None, present), Err(CannotMark::NotConfirmed));
    }
}

#[test]
fn presence_opens_a_quarter_of_an_hour_before_the_first_date() {
    let minutes = TimeDelta::minutes;
    assert_eq!(Phase::of(&[date(minutes(16), 60)], now()), Phase::Ahead);
    assert_eq!(Phase::of(&[date(minutes(15), 60)], now()), Phase::Running);
    assert_eq!(Phase::of(&[date(minutes(-59), 60)], now()), Phase::Running);
    assert_eq!(Phase::of(&[date(minutes(-60), 60)], now()), Phase::Over);
    let two = [date(minutes(-600), 60), date(minutes(600), 90)];
    assert_eq!(Phase::of(&two, now()), Phase::Running);
    assert_eq!(total_minutes(&two), 150);
}

#[test]
fn an_event_is_cancelled_once() {
    assert_eq!(EventState::Scheduled.cancel(), Ok(EventState::Cancelled));
    assert_eq!(EventState::Cancelled.cancel(), Err(AlreadyCancelled));
}

#[test]
fn what_was_attested_is_not_cancelled() {
    let nobody = Counts::default();
    let attested = Counts { confirmed: 2, waiting: 0, present: 1 };
    assert!(may_cancel(Phase::Running, nobody).is_ok());
    let refused = may_cancel(Phase::Running, attested);
    assert!(matches!(refused, Err(CancelError::AttestationsIssued)));
    assert!(matches!(may_cancel(Phase::Over, nobody), Err(CancelError::Over)));
}

fn form() -> EventForm {
    EventForm {
        title: "  Lancer un\tprojet ".to_owned(),
        description: " Un\r\n\r\nDeux\u{0} ".to_owned(),
        starts: "2026-11-23T17:30".to_owned(),
        minutes: "90".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        capacity: String::new(),
        join_url: " https://meet.example.org/a ".to_owned(),
        ..EventForm::default()
    }
}

fn wrong(change: impl FnOnce(&mut EventForm)) -> Vec<(Field, &'static str)> {
    let mut form = form();
    change(&mut form);
    let errors = form.parse(None, now()).expect_err("something is wrong");
    errors.into_iter().map(|error| (error.field, error.message)).collect()
}

#[test]
fn a_form_becomes_an_event() {
    let event = form().parse(None, now()).expect("a valid form");
    assert_eq!(event.title, "Lancer un projet");
    assert_eq!(event.description, "Un\n\nDeux");
    assert_eq!(event.capacity, None);
    assert_eq!(event.first.starts_at.to_rfc3339(), "2026-11-23T16:30:00+00:00");
    assert_eq!((event.first.ends_at - event.first.starts_at).num_minutes(), 90);
    assert_eq!(event.join_url.expect("a link").as_str(), "https://meet.example.org/a");
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    assert_eq!(
        wrong(|form| form.title = " \u{7} ".to_owned()),
        [(Field::Title, "events-error-title-missing")]
    );
    assert_eq!(
        wrong(|form| form.title = "é".repeat(201)),
        [(Field::Title, "events-error-title-long")]
    );
    assert_eq!(
        wrong(|form| form.description = "é".repeat(5001)),
        [(Field::Description, "events-error-description-long")]
    );
    for (starts, message) in [
        ("", "events-error-starts"),
        ("demain", "events-error-starts"),
        ("2027-03-28T02:30", "events-error-starts"),
        ("2026-11-20T10:00", "events-error-starts-past"),
        ("2036-11-20T10:00", "events-error-starts-far"),
    ] {
        assert_eq!(wrong(|form| form.starts = starts.to_owned()), [(Field::Starts, message)]);
    }
    for minutes in ["", "4", "721", "-60", "1e2", "99999999999999999999"] {
        let errors = wrong(|form| form.minutes = minutes.to_owned());
        assert_eq!(errors, [(Field::Minutes, "events-error-minutes")]);
    }
    for zone in ["", "Paris", "Mars/Olympus"] {
        let errors = wrong(|form| form.time_zone = zone.to_owned());
        assert_eq!(errors, [(Field::TimeZone, "events-error-time-zone")]);
    }
    for capacity in ["0", "-1", "100001", "many"] {
        let errors = wrong(|form| form.capacity = capacity.to_owned());
        assert_eq!(errors, [(Field::Capacity, "events-error-capacity")]);
    }
    for link in ["http://meet.example.org", "javascript:alert(1)", "meet.example.org", "https://"] {
        let errors = wrong(|form| form.join_url = link.to_owned());
        assert_eq!(errors, [(Field::JoinUrl, "events-error-join-url")]);
    }
}

#[test]
fn all_errors_come_at_once() {
    let errors = wrong(|form| {
        form.title.clear();
        form.minutes.clear();
        form.capacity = "0".to_owned();
    });
    assert_eq!(errors.len(), 3);
}

#[test]
fn the_date_an_event_has_already_may_lie_behind() {
    let held = date(TimeDelta::minutes(-30), 60);
    let starts = crate::web::dates::local_field(held.starts_at, chrono_tz::Europe::Paris);
    let edited = EventForm { starts, ..form() };
    assert!(edited.parse(None, now()).is_err());
    let event = edited.parse(Some(&held), now()).expect("its own date");
    assert_eq!(event.first.starts_at, held.starts_at);
}

#[test]
fn an_edit_moves_the_dates_it_names_and_no_other() {
    let dates = [date(TimeDelta::days(1), 60), date(TimeDelta::days(2), 60)];
    let mut new = form().parse(None, now()).expect("a valid form");
    assert_eq!(moved_dates(&dates, &new), [(dates[0].id, new.first)]);
    new.first = NewDate { starts_at: dates[0].starts_at, ends_at: dates[0].ends_at };
    assert_eq!(moved_dates(&dates, &new), []);
}
