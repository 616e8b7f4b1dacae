# The staff's console: sign-in, frame of the pages, home.
console-nav = Console
console-nav-home = Home
console-nav-platforms = Platforms
console-language = Language of the console
console-signed-in-as = Your account:
console-sign-out = Sign out

console-sign-in-title = Sign in to the console
console-sign-in-text = The console is for the people who administer the service or coordinate training.
console-sign-in-with = Sign in with { $name }
console-sign-in-by-mail = Or receive a link by e-mail
console-sign-in-label = E-mail address
console-sign-in-help = The address your access was opened for. We will send a sign-in link to it.
console-sign-in-invalid = This address is not complete. It needs a part before and a part after the @ sign, for example first.last@example.org.
console-sign-in-button = Send me a link
console-sign-in-sent = If this address has access to the console, a sign-in link is on its way to it.
console-sign-in-sent-next = It works once, for a quarter of an hour. If it does not arrive within a few minutes, look in your spam folder, or ask the service’s administrators whether your access is open.
console-sign-in-again = Use another address

console-link-title = Signing in to the console
console-link-hello = Hello { $name }
console-link-text = Your link is valid. All that is left is to sign in.
console-link-invited = You have been given access to Passerelle’s console.
console-link-button = Sign in
console-link-provider-title = Using { $name }
console-link-provider-text = To sign in with { $name } from now on, finish the invitation this way: your account there will be linked to this access.
console-link-provider = Sign in with { $name } to finish the invitation
console-link-not-me = This link was not meant for you? Just close this page: nothing will change.
console-link-gone-title = This link no longer works
console-link-gone-text = It has been used already, or it is too old.
console-link-gone-again = Ask for a new link

console-mail-subject = Your sign-in link for Passerelle’s console
console-mail-hello = Hello { $name },
console-mail-text = Here is the link you asked for to sign in to the console.
console-mail-act = To sign in to the console, open this link:
console-mail-button = Open the console
console-mail-copy = If the button does not work, copy this address into your browser:
console-mail-limit = { $minutes ->
    [one] The link works once, for { $minutes } minute.
   *[other] The link works once, for { $minutes } minutes.
}
console-mail-not-me = You did not ask for this? Ignore this message, and pass the link on to nobody.

console-home-title = Home of the console
console-home-hello = Hello { $name }
console-home-tenant = You coordinate the training of: { $tenant }
console-home-well = All is well: nothing is waiting for you.
console-home-well-text = Launches, scores and e-mails are running smoothly. Have a lovely day!
console-home-needs = To do today
console-home-refused = Launches refused in the last 24 hours
console-home-refused-caption = Launches refused in the last 24 hours, by platform and reason
console-refused-platform = Platform
console-refused-code = Reason
console-refused-count = Number
console-refused-mend = What to do
console-refused-unknown = Unknown platform
console-need-open = Open “{ $name }”
console-need-open-platforms = Open the platforms

console-need-no-platform = No platform is connected to this service yet.
console-mend-no-platform = Connect your learning platform so that activities can open.
console-need-registration = The platform “{ $name }” registered itself and waits for your approval.
console-mend-registration = Make sure that it is yours, then accept or refuse it.
console-need-deployment = A deployment of “{ $name }” waits to be approved:
console-mend-deployment = Until then its activities do not open. Approve it if you expect it.
console-mend-ask-admin = Ask the service’s administrators to look at it.
console-need-scores-refused = { $count ->
    [one] A score was refused by “{ $name }”.
   *[other] { $count } scores were refused by “{ $name }”.
}
console-mend-scores-refused = Check in the platform that the activity and its grade column still exist, and that the tool may write to it.
console-need-scores-late = { $count ->
    [one] A score has been waiting for more than a day to be taken by “{ $name }”.
   *[other] { $count } scores have been waiting for more than a day to be taken by “{ $name }”.
}
console-mend-scores-late = Sending repeats by itself: check that the platform answers and that its token service can be reached.
console-need-mails-failed = { $count ->
    [one] An e-mail could not be delivered ({ $name }).
   *[other] { $count } e-mails could not be delivered ({ $name }).
}
console-mend-mails-failed = Most often the address no longer exists: the server’s answer is kept with the message. To try the server: passerelle mail test.
console-need-mails-unknown = { $count ->
    [one] An e-mail may or may not have arrived ({ $name }).
   *[other] { $count } e-mails may or may not have arrived ({ $name }).
}
console-mend-mails-unknown = The mail server did not confirm that it took it: its log tells.
console-need-jobs = { $count ->
    [one] A job failed for good ({ $name }).
   *[other] { $count } jobs failed for good ({ $name }).
}
console-mend-jobs = The reason is kept with the job. For a complete check: passerelle doctor.
console-mend-launch-registration = Compare the platform’s issuer and client id with those of the registration.
console-mend-launch-deployment = Approve the deployment if you expect it.
console-mend-launch-browser = Browsers block a cookie: have the activity open in a new window, and check that this service is served over https.
console-mend-launch-unavailable = Check that the platform’s key address answers from this server.
console-mend-launch-item = The activity shows content that was removed: the course team has to choose another.
console-mend-launch-internal = The error is on our side: run passerelle doctor, then read the service’s log.
console-mend-launch-again = A link was opened again after use. Nothing to do, unless it happens often.
console-mend-launch-platform = The platform broke off the launch: its own logs say why.
console-mend-launch-clock = Set the clock of the platform’s server, or of this one.
console-mend-launch-message = The platform sends an incomplete or badly signed message: go over its settings of the tool.

problem-console-signed-out-title = Your session is over
problem-console-signed-out-text = You are no longer signed in to the console. Nothing was changed.
problem-console-signed-out-next = Sign in again, then repeat what you did.
problem-console-admins-only-title = A page for administrators
problem-console-admins-only-text = This page is for the people who administer the whole installation; your access is to the training of one organisation.
problem-console-admins-only-next = If you need it, ask the service’s administrators.
problem-console-provider-away-title = Sign-in is not available
problem-console-provider-away-text = The identity service does not answer properly.
problem-console-provider-away-next = Try again in a few minutes, or ask for a sign-in link by e-mail.
problem-console-provider-refused-title = Sign-in refused
problem-console-provider-refused-text = The identity service did not confirm who you are, or its answer could not be verified.
problem-console-provider-refused-next = Start again from the sign-in page, or ask for a link by e-mail.
problem-console-sign-in-lost-title = Please sign in again
problem-console-sign-in-lost-text = This sign-in began in another browser, or too long ago.
problem-console-sign-in-lost-next = Start again from the sign-in page.
problem-console-unknown-title = The console does not know this account
problem-console-unknown-text = Your identity is confirmed, but it is linked to no access to the console.
problem-console-unknown-next = The first time, open the link of your invitation in this browser, and finish it with this account. Otherwise ask for a link by e-mail.
problem-console-invitation-gone-title = The invitation is over
problem-console-invitation-gone-text = This invitation has been used already, or it is too old.
problem-console-invitation-gone-next = Ask the service’s administrators for a new one.
problem-console-identity-taken-title = Account linked already
problem-console-identity-taken-text = This account is linked to another person’s access already. The invitation was not used.
problem-console-identity-taken-next = Sign in with your own account, or use the invitation’s own sign-in button.
problem-console-often-title = Too many requests
problem-console-often-text = Many links were asked for from your network just now.
problem-console-often-next = Wait a minute, then try again.
