-- ordered
SELECT i4 FROM t0 ORDER BY i4

-- ordered
SELECT i4 FROM t0 ORDER BY i4 DESC

-- ordered
SELECT i4 FROM t0 ORDER BY i4 NULLS FIRST LIMIT 4

-- ordered
SELECT i4 FROM t0 ORDER BY i4 DESC NULLS LAST LIMIT 4

-- ordered
SELECT t FROM t0 ORDER BY t

-- ordered
SELECT c FROM t0 ORDER BY c DESC LIMIT 6

-- ordered
SELECT t FROM t0 ORDER BY t COLLATE "C"

-- ordered
SELECT b, i4 FROM t0 ORDER BY b, i4 DESC

-- ordered
SELECT d, id FROM t0 ORDER BY d NULLS FIRST, id DESC LIMIT 5 OFFSET 2

-- ordered
SELECT n FROM t0 ORDER BY n USING > LIMIT 5

-- ordered
SELECT u, f8 FROM t0 ORDER BY u, f8 LIMIT 5

-- ordered
SELECT tz, ts FROM t0 ORDER BY tz DESC, ts

-- ordered
SELECT id FROM t0 WHERE i4 > 0 ORDER BY id LIMIT 1

-- ordered
SELECT id FROM t0 WHERE length(t) > 0 ORDER BY id LIMIT 2

-- ordered
SELECT id FROM t0 ORDER BY i4::int8 + 1, id LIMIT 3

-- ordered
SELECT id FROM t0 ORDER BY id LIMIT 0

-- ordered
SELECT id FROM t0 ORDER BY id OFFSET 1000

-- ordered
SELECT id FROM t0 ORDER BY id LIMIT ALL

-- ordered
SELECT a.id FROM t0 a JOIN t2 b USING (id) ORDER BY a.id LIMIT 3
