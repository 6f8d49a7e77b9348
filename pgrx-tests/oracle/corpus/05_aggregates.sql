SELECT count(*), count(i4), sum(i4), avg(i4), min(i4), max(i4), stddev(i4) FROM t0

SELECT count(*) FROM t0 WHERE i4 > 0

SELECT i4, count(*) FROM t0 GROUP BY i4

SELECT i4, sum(n), avg(n), max(t), min(c) FROM t0 WHERE id > 2 GROUP BY i4 HAVING count(*) >= 1

SELECT i4 % 2 AS odd, count(*) FROM t0 WHERE i4 IS NOT NULL GROUP BY 1

SELECT b, i4, count(DISTINCT t), count(DISTINCT i8) FROM t0 GROUP BY b, i4

-- ordered
SELECT t, count(*) FROM t0 GROUP BY t ORDER BY count(*) DESC, t LIMIT 3

SELECT sum(i4) FILTER (WHERE b), count(*) FILTER (WHERE t LIKE 'a%') FROM t0

SELECT i4, sum(id) FILTER (WHERE id < 10) FROM t0 GROUP BY i4

SELECT b, i4, count(*) FROM t0 GROUP BY GROUPING SETS ((b), (i4), ())

SELECT b, i4, count(*), grouping(b, i4) FROM t0 GROUP BY ROLLUP (b, i4)

SELECT b, i4, count(*) FROM t0 GROUP BY CUBE (b, i4)

SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY i4), mode() WITHIN GROUP (ORDER BY t) FROM t0

SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY i4) FROM t0

SELECT rank(3) WITHIN GROUP (ORDER BY i4) FROM t0

SELECT string_agg(t, ',' ORDER BY t, id), array_agg(id ORDER BY id DESC) FROM t0

SELECT array_agg(DISTINCT i4 ORDER BY i4) FROM t0

SELECT bool_and(b), bool_or(b), every(b) FROM t0

SELECT json_agg(id ORDER BY id), jsonb_object_agg(id, t) FROM t0

SELECT max(id) FROM t0

SELECT min(id), max(id) FROM t0 WHERE b

SELECT max(t), min(c), max(d), min(tz), max(ts), min(f8), max(n) FROM t0

SELECT max(id) FROM t0 WHERE i4 = (SELECT max(i4) FROM t0)

SELECT count(*) FROM t0 HAVING count(*) > 1000

SELECT 1 FROM t0 GROUP BY ()

SELECT DISTINCT i4 FROM t0

SELECT DISTINCT ON (i4) i4, id FROM t0 ORDER BY i4, id

SELECT count(*) FROM (SELECT DISTINCT t, b FROM t0) x

SELECT a.i4, count(b.id) FROM t0 a LEFT JOIN t2 b ON a.i4 = b.i4 GROUP BY a.i4

SELECT sum(x) FROM (SELECT count(*) AS x FROM t0 GROUP BY i4) y

SELECT a.id, (SELECT count(*) FROM t2 b WHERE b.i4 = a.i4) FROM t0 a

SELECT a.id FROM t0 a GROUP BY a.id HAVING a.id > (SELECT avg(id) FROM t2)

SELECT count(*) FROM t0 WHERE t = 'nowhere to be found'

SELECT sum(n) FROM t0 WHERE false

SELECT i4, count(*) OVER (), count(*) FROM t0 GROUP BY i4

SELECT variance(i8::numeric), corr(i4, id)::text IS NULL FROM t0
