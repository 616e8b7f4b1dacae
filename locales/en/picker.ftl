# Choosing content: search, preview, the way back.
picker-search = Search the content
picker-search-button = Search
picker-search-clear = Show everything
picker-found = Found: { $count }
picker-found-none = Nothing matches. Try other words.
picker-no-courses-found = No course matches your search. Try other words, or show everything.
picker-no-events-found = No coming webinar matches your search. Try other words, or create one.
picker-language-fr = French
picker-language-en = English
picker-preview = Preview
picker-preview-of = Preview: { $title }
picker-back = Back to choosing content
picker-leave = Back to the platform without adding anything
