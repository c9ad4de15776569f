-- Sums by a Region or a product together with one more dimension. A filter by either fits so many cells that adding them up
-- would take too long. Their names stand as one, with the unit separator between them. How long things took is asked for by
-- team alone.
INSERT INTO flow_sum
SELECT
    p.column1 || '+' || p.column2, s.column1, CASE s.column1 WHEN 1 THEN f.day ELSE (f.day + 3) / 7 * 7 - 3 END,
    CASE p.column1 WHEN 'region' THEN c.region ELSE c.product END || char(31) || CASE p.column2
        WHEN 'team' THEN c.team WHEN 'account' THEN c.account WHEN 'product' THEN c.product ELSE c.control END,
    c.severity, sum(new), sum(reopened), sum(fixed), sum(removed), sum(ignored), sum(deleted), sum(adopted), sum(moved)
FROM flow f JOIN cell c ON c.id = f.cell
CROSS JOIN (VALUES ('region', 'team'), ('region', 'account'), ('region', 'product'), ('region', 'control'),
    ('product', 'team'), ('product', 'account'), ('product', 'control')) p
CROSS JOIN (VALUES (1), (7)) s
GROUP BY 1, 2, 3, 4, 5;
INSERT INTO took_sum
SELECT
    p.column1 || '+' || p.column2, s.column1, t.day / s.column1 * s.column1,
    CASE p.column1 WHEN 'region' THEN c.region ELSE c.product END || char(31) || CASE p.column2
        WHEN 'team' THEN c.team ELSE c.product END,
    c.severity, t.bucket, sum(t.count)
FROM took t JOIN cell c ON c.id = t.cell
CROSS JOIN (VALUES ('region', 'team'), ('region', 'product'), ('product', 'team')) p
CROSS JOIN (VALUES (1), (28)) s
GROUP BY 1, 2, 3, 4, 5, 6;
