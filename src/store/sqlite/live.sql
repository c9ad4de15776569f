-- Times are milliseconds since 1970; a claimed item has no due time of its own, only one that came meanwhile.
CREATE TABLE work (
    key         TEXT PRIMARY KEY,
    due_at      INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    why         TEXT,
    lease_until INTEGER,
    fence       INTEGER NOT NULL
) STRICT;
CREATE INDEX work_due ON work (due_at) WHERE lease_until IS NULL;
CREATE INDEX work_leased ON work (lease_until) WHERE lease_until IS NOT NULL;
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES ('fence', 0), ('work', 0);
CREATE TRIGGER work_counted AFTER INSERT ON work BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'work';
END;
CREATE TRIGGER work_discounted AFTER DELETE ON work BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'work';
END;
CREATE TABLE delivery (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    id     TEXT UNIQUE,
    sha256 BLOB NOT NULL UNIQUE,
    at     INTEGER NOT NULL
) STRICT;
CREATE TABLE resource_deletion (
    id      TEXT NOT NULL,
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    at      TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (id, account, region)
) STRICT;
CREATE INDEX resource_deletion_at ON resource_deletion (at_ms);
CREATE INDEX link_resource ON link (json_extract(body, '$.alias.resource'));
CREATE TABLE pause (
    scope TEXT PRIMARY KEY,
    body  TEXT NOT NULL
) STRICT;
