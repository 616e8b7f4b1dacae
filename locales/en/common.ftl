# Words every page shares.
common-skip = Skip to content
common-back = Back
common-cancel = Cancel
common-mail-footer = This message was sent to you by Passerelle, the training service behind your learning platform.

home-title = Passerelle, the training service behind your platform
home-text = Self-paced courses, webinars and certificates: everything starts from your learning platform.
home-next = Open your usual course there, then choose the activity your training team offers.
