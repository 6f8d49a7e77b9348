SELECT a.id, b.id FROM t0 a JOIN t2 b ON a.id = b.id

SELECT a.id, b.id, c.id FROM t0 a JOIN t2 b ON a.id = b.id JOIN t4 c ON b.i4 = c.i4

SELECT a.id, b.id FROM t0 a LEFT JOIN t1 b ON a.i4 = b.i4

SELECT a.id, b.id FROM t0 a LEFT JOIN t2 b ON a.id = b.id AND b.id < 5

SELECT a.id, b.id FROM t0 a LEFT JOIN t2 b ON a.id = b.id WHERE b.id IS NULL OR a.id > 3

SELECT a.id, b.id FROM t0 a RIGHT JOIN t2 b ON a.i8 = b.i8 WHERE b.i4 > 0

SELECT a.id, b.id FROM t0 a FULL JOIN t1 b ON a.t = b.t

SELECT a.id, b.id FROM (SELECT * FROM t0 WHERE i4 > 0) a FULL JOIN (SELECT * FROM t2 WHERE i4 > 0) b ON a.id = b.id

SELECT a.id, b.id, c.id FROM t0 a FULL JOIN t2 b ON a.id = b.id LEFT JOIN t4 c ON c.id = coalesce(a.id, b.id)

SELECT a.id, s.v FROM t0 a, small s WHERE a.id = s.k

SELECT a.id, s.v FROM small s LEFT JOIN t0 a ON a.id = s.k AND a.t = s.s

SELECT a.id, s.v FROM small s FULL JOIN t0 a ON a.i4 = s.v

SELECT count(*) FROM t0 a CROSS JOIN t2 b

SELECT count(*) FROM t0 CROSS JOIN small

SELECT a.id FROM t0 a WHERE EXISTS (SELECT 1 FROM t2 b WHERE a.i4 = b.i4)

SELECT a.id FROM t0 a WHERE NOT EXISTS (SELECT 1 FROM t2 b WHERE a.i4 = b.i4)

SELECT a.id FROM t0 a WHERE a.i4 IN (SELECT i4 FROM t2 WHERE i4 > 0)

SELECT a.id FROM t0 a WHERE a.i4 NOT IN (SELECT v FROM small WHERE v IS NOT NULL)

SELECT a.id FROM t0 a WHERE a.i4 NOT IN (SELECT v FROM small)

SELECT s.k FROM small s WHERE s.k IN (SELECT id FROM t0) OR s.s = (SELECT min(t) FROM t0)

SELECT a.id, b.id FROM t0 a JOIN t0 b ON a.i4 = b.id

SELECT a.id, b.id FROM t0 a JOIN t0 b ON a.id < b.id AND a.t = b.t

SELECT a.id, l.id FROM t0 a, LATERAL (SELECT id FROM t2 WHERE t2.i4 = a.i4 ORDER BY id LIMIT 2) l

SELECT a.id, l.n FROM t0 a LEFT JOIN LATERAL (SELECT count(*) AS n FROM t2 WHERE t2.t = a.t) l ON true

SELECT s.k, l.id FROM small s LEFT JOIN LATERAL (SELECT id FROM t0 WHERE id = s.k) l ON true

SELECT s.k, l.id FROM small s CROSS JOIN LATERAL (SELECT id FROM t0 WHERE id = s.k OR i4 = s.v) l

SELECT g, a.t FROM generate_series(1, 5) g JOIN t0 a ON a.id = g

SELECT g, a.t FROM ids(2) g LEFT JOIN t0 a ON a.id = g

SELECT a.id FROM t0 a JOIN (VALUES (1, 'x'), (2, 'y'), (2, 'z')) v(k, w) ON a.id = v.k

SELECT a.id, b.id FROM t0 a JOIN t2 b USING (id, i4)

SELECT id, i4 FROM t0 NATURAL JOIN (SELECT id, i4 FROM t2) x

SELECT a.id, b.id FROM t0 a JOIN t2 b ON a.n = b.f8 OR a.i8 = b.i4

SELECT a.id, b.id FROM t0 a JOIN t2 b ON a.i4 = b.i8 AND a.d >= b.d

SELECT x, y FROM t0 x LEFT JOIN t2 y ON x.id = y.id + 1 WHERE x.id < 5

SELECT y IS NULL, a.id FROM t0 a LEFT JOIN t1 y ON a.id = y.id

SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SELECT a.id, b.id FROM t0 a FULL JOIN t2 b ON a.id = b.id

SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SELECT a.id, b.id FROM t0 a JOIN t2 b ON a.t = b.t

SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off; SELECT s.k, a.id FROM small s LEFT JOIN t0 a ON a.id = s.k

SET LOCAL enable_memoize = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SELECT s.k, a.id FROM small s, t0 a WHERE a.id = s.k

-- ordered
SELECT a.id, b.id FROM t0 a LEFT JOIN t2 b ON a.i4 = b.i4 ORDER BY a.id, b.id OFFSET 3 LIMIT 10
