-- CRC-32 of the body: a disk that gives back something else is found out. Rows of before have none until they are written again.
ALTER TABLE link ADD COLUMN sum INTEGER;
ALTER TABLE intent ADD COLUMN sum INTEGER;
ALTER TABLE tombstone ADD COLUMN sum INTEGER;
