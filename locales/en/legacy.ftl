# LTI 1.1: refusals, and the window in which a launch goes on.
refused-legacy-off-text = Your platform connects with an old version of LTI (1.1), which your organisation does not allow here.
refused-legacy-off-next = Pass the details below on to whoever administers your platform: the tool has to be connected there by LTI 1.3, or LTI 1.1 be allowed here.
refused-legacy-pending-text = Your platform is known, but its connection is waiting for approval.
refused-legacy-pending-next = Once it is approved, open the activity again from your course.
refused-legacy-closed-text = Your platform’s connection to this service has been closed.
refused-legacy-closed-next = Tell the person who runs the course: the activity probably has to be replaced.
refused-legacy-consumer-key-unknown-text = Your platform introduced itself with a key that this service does not know.
refused-legacy-consumer-key-unknown-next = Pass the details below on to whoever administers your platform: the tool’s key was probably copied wrongly.
refused-legacy-signature-invalid-text = Your platform’s signature could not be verified.
refused-legacy-signature-invalid-next = Pass the details below on to whoever administers your platform: the tool’s secret, or its launch address, was probably copied wrongly.
refused-legacy-timestamp-outside-window-text = This opening link is too old, or your platform’s clock is far from the actual time.
refused-legacy-timestamp-outside-window-next = Go back to your course and open the activity again. If this keeps happening, pass the details on to the platform’s technical team.
refused-legacy-signature-method-unsupported-text = Your platform signs its messages in a way that this service does not accept.
refused-legacy-signature-method-unsupported-next = Pass the details below on to whoever administers your platform: HMAC-SHA1 and HMAC-SHA256 are accepted.
refused-legacy-resource-link-missing-text = Your platform did not say which activity to open.
refused-legacy-resource-link-missing-next = Open the activity from the course page rather than from a menu or a bookmark.

legacy-continue-text = Your browser, or your platform, does not let the activity be shown in this frame. In a window of its own, it will work as usual.
legacy-continue-next = The button works for two minutes, and once; after that, open the activity again from your course. Keep this tab open: you will come back here at the end.

problem-ticket-spent-title = This opening has been used
problem-ticket-spent-text = Going on in a new window works once, within two minutes.
problem-ticket-spent-next = Go back to your course and open the activity again. Your progress is kept.
