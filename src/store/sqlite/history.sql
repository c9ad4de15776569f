-- What tickets are told apart by.
CREATE TABLE cell (
    id       INTEGER PRIMARY KEY,
    team     TEXT NOT NULL,
    account  TEXT NOT NULL,
    region   TEXT NOT NULL,
    product  TEXT NOT NULL,
    control  TEXT NOT NULL,
    severity TEXT NOT NULL,
    UNIQUE (account, control, region, severity, product, team)
) STRICT;
CREATE INDEX cell_control ON cell (control COLLATE NOCASE);
CREATE INDEX cell_team ON cell (team);
-- Where each link stands, in few bytes: figures read no link.
CREATE TABLE standing (
    marker    TEXT PRIMARY KEY,
    cell      INTEGER NOT NULL REFERENCES cell (id),
    stage     TEXT NOT NULL,
    opened_ms INTEGER,
    hidden_by TEXT
) STRICT;
CREATE INDEX standing_stage ON standing (stage, cell, opened_ms);
CREATE INDEX standing_hidden ON standing (hidden_by, cell) WHERE hidden_by IS NOT NULL;
-- Flows of one day (days since 1970, UTC) in one cell.
CREATE TABLE flow (
    cell     INTEGER NOT NULL,
    day      INTEGER NOT NULL,
    new      INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    fixed    INTEGER NOT NULL,
    removed  INTEGER NOT NULL,
    ignored  INTEGER NOT NULL,
    deleted  INTEGER NOT NULL,
    adopted  INTEGER NOT NULL,
    moved    INTEGER NOT NULL,
    PRIMARY KEY (cell, day)
) STRICT, WITHOUT ROWID;
-- The same summed up by one dimension ('all' has one name, ''), by day (span 1) and by week (span 7, its Monday).
CREATE TABLE flow_sum (
    dimension TEXT NOT NULL,
    span      INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    name      TEXT NOT NULL,
    severity  TEXT NOT NULL,
    new       INTEGER NOT NULL,
    reopened  INTEGER NOT NULL,
    fixed     INTEGER NOT NULL,
    removed   INTEGER NOT NULL,
    ignored   INTEGER NOT NULL,
    deleted   INTEGER NOT NULL,
    adopted   INTEGER NOT NULL,
    moved     INTEGER NOT NULL,
    PRIMARY KEY (dimension, span, day, name, severity)
) STRICT, WITHOUT ROWID;
CREATE INDEX flow_sum_name ON flow_sum (dimension, name COLLATE NOCASE, span, day);
-- How long fixed tickets took: their number by day and bucket; sums by day and by 28 days, since 1970.
CREATE TABLE took (
    cell   INTEGER NOT NULL,
    day    INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (cell, day, bucket)
) STRICT, WITHOUT ROWID;
CREATE TABLE took_sum (
    dimension TEXT NOT NULL,
    span      INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    name      TEXT NOT NULL,
    severity  TEXT NOT NULL,
    bucket    INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (dimension, span, day, name, severity, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX took_sum_name ON took_sum (dimension, name COLLATE NOCASE, span, day);
-- Stores from before: what stands now is counted, and each past change on its day. How long things took is not known.
CREATE TEMP VIEW link_cell AS
SELECT
    l.marker,
    coalesce(l.body ->> '$.owner.team', '') AS team,
    l.body ->> '$.alias.account' AS account,
    l.body ->> '$.alias.region' AS region,
    coalesce((
        SELECT CASE
            WHEN f.product_arn LIKE '%:product/aws/securityhub' THEN 'securityhub'
            WHEN f.product_arn LIKE '%:product/aws/config' THEN 'config'
            WHEN f.product_arn LIKE '%:product/aws/guardduty' THEN 'guardduty'
            WHEN f.product_arn LIKE '%:product/aws/access-analyzer' THEN 'access-analyzer'
            WHEN f.product_arn LIKE '%:product/aws/inspector' THEN 'inspector'
            WHEN f.product_arn LIKE '%:product/aws/macie' THEN 'macie'
            WHEN f.product_arn LIKE '%/default' THEN 'custom'
            ELSE substr(f.product_arn, instr(f.product_arn, ':product/') + 9)
        END FROM link_finding f WHERE f.marker = l.marker ORDER BY f.product_arn, f.finding LIMIT 1
    ), 'unknown') AS product,
    coalesce(nullif(l.body ->> '$.rule', ''), l.body ->> '$.alias.rule') AS control,
    l.body ->> '$.severity' AS severity,
    coalesce(l.body ->> '$.base.ticket.is', l.body ->> '$.base.ticket', 'none') AS stage,
    l.body ->> '$.opened_at' AS opened,
    l.body ->> '$.ignored_by.rule' AS hidden_by,
    l.body ->> '$.base.finding' AS finding
FROM link l WHERE CASE WHEN json_valid(l.body) THEN l.body ->> '$.base' END IS NOT NULL;
INSERT OR IGNORE INTO cell (team, account, region, product, control, severity)
SELECT team, account, region, product, control, severity FROM link_cell;
INSERT OR IGNORE INTO cell (team, account, region, product, control, severity)
SELECT v.team, v.account, v.region, v.product, v.control, c.severity FROM ticket_change c JOIN link_cell v USING (marker)
UNION
SELECT v.team, v.account, v.region, v.product, v.control, c.severity_was FROM ticket_change c JOIN link_cell v USING (marker);
INSERT INTO standing
SELECT v.marker, c.id, v.stage, CASE WHEN v.stage = 'open' THEN unixepoch(v.opened) * 1000 END,
    CASE WHEN v.finding = 'failing' THEN v.hidden_by END
FROM link_cell v JOIN cell c USING (team, account, region, product, control, severity);
CREATE TEMP TABLE past AS
SELECT
    v.team, v.account, v.region, v.product, v.control, c.severity, c.severity_was,
    coalesce(c.at_ms, unixepoch(v.opened) * 1000, (SELECT max(at_ms) FROM ticket_change), 0) / 86400000 AS day,
    c.was, c.became
FROM ticket_change c JOIN link_cell v USING (marker);
INSERT INTO flow
SELECT
    c.id, p.day,
    sum(p.became = 'open' AND p.was IN ('none', 'deleted')),
    sum(p.became = 'open' AND p.was IN ('resolved', 'closed', 'ignored')),
    sum(p.was = 'open' AND p.became IN ('resolved', 'closed')),
    sum(p.was = 'open' AND p.became = 'none'),
    sum(p.was = 'open' AND p.became = 'ignored'),
    sum(p.was = 'open' AND p.became = 'deleted'),
    sum(p.became = 'open' AND p.was = 'adopted'),
    sum(p.was = 'open' AND p.severity_was <> p.severity)
FROM past p JOIN cell c USING (team, account, region, product, control, severity)
GROUP BY 1, 2
HAVING sum(p.was = 'open' OR p.became = 'open') > 0;
INSERT INTO flow
SELECT c.id, p.day, 0, 0, 0, 0, 0, 0, 0, -count(*)
FROM past p
JOIN cell c ON c.team = p.team AND c.account = p.account AND c.region = p.region AND c.product = p.product
    AND c.control = p.control AND c.severity = p.severity_was
WHERE p.was = 'open' AND p.severity_was <> p.severity
GROUP BY 1, 2
ON CONFLICT (cell, day) DO UPDATE SET moved = moved + excluded.moved;
INSERT INTO flow_sum
SELECT
    d.column1, s.column1, CASE s.column1 WHEN 1 THEN f.day ELSE (f.day + 3) / 7 * 7 - 3 END,
    CASE d.column1 WHEN 'team' THEN c.team WHEN 'account' THEN c.account WHEN 'region' THEN c.region
        WHEN 'product' THEN c.product WHEN 'control' THEN c.control ELSE '' END,
    c.severity, sum(new), sum(reopened), sum(fixed), sum(removed), sum(ignored), sum(deleted), sum(adopted), sum(moved)
FROM flow f JOIN cell c ON c.id = f.cell
CROSS JOIN (VALUES ('all'), ('team'), ('account'), ('region'), ('product'), ('control')) d
CROSS JOIN (VALUES (1), (7)) s
GROUP BY 1, 2, 3, 4, 5;
DROP TABLE past;
DROP VIEW link_cell;
