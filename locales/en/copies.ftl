# A copied course: the same list of people, or a new one.
copies-title = Which list of people for this course?
copies-text = This activity opens the webinar “{ $title }”, which comes from another course. Tell us once whom it is for here.
copies-known-courses = So far it is for:
copies-known-people = { $confirmed ->
    [0] Nobody has signed up.
    [one] One person has signed up.
   *[other] { $confirmed } people have signed up.
}
copies-known-waiting = { $waiting ->
    [one] One more is waiting for a place.
   *[other] { $waiting } more are waiting for a place.
}
copies-known-over = All of its dates are over: with the same list there would be nothing left to attend. A new list fits better.
copies-known-cancelled = It is cancelled: with the same list nobody could sign up any more. A new list fits better.
copies-course-unnamed = A course without a name
copies-question = For this course
copies-nothing-chosen = Choose one of the two answers.
copies-same = The same list
copies-same-means = Both courses share the dates, the places and the waiting list. The trainers of both see everybody who signed up, edit the webinar and confirm presence.
copies-new = A new list
copies-new-means = A new webinar is made for this course, with the same title, description and number of places. You set its dates in the next step. Nobody has signed up yet, and the other course sees nothing of it.
copies-keep-link = For a new list: keep the link to join as well
copies-once = The answer holds for every activity of this course that opens this webinar. It cannot be changed later.
copies-button = Continue
copies-later = Answer later
copies-form-hint = This webinar is made from that of the other course. Check its date: it is kept only where it still lies ahead. Nothing is created before you save.
copies-done-shared = Noted: this course shares the webinar’s list from now on.
copies-done-renewed = This course’s webinar is created. It is what the activity opens from now on.
copies-done-before = The answer had been given before, perhaps by a colleague. Here is this course’s webinar.
copies-shared-title = Shared list
copies-shared-text = People of these courses sign up to one and the same list:
copies-wait-title = Just a little patience
copies-wait-text = Your trainer has yet to say which list this course signs up to.
copies-wait-next = There is nothing for you to do. As soon as it is decided you can sign up right here.
copies-wait-again = Look again
copies-wait-list = The course’s other webinars
