-- once: one attempt, which goes on after its completion | again: who finished may begin anew.
ALTER TABLE courses ADD COLUMN attempts TEXT NOT NULL DEFAULT 'once';
-- Of several finished attempts, which result counts: best | last.
ALTER TABLE courses ADD COLUMN counts TEXT NOT NULL DEFAULT 'best';
