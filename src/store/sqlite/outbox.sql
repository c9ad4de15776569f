CREATE TABLE post (
    id        INTEGER PRIMARY KEY,
    place     TEXT NOT NULL,
    recipient TEXT NOT NULL,
    fold      TEXT,
    parent    INTEGER REFERENCES post (id) ON DELETE CASCADE,
    opened_ms INTEGER NOT NULL,
    due_ms    INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    sent      INTEGER NOT NULL DEFAULT 0,
    channel   TEXT,
    message   TEXT,
    trying_ms INTEGER,
    trying    INTEGER,
    attempts  INTEGER NOT NULL DEFAULT 0,
    trouble   TEXT,
    given_up  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX post_due ON post (due_ms) WHERE sent < revision AND given_up = 0;
CREATE INDEX post_fold ON post (place, recipient, fold, opened_ms);
CREATE INDEX post_parent ON post (parent) WHERE parent IS NOT NULL;
CREATE TABLE notice (
    seq    INTEGER PRIMARY KEY,
    place  TEXT NOT NULL,
    key    TEXT NOT NULL,
    post   INTEGER NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    marker TEXT,
    opens  INTEGER NOT NULL,
    body   TEXT NOT NULL,
    UNIQUE (place, key)
) STRICT;
CREATE INDEX notice_post ON notice (post);
CREATE INDEX notice_opens ON notice (place, marker) WHERE opens = 1;
-- Every change of a ticket's stage or severity, noted in the transaction that moves the link; at_ms is NULL until told.
CREATE TABLE ticket_change (
    seq          INTEGER PRIMARY KEY,
    marker       TEXT NOT NULL,
    at_ms        INTEGER,
    was          TEXT NOT NULL,
    severity_was TEXT NOT NULL,
    became       TEXT NOT NULL,
    severity     TEXT NOT NULL,
    episode      INTEGER NOT NULL,
    account      TEXT NOT NULL,
    rule         TEXT NOT NULL
) STRICT;
CREATE INDEX ticket_change_untold ON ticket_change (seq) WHERE at_ms IS NULL;
CREATE INDEX ticket_change_at ON ticket_change (at_ms);
CREATE INDEX ticket_change_marker ON ticket_change (marker, seq);
CREATE VIEW link_stage AS
SELECT
    marker,
    ticket,
    coalesce(body ->> '$.base.ticket.is', body ->> '$.base.ticket') AS stage,
    body ->> '$.severity' AS severity,
    coalesce(body ->> '$.base.episode', 0) AS episode,
    body ->> '$.alias.account' AS account,
    coalesce(nullif(body ->> '$.rule', ''), body ->> '$.alias.rule') AS rule
FROM link;
CREATE TRIGGER link_appears AFTER INSERT ON link
WHEN coalesce(new.body ->> '$.base.ticket.is', new.body ->> '$.base.ticket', 'none') <> 'none'
BEGIN
    INSERT INTO ticket_change (marker, was, severity_was, became, severity, episode, account, rule)
    SELECT marker, 'none', severity, stage, severity, episode, account, rule FROM link_stage WHERE marker = new.marker;
END;
-- A row that was damaged and is written whole again was there before, like an adopted one.
CREATE TRIGGER link_moves AFTER UPDATE OF body ON link
WHEN new.body ->> '$.base.ticket' IS NOT NULL
    AND (
        new.body ->> '$.base.ticket' IS NOT old.body ->> '$.base.ticket'
        OR new.body ->> '$.severity' IS NOT old.body ->> '$.severity'
    )
BEGIN
    INSERT INTO ticket_change (marker, was, severity_was, became, severity, episode, account, rule)
    SELECT
        marker,
        CASE
            WHEN old.body ->> '$.base.ticket' IS NOT NULL
                THEN coalesce(old.body ->> '$.base.ticket.is', old.body ->> '$.base.ticket')
            WHEN old.ticket IS NULL THEN 'none'
            ELSE 'adopted'
        END,
        coalesce(old.body ->> '$.severity', severity),
        stage,
        severity,
        episode,
        account,
        rule
    FROM link_stage WHERE marker = new.marker;
END;
