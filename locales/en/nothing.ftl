# A link that opens nothing, outside any course.
nothing-title = No content has been chosen yet
nothing-text = This activity does not lead to a course or webinar yet.
nothing-next = Tell the person who runs the course: they can choose what the activity opens.
nothing-text-trainer = This activity works, but nothing says what it should open, or which course it belongs to.
nothing-next-trainer = Edit the activity in your platform and choose content for it. To run webinars, add the activity to a course.
nothing-back = Back to the platform
