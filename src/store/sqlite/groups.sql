-- A finding that shares a ticket has none of its own, and a ticket that nothing shares any more is over: both are merged.
DROP TRIGGER link_appears;
DROP TRIGGER link_moves;
DROP VIEW link_stage;
CREATE VIEW link_stage AS
SELECT
    marker,
    ticket,
    CASE
        WHEN body ->> '$.member' IS NOT NULL THEN 'merged'
        WHEN body ->> '$.alias.region' = 'several Regions' AND body ->> '$.base.ticket.is' = 'closed' AND body ->> '$.members' IS NULL
            THEN 'merged'
        ELSE coalesce(body ->> '$.base.ticket.is', body ->> '$.base.ticket')
    END AS stage,
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
            WHEN old.body ->> '$.member' IS NOT NULL THEN 'merged'
            WHEN old.body ->> '$.alias.region' = 'several Regions' AND old.body ->> '$.base.ticket.is' = 'closed'
                AND old.body ->> '$.members' IS NULL
                THEN 'merged'
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
