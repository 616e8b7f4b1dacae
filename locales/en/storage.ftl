# Browsers that refuse cookies in the platform’s frame.
storage-title = Opening the activity
storage-text = One moment: your platform is confirming the launch…
storage-script = To open the activity here, turn JavaScript on, then open it again from your course. You can also open it in a new window.
storage-script-again = To open the activity here, turn JavaScript on, then open it again from your course.

refused-storage-lost-text = Your platform could not confirm that the activity is opening in the browser you started in.
refused-storage-lost-next = Go back to your course and open the activity again. If this keeps happening, open it in a new window or allow cookies for this site.

problem-launch-copied-title = This address only opens from your platform
problem-launch-copied-text = The address of an activity that was opened without cookies cannot be copied, shared or bookmarked: it is yours alone.
problem-launch-copied-next = Open the activity from your course. Your progress is kept.
