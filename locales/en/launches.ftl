# Arriving from a platform: refusals, a window of its own, choosing content.
refused-title = The activity could not be opened
refused-details = Details for the technical team
refused-code = Code
refused-detail = Detail

refused-registration-text = Your platform is not connected to this service yet, or no longer is.
refused-registration-next = Pass the details below on to whoever administers your platform: they can check how the tool is registered.
refused-deployment-text = Your platform is known, but this installation of the tool is waiting for approval.
refused-deployment-next = The request has been noted. Once it is approved, open the activity again from your course.
refused-browser-text = This page was opened in a different browser from the one you started in, or the browser blocked a cookie we need.
refused-browser-next = Go back to your course and open the activity again. If this keeps happening, allow cookies for this site or try another browser.
refused-unavailable-text = Your platform did not answer in time when we checked its signature.
refused-unavailable-next = Wait a minute, then open the activity again from your course.
refused-item-text = The chosen content no longer exists, or is no longer offered.
refused-item-next = Tell the person who runs the course: they can choose other content in the activity’s settings.
refused-internal-text = An error on our side prevented the activity from opening.
refused-internal-next = Open the activity again in a few minutes. If the error persists, pass the details below on to support.
refused-again-text = This opening link has already been used or is no longer valid.
refused-again-next = Go back to your course and open the activity again: a new link will be made.
refused-platform-text = Your platform interrupted the opening.
refused-platform-next = Sign in to your platform again, then open the activity from your course.
refused-clock-text = Your platform’s message is dated too far from the actual time.
refused-clock-next = Open the activity again. If this keeps happening, the clock of the platform’s server is probably wrong: pass the details on to its technical team.
refused-message-text = The message your platform sent is incomplete or could not be verified.
refused-message-next = Open the activity again from your course. If this keeps happening, pass the details below on to whoever administers your platform.

refused-platform-login-required-text = Your platform no longer recognises you: your sign-in has expired.
refused-platform-login-required-next = Sign in to your platform again, then open the activity from your course.
refused-platform-access-denied-text = Your platform does not allow you to open this activity.
refused-platform-access-denied-next = Check that you take part in the course, then tell the person who runs it.
refused-platform-server-error-text = Your platform ran into an error.
refused-platform-server-error-next = Wait a few minutes, then open the activity again from your course.
refused-platform-unauthorized-client-text = Your platform does not recognise this service as an authorised tool.
refused-platform-unauthorized-client-next = Pass the details below on to whoever administers your platform: the client identifier is probably disabled there, or was copied wrongly.
refused-resource-link-missing-text = Your platform did not say which activity to open.
refused-resource-link-missing-next = Open the activity from the course page rather than from a menu or a bookmark.

new-window-title = Continue in a new window
new-window-text = Your browser protects your privacy by blocking cookies inside this frame. In a window of its own, the activity will work as usual.
new-window-button = Open the activity
new-window-next = Keep this tab open: you will come back here at the end.

picker-title = Choose content
picker-text-one = Choose the course or webinar to add to your course.
picker-text-many = Choose one or more items to add to your course.
picker-courses = Self-paced courses
picker-events = Webinars and trainings
picker-no-courses = No course is published yet. Those your organisation publishes will appear here.
picker-no-events = No webinar is planned. Those you create will appear here.
picker-create-event = Create a webinar here
picker-none-chosen = Choose at least one item.
picker-button = Add to the course
picker-refuses = Your platform accepts no content that this service can offer. Add the tool as an external activity instead, or ask whoever administers the platform.
picker-return-title = Back to your platform
picker-return-text = Your choice is being sent to your platform…
picker-return-button = Finish
