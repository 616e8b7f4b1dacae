-- Rows that every commit rewrites: room on the page keeps the update there (HOT).
ALTER TABLE attempts SET (fillfactor = 70);
ALTER TABLE activity_data SET (fillfactor = 70);
ALTER TABLE jobs SET (fillfactor = 70);
