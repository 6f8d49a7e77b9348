SELECT a.id, (a).t, (a.*) IS NULL FROM t0 a

SELECT a FROM t0 a WHERE a.id < 4

SELECT x = y FROM t0 x JOIN t0 y USING (id)

SELECT ROW(id, t) FROM t0 WHERE ROW(id, i4) = ROW(1, 1) OR id = 2

SELECT ROW(id, t)::pair FROM t0 WHERE (ROW(id, t)::pair).one < 3

SELECT id FROM t0 WHERE i4::int8::text = '1'

SELECT id FROM t0 WHERE CASE WHEN t IN ('sad', 'ok', 'happy') THEN t::public.mood END > 'sad'

SELECT (CASE WHEN i4 > 0 THEN i4 ELSE 1 END)::positive FROM t0

SELECT id, t COLLATE "C" FROM t0 WHERE t COLLATE "C" >= 'a'

SELECT id, pg_typeof(n), pg_typeof(tz), pg_typeof(u) FROM t0 WHERE id < 3

SELECT i4 / 0 FROM t0 WHERE false

SELECT id, n + 0.1, n::float8, f8::numeric(1000, 3) FROM t0 WHERE abs(n) < 1e20 AND abs(f8) < 1e10

SELECT to_char(d, 'YYYY'), age(tz, '2024-01-01Z') FROM t0 WHERE d IS NOT NULL

SET LOCAL timezone = 'America/New_York'; SELECT id, tz, tz::date, ts FROM t0 WHERE tz > '2024-02-29 07:00' AND tz::date < '2030-01-01'

SET LOCAL datestyle = 'German, DMY'; SELECT id, d, ts FROM t0 WHERE d > '01.02.2000'

SET LOCAL extra_float_digits = 0; SELECT id, f8 FROM t0 WHERE f8 > 0.1

SET LOCAL bytea_output = 'escape'; SELECT md5(t), t::bytea FROM t0 WHERE t NOT LIKE '%\\%'

SET LOCAL intervalstyle = 'iso_8601'; SELECT id FROM t0 WHERE tz > '2024-03-01Z'::timestamptz - interval '1 day'
