CREATE TABLE link (
    marker  TEXT PRIMARY KEY,
    ticket  INTEGER UNIQUE,
    body    TEXT NOT NULL
) STRICT;
CREATE TABLE link_finding (
    product_arn TEXT NOT NULL,
    finding     TEXT NOT NULL,
    marker      TEXT NOT NULL REFERENCES link (marker) ON DELETE CASCADE,
    PRIMARY KEY (product_arn, finding)
) STRICT;
CREATE INDEX link_finding_marker ON link_finding (marker);
CREATE TABLE intent (
    marker TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;
CREATE TABLE tombstone (
    ticket INTEGER PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;
CREATE TABLE comment_sent (
    key TEXT PRIMARY KEY
) STRICT;
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    marker TEXT NOT NULL,
    body   TEXT NOT NULL,
    hash   TEXT NOT NULL
) STRICT;
CREATE INDEX audit_marker ON audit (marker);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TABLE quarantine (
    marker TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;
CREATE TABLE instant (
    name TEXT PRIMARY KEY,
    at   TEXT NOT NULL
) STRICT;
CREATE TABLE run (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE day_count (
    day      TEXT NOT NULL,
    account  TEXT NOT NULL,
    severity TEXT NOT NULL,
    state    TEXT NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (day, account, severity, state)
) STRICT;
