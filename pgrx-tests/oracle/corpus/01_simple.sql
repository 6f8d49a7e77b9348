SELECT * FROM t0

-- ordered
SELECT * FROM t0 ORDER BY id

-- ordered
SELECT * FROM t0 ORDER BY i4, id OFFSET 5 LIMIT 10

-- ordered
SELECT * FROM t0 ORDER BY t DESC NULLS LAST, id LIMIT 7

-- ordered
SELECT a FROM t0 a ORDER BY a.i8, a.id LIMIT 5

SELECT a.*, a FROM t0 AS a WHERE id = 3

SELECT id, a.tableoid::regclass::text LIKE '%t0' FROM t0 a

SELECT count(*) FROM t0

SELECT 1 FROM t0

SELECT FROM t0

SELECT count(a) FROM t0 a

SELECT id + 0, i4::text, upper(t), n * 2, f8 > 1, NOT b FROM t0

-- ordered
SELECT id FROM t0 WHERE false

SELECT id FROM t0 WHERE true

SELECT id FROM t0 WHERE NULL

SELECT id, (SELECT 1) FROM t0 WHERE (SELECT true)

WITH x AS (SELECT id, t FROM t0 WHERE id <= 10) SELECT count(*), max(t) FROM x

SELECT 'fixed', NULL FROM t0 WHERE id < 4

TABLE t0

SELECT id FROM ONLY t0

-- ordered
SELECT id FROM t0 ORDER BY id USING > LIMIT 3

-- ordered
SELECT id FROM t0 ORDER BY id FETCH FIRST 3 ROWS WITH TIES

SELECT id, row_to_json(a)->>'id' FROM t0 a WHERE id < 3

SELECT id FROM t0 ORDER BY random()
