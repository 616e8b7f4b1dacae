-- The claim reads the oldest due job; a partial index keeps it small when millions are done.
CREATE INDEX jobs_queued ON jobs (run_at) WHERE state = 'queued';
