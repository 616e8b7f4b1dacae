# Webinars: list, sign-up, presence, mails.

events-title = Webinars
events-page-title = Webinar
events-back = All webinars
events-zone = ({ $zone } time)
events-create = Create a webinar
events-upcoming = Coming up
events-past = Past
events-empty-learner = Your course’s webinars will appear here as soon as a trainer has scheduled one.
events-empty-trainer = Your webinars will appear here. Create the first: the people in this course can then sign up with one click.
events-needs = To do
events-act-on = { $act }: { $title }
events-need-presence = { $count ->
    [one] One person’s presence is still to be confirmed.
   *[other] { $count } people’s presence is still to be confirmed.
}
events-need-waiting = { $count ->
    [one] One person is on the waiting list.
   *[other] { $count } people are on the waiting list.
}
events-need-soon = { $count ->
    [0] Starts soon; nobody has signed up yet.
    [one] Starts soon, with one person signed up.
   *[other] Starts soon, with { $count } people signed up.
}
events-need-act-presence = Confirm presence
events-need-act-open = Open
events-need-act-capacity = Add places
events-next-confirmed = Your next webinar: { $title }
events-next-open = Next webinar you can join: { $title }
events-next-act-open = View and join
events-next-act-sign-up = View and sign up
events-tag-cancelled = Cancelled
events-tag-confirmed = You have a place
events-tag-waiting = On the waiting list
events-tag-full = Full
events-numbers = { $confirmed ->
    [one] { $confirmed } person signed up
   *[other] { $confirmed } people signed up
}
events-numbers-capacity = { $confirmed } of { $capacity } places taken
events-numbers-waiting = { $waiting } waiting

events-is-cancelled = This webinar is cancelled.
events-is-over = This webinar is over.
events-duration = Duration: { $duration }
events-capacity = { $capacity ->
    [one] One place
   *[other] { $capacity } places
}
events-free = { $free ->
    [0] full
    [one] one place left
   *[other] { $free } places left
}
events-about = What it is about
events-your-place = Your place
events-you-none = You have not signed up yet.
events-you-full = All places are taken. You can join the waiting list.
events-you-closed = Sign-up is closed.
events-you-confirmed = You have a place.
events-you-had-place = You were signed up for this webinar.
events-you-present = Your presence is confirmed.
events-you-wait = You are on the waiting list, in position { $position }.
events-you-wait-next = As soon as a place becomes free it goes to the first person on the list, and we tell them.
events-sign-up = Sign up
events-sign-up-waiting = Join the waiting list
events-join = Join the webinar
events-calendar = Add to my calendar (.ics file)
events-attestation = Download my certificate of attendance (PDF)
events-attestation-soon = Your certificate of attendance is being prepared. It will be here in a moment.
events-no-address = We do not know your e-mail address, so no mail (confirmation, reminder, change) can be sent to you. You can sign up all the same.
events-give-address = Give my address
events-mail-goes-to = Our mails go to { $email }.
events-withdraw = Give up my place
events-withdraw-waiting = Leave the waiting list
events-withdraw-text = Your place goes to the first person on the waiting list at once. If you change your mind you will be last in line.
events-withdraw-waiting-text = You will lose your position on the waiting list.
events-withdraw-confirm = Confirm

events-run = Run this webinar
events-join-label = Join link:
events-join-missing = There is no join link yet. Add it by editing the webinar: everyone who signed up will get it by mail.
events-mark-presence = Confirm presence
events-edit = Edit
events-cancel = Cancel the webinar…
events-presence-later = You can confirm presence from a quarter of an hour before the start.
events-participants = Participants
events-participants-empty = Those who sign up will appear here. They do so from their course.
events-column-name = Name
events-column-state = Sign-up
events-column-position = Position on the waiting list
events-column-presence = Presence
events-no-name = Name not given
events-state-confirmed = Has a place
events-state-waiting = Waiting
events-state-waiting-place = Waiting, position { $position }
events-state-withdrawn = Withdrawn
events-presence-present = Present
events-presence-absent = Absent
events-export = Export the list (CSV)

events-form-title = Webinar details
events-form-new = New webinar
events-form-edit = Edit “{ $title }”
events-form-back = Back
events-form-reopen = Open the current form
events-form-errors = Nothing is saved. Correct the fields marked below.
events-form-tells = { $people ->
    [one] One person has a place or is waiting: they are told by mail if the date, the link or the title changes.
   *[other] { $people } people have a place or are waiting: they are told by mail if the date, the link or the title changes.
}
events-form-dates-fixed = The webinar is starting or has started: its date and duration can no longer change.
events-form-more-dates = This webinar has several dates. The form changes the first; the others stay as they are.
events-form-create = Create the webinar
events-form-save = Save
events-form-cancel = Discard
events-field-title = Title
events-field-description = Description (optional)
events-field-starts = Date and time of the start
events-field-time-zone = Time zone
events-field-minutes = Duration, in minutes
events-field-capacity = Number of places (optional)
events-field-join-url = Join link (optional)
events-help-description = What it covers, for whom, and what to prepare. Up to 5,000 characters.
events-help-starts = In the time zone chosen below.
events-help-minutes = From 5 minutes to 12 hours (720 minutes).
events-help-capacity = Empty: no limit. Beyond it, people go on a waiting list.
events-help-join-url = The address of the online room, starting with https://. Only those who have a place see it. You can add it later.
events-error-title-missing = Give it a title.
events-error-title-long = The title is longer than 200 characters.
events-error-description-long = The description is longer than 5,000 characters.
events-error-starts = Give a date and a time that exist in this time zone.
events-error-starts-past = This date is in the past.
events-error-starts-far = This date is more than five years away: check the year.
events-error-starts-begun = The webinar has started: its date and duration can no longer change.
events-error-minutes = The duration is between 5 and 720 minutes.
events-error-time-zone = Choose a time zone from the list.
events-error-capacity = The number of places is between 1 and 100,000.
events-error-capacity-below = { $confirmed ->
    [one] One person has a place already: the number of places cannot be lower.
   *[other] { $confirmed } people have a place already: the number of places cannot be lower.
}
events-error-join-url = The link must be a complete address starting with https://.

