-- Log-ins of the dashboard, by the SHA-256 of what the browser holds: a copy of this file lets nobody in. Times are
-- milliseconds since 1970.
CREATE TABLE session (
    sha256   BLOB PRIMARY KEY,
    name     TEXT NOT NULL,
    groups   TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    seen_ms  INTEGER NOT NULL,
    ends_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX session_name ON session (name);
CREATE INDEX session_ends ON session (ends_ms);
-- Log-ins that have begun and are with the provider.
CREATE TABLE login (
    sha256   BLOB PRIMARY KEY,
    state    TEXT NOT NULL,
    nonce    TEXT NOT NULL,
    verifier TEXT NOT NULL,
    back     TEXT NOT NULL,
    ends_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX login_ends ON login (ends_ms);
CREATE TABLE form_key (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL
) STRICT;
-- Plans that the brake has stopped and a person has released.
CREATE TABLE release (
    seq      INTEGER PRIMARY KEY,
    digest   TEXT NOT NULL,
    by       TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    outcome  TEXT
) STRICT;
CREATE UNIQUE INDEX release_open ON release (digest) WHERE ended_ms IS NULL;
-- What pages look up.
CREATE INDEX link_waits ON link (marker)
WHERE body ->> '$.base.ticket.is' = 'resolved' OR body ->> '$.dispute' IS NOT NULL;
CREATE INDEX link_hidden ON link (marker) WHERE body ->> '$.ignored_by' IS NOT NULL;
CREATE INDEX link_ticket_key ON link (body ->> '$.ticket.key');
CREATE INDEX audit_run ON audit (body ->> '$.run');
