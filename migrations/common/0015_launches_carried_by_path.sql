-- cookie | path: what carries the session's token from page to page. A token of the one is worth
-- nothing as the other.
ALTER TABLE sign_in_sessions ADD COLUMN carrier TEXT NOT NULL DEFAULT 'cookie';