events-cancel-title = Cancel this webinar
events-cancel-people = { $confirmed ->
    [0] Nobody has signed up.
    [one] One person who has a place will be told by mail, and their calendar entry cancelled.
   *[other] { $confirmed } people who have a place will be told by mail, and their calendar entries cancelled.
}
events-cancel-waiting = { $waiting ->
    [one] One person on the waiting list will be told too.
   *[other] { $waiting } people on the waiting list will be told too.
}
events-cancel-text = This cannot be undone. The webinar stays in the list, marked as cancelled.
events-cancel-unreachable = { $unreachable ->
    [one] One of them has no e-mail address: please tell them yourself.
   *[other] { $unreachable } of them have no e-mail address: please tell them yourself.
}
events-cancel-confirm = Cancel the webinar
events-cancel-keep = Keep it

events-presence-title = Confirm presence
events-presence-text = A certificate of attendance is issued and sent to everyone marked present, as soon as you save. It cannot be taken back here.
events-presence-attested = Presence certified
events-presence-save = Save
events-presence-all-text = { $count ->
    [one] Was everyone there? One certificate will be issued.
   *[other] Was everyone there? { $count } certificates will be issued.
}
events-presence-all = Everyone was there
events-presence-empty = Nobody has a confirmed place: there is no presence to confirm.
events-presence-early = You can confirm presence from a quarter of an hour before the start.

events-done-created = The webinar is created. The people in this course can sign up.
events-done-edited = The changes are saved.
events-done-cancelled = The webinar is cancelled.
events-done-signed-up = You are signed up.
events-done-waiting = You are on the waiting list.
events-done-withdrawn = You are no longer signed up.
events-done-presence = Presence is saved.
events-refused-cancelled = Nothing was changed: this webinar is cancelled.
events-refused-over = Nothing was changed: this webinar is over.
events-refused-stale = Nothing is saved: somebody else edited this webinar while you were filling in the form. What you typed is below; copy what matters, then open the current form.
events-refused-early = Nothing is saved: presence can be confirmed from a quarter of an hour before the start.
events-refused-attested = Nothing is saved: these people’s certificates are issued already, and their presence cannot be taken back here. An administrator can revoke a certificate.
events-refused-attested-event = Certificates of attendance are issued already: this webinar can no longer be cancelled.
events-refused-withdraw-attested = Your presence is certified: you can no longer withdraw.

problem-events-no-context-title = A course’s webinars
problem-events-no-context-text = Your platform did not say which course you come from: webinars belong to a course.
problem-events-no-context-next = Open the activity from a course page.
problem-events-learners-only-title = For learners
problem-events-learners-only-text = You teach this course: trainers do not sign up for the webinars they run.
problem-events-learners-only-next = Go back to manage the webinar.
problem-events-presence-unreadable-title = Unreadable form
problem-events-presence-unreadable-text = The presence form is not one of this webinar. Nothing is saved.
problem-events-presence-unreadable-next = Open the presence page again and start over.

events-mail-hello = Hello,
events-mail-hello-name = Hello { $name },
events-mail-when = { $from } – { $until } ({ $zone } time)
events-mail-colon = :
events-mail-join = Join the webinar
events-mail-where-context = To see your place or give it up, open the webinar from your course “{ $context }”.
events-mail-where = To see your place or give it up, open the webinar from your course.
events-mail-invited = The attached invitation puts the webinar in your calendar.
events-mail-updated = The attached invitation updates your calendar.
events-mail-removed = The attached file removes the webinar from your calendar.
events-mail-confirmation-subject = You have a place: { $title }
events-mail-confirmation-text = Your place at this webinar is confirmed.
events-mail-waiting-subject = Waiting list: { $title }
events-mail-waiting-text = This webinar is full: you are on the waiting list. If a place becomes free for you it is yours at once, and a mail tells you.
events-mail-waiting-position = Your current position: { $position }.
events-mail-promotion-subject = A place for you: { $title }
events-mail-promotion-text = A place has become free, and it is yours: you are signed up. If you can no longer come, please give it up for the next person.
events-mail-change-subject = Changed: { $title }
events-mail-change-text = A webinar you signed up for, or are waiting for, has changed.
events-mail-change-title = It used to be called “{ $was }”.
events-mail-change-time = It was planned for:
events-mail-change-place = The join link has changed.
events-mail-change-now = This is how it is now:
events-mail-cancellation-subject = Cancelled: { $title }
events-mail-cancellation-text = This webinar is cancelled. There is nothing you need to do.
events-mail-withdrawal-subject = Withdrawn: { $title }
events-mail-withdrawal-text = You are no longer signed up.
events-mail-reminder-subject = Reminder: { $title }
events-mail-reminder-text = Your webinar takes place soon.
