-- Runs once in the schema of the local copies and once in that of the foreign tables. t0 and t2 have keys below 1000,
-- t1, t3 above; t4 and t5 are like t0.
CREATE VIEW plain_view AS SELECT id, i4, t, n FROM t0 WHERE i4 >= 0;
CREATE VIEW barrier_view WITH (security_barrier) AS SELECT id, i4, i8, t, c FROM t0 WHERE t <> 'open';
CREATE VIEW aggregate_view AS SELECT i4, count(*) AS rows, max(n) AS most FROM t0 GROUP BY i4;
CREATE VIEW joined_view AS SELECT a.id, a.t, b.i8 FROM t0 a JOIN t2 b USING (id);
CREATE TABLE partitioned (LIKE t0) PARTITION BY RANGE (id);
ALTER TABLE partitioned ATTACH PARTITION t0 FOR VALUES FROM (MINVALUE) TO (1000);
ALTER TABLE partitioned ATTACH PARTITION t1 FOR VALUES FROM (1000) TO (MAXVALUE);
CREATE TABLE partitioned_too (LIKE t2) PARTITION BY RANGE (id);
ALTER TABLE partitioned_too ATTACH PARTITION t2 FOR VALUES FROM (MINVALUE) TO (1000);
ALTER TABLE partitioned_too ATTACH PARTITION t3 FOR VALUES FROM (1000) TO (MAXVALUE);
CREATE TABLE parent (LIKE t4);
INSERT INTO parent (id, i4, t) VALUES (7001, 1, 'open'), (7002, NULL, NULL);
ALTER TABLE t4 INHERIT parent;
ALTER TABLE t5 INHERIT parent;
CREATE TABLE small (k int8, v int4, s text);
INSERT INTO small VALUES (1, 0, 'open'), (2, 1, 'a'), (3, NULL, NULL), (1, 2, 'ß'), (1005, 3, 'A'), (NULL, 5, 'b'), (9, -1, '');
CREATE FUNCTION ids(low int8) RETURNS SETOF int8 LANGUAGE sql STABLE AS 'SELECT g FROM generate_series(low, low + 4) g';
CREATE FUNCTION leaky(text) RETURNS bool LANGUAGE plpgsql STABLE COST 0.0000001 AS 'BEGIN RETURN true; END';
CREATE TYPE pair AS (one int8, two text);
CREATE DOMAIN positive AS int4 CHECK (VALUE > 0);
