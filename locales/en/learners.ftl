# The page of the people who follow a course, and that of one person's work.
learners-link = People, progress and grades
learners-title = People of the course
learners-back-course = Back to the course
learners-caption = People of the course, progress and grades
learners-empty = Nobody to show.
learners-no-name = Name not told
learners-column-name = Name
learners-column-role = Role
learners-column-status = Status
learners-column-progress = Progress
learners-column-points = Result
learners-column-grade = Grade on the platform
learners-column-gradebook = Gradebook
learners-column-why = Why refused
learners-role-trainer = trainer
learners-role-learner = learner
learners-role-left = has left the course
learners-status-none = Not started
learners-status-begun = Under way
learners-status-completed = Completed
learners-steps = { $done } of { $total }
learners-grade-none = No grade to send
learners-grade-delivered = Sent
learners-grade-superseded = Replaced by a later grade
learners-grade-pending = Waiting
learners-grade-refused = Refused
learners-grade-points = { $points } out of 100
learners-grade-since = since { $since }
learners-grade-next = next try { $next }
learners-grade-detail = Answer received: { $detail }
learners-send = Send again
learners-send-all = { $count ->
    [one] Send the missing grade again
   *[other] Send the { $count } missing grades again
}
learners-done-sent = { $count ->
    [one] The grade is on its way to the platform again.
   *[other] { $count } grades are on their way to the platform again.
}
learners-done-nothing = There was nothing to send again.
learners-compare = Compare with the gradebook
learners-compare-failed = The gradebook could not be read.
learners-differences = { $count ->
    [0] The gradebook says the same as we do.
    [one] One grade in the gradebook differs from ours.
   *[other] { $count } grades in the gradebook differ from ours.
}
learners-gradebook-none = no grade
learners-gradebook-differs = differs
learners-export = Download the table (CSV)
learners-group = Group
learners-group-all = All groups
learners-group-show = Show
learners-left-title = No longer in the course
learners-left-text = These people worked here; the platform no longer counts them in the course.
learners-left-caption = People who left the course
learners-roster-without = The table shows only people who have been here.
learners-roster-not-offered = The platform does not give the list of the people in the course. Its administrator can allow the “names and roles” service.
learners-roster-not-granted = The platform refuses to give us this information. Its administrator can allow it in the tool’s settings.
learners-roster-elsewhere = The address given by the platform is not on its own servers; we do not call it.
learners-roster-token = The platform did not accept our identification. Its administrator can check the connection.
learners-roster-slow = The platform takes too long to answer. Try again in a few minutes.
learners-roster-unreachable = The platform cannot be reached. Try again in a few minutes.
learners-roster-gone = The platform no longer finds what we ask for. Open the activity from the course again, then retry.
learners-roster-busy = The platform is overloaded or broken. Try again in a few minutes.
learners-roster-unreadable = The platform’s answer cannot be read. Tell its administrator.
learners-column-refused = The platform does not let us make a column in the gradebook. Turn grading on in the activity’s settings, or ask the platform’s administrator to allow managing columns.
learners-refused-not-gradable = The platform accepts no grade for this person: most often they have no graded role in the course.
learners-todo-not-gradable = Check their role and enrolment in the course, then send the grade again.
learners-refused-forbidden = The platform does not allow us to write to the gradebook.
learners-todo-forbidden = Its administrator can allow it in the tool’s settings; then send the grade again.
learners-refused-gone = The gradebook’s column no longer exists.
learners-todo-gone = Once the activity is graded again and the person opens it, the grade goes out again.
learners-refused-no-column = The activity has no column in the gradebook.
learners-todo-no-column = Turn grading on in the activity’s settings, then send the grade again.
learners-refused-gave-up = The platform did not answer properly for five days.
learners-todo-gave-up = Once it works again, send the grade again.
learners-refused-broken = The platform did not accept this grade.
learners-todo-broken = Send it again; if it is refused again, pass the answer received on to the platform’s administrator.

learner-title = One person’s work
learner-own = Your work
learner-back = All people of the course
learner-whole = In short
learner-time = Time spent
learner-started = Started on
learner-completed = Completed on
learner-credential = Certificate
learner-credential-issued = Issued on { $date }.
learner-credential-revoked = Revoked.
learner-credential-verify = Verification page
learner-grades = Grade on { $platform }
learner-activities = Step by step
learner-answers = Answers: { $activity }
learner-question = Question
learner-answer = Answer
learner-verdict = Assessment
learner-right = right
learner-wrong = wrong
learner-nothing = The course has not been opened yet.

events-missing-title = People of the course who have not signed up
events-missing-count = { $count ->
    [one] One person of the course has not signed up.
   *[other] { $count } people of the course have not signed up.
}
events-missing-none = Everybody of the course has signed up.
events-missing-action = Action
events-missing-sign-up = Sign up
events-missing-unknown = Has never been here: they sign up by opening the activity.
events-missing-done = Signed up; the person is told by e-mail.
events-missing-done-waiting = The event is full: the person is on the waiting list, and told by e-mail.

problem-review-nobody-title = No work to show
problem-review-nobody-text = This person has not opened this course yet.
problem-review-nobody-next = Come back once they have started.
