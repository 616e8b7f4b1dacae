# One person known by two platforms: the code that proves it, and the joining.
identities-title = Your platforms
identities-link = I also come from another platform
identities-address = Your address may be known elsewhere already.
identities-text = This service knows you by the platform you come from. If you use two, you are two people here at first, each with their own courses and certificates.
identities-known = You are known here by
identities-known-name = { $name }: known here by
identities-here = you are here
identities-since = since { $date }
identities-other = I also come from another platform
identities-other-text = To bring the two together, prove that both are you: ask for a code on one side, type it on the other. An e-mail address is never enough.
identities-first = On one side: ask for a code
identities-first-text = You will type it on this same page, opened from your other platform.
identities-ask = Ask for a code
identities-ask-again = Ask for a new code
identities-code = Your code:
identities-code-next = Open an activity from your other platform, go to this same page and type the code there. It works once, for { $minutes } minutes. Give it to nobody.
identities-second = On the other: type the code
identities-label = Code from the other platform
identities-help = Eight letters and digits; capitals, spaces and dashes do not matter.
identities-look = Check the code
identities-typed-out = Too many tries in this visit. Go back to your course, open the activity again, then ask for a new code on the other platform.
identities-no-undo = Joining cannot be undone: grades and certificates will have gone out.
identities-joined = The two are one now: your courses, certificates and sign-ups are together, wherever you come from.
identities-no-name = Without a name
identities-courses = { $courses ->
    [0] No course
    [one] One course
   *[other] { $courses } courses
}
identities-certificates = { $certificates ->
    [0] No certificate
    [one] One certificate
   *[other] { $certificates } certificates
}
identities-signups = { $signups ->
    [0] No sign-up for a webinar
    [one] One sign-up for a webinar
   *[other] { $signups } sign-ups for webinars
}
identities-join-title = Join these two people?
identities-join-text = This is what will be brought together. Check that both are you.
identities-join-here = Here
identities-join-there = On the other platform
identities-join-courses = { $courses ->
    [one] One course is followed on both sides: the furthest is kept.
   *[other] { $courses } courses are followed on both sides: the furthest of each is kept.
}
identities-join-signups = { $signups ->
    [one] One webinar is booked twice: the better place is kept, the other given back.
   *[other] { $signups } webinars are booked twice: the better place is kept, the other given back.
}
identities-join-grades = Your certificates stay valid, word for word. Each platform gets the grade of a course followed through either.
identities-join-warning = This cannot be undone. If one of the two is not you, cancel.
identities-join-button = Yes, both are me: join
identities-problem-unknown = This is not the code. Check each character, or ask for a new one on the other platform.
identities-problem-expired = This code works no longer: it was used or replaced, or is older than fifteen minutes. Ask for a new one on the other platform.
identities-problem-tenant = This code comes from another training organisation. Two organisations share neither people nor certificates: nothing can be joined.
identities-problem-own = This code was asked for right here. Type it on this page, opened from your other platform.
identities-problem-often = Too many codes were tried. Try again later, with a new code.
identities-player = Your two accounts were joined, and this course goes on with the other’s progress. Go back to the course page, reload it, then open the course again.
problem-player-joined-title = Accounts joined
problem-player-joined-text = Your two accounts were joined, and this course goes on with the other’s progress.
problem-player-joined-next = Go back to the course page, reload it, then open the course again.
problem-identities-test-user-title = Test account
problem-identities-test-user-text = You are here under your platform’s test account, which is the same person as nobody.
problem-identities-test-user-next = Open the activity under your own account.
problem-identities-often-title = Too many requests
problem-identities-often-text = Many codes were asked for within the hour.
problem-identities-often-next = Try again in an hour.
