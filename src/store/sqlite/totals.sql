-- Flows of each cell since counting began: what is asked of all days, narrowed so that single cells answer it, reads no day.
CREATE TABLE flow_total (
    cell     INTEGER PRIMARY KEY,
    new      INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    fixed    INTEGER NOT NULL,
    removed  INTEGER NOT NULL,
    ignored  INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    adopted  INTEGER NOT NULL,
    moved    INTEGER NOT NULL
) STRICT;
INSERT INTO flow_total
SELECT cell, sum(new), sum(reopened), sum(fixed), sum(removed), sum(ignored), sum(deleted), sum(adopted), sum(moved)
FROM flow GROUP BY cell;
