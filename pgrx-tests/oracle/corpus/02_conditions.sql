SELECT * FROM t0 WHERE t0.id = 1

SELECT * FROM t0 WHERE t0.id = 1 AND t0.i4 = 0

SELECT id FROM t0 WHERE i4 IS NULL

SELECT id FROM t0 WHERE i4 IS NOT NULL

SELECT id FROM t0 WHERE round(abs(id), 0) = 1

SELECT id FROM t0 WHERE id = -id

SELECT id FROM t0 WHERE (i4 IS NOT NULL) IS DISTINCT FROM (i8 IS NOT NULL)

SELECT id FROM t0 WHERE i4 = ANY (ARRAY[i4, 1])

SELECT id FROM t0 WHERE id = ANY (ARRAY[3, 1, NULL, 5])

SELECT id FROM t0 WHERE id = (ARRAY[3, 1])[1]

SELECT id FROM t0 WHERE t = E'a\\b'

SELECT id FROM t0 WHERE t = 'o''x' OR c = 'a"b'

SELECT id FROM t0 WHERE CASE WHEN i4 > 0 THEN i4 END > 1

SELECT id FROM t0 WHERE CASE t WHEN 'open' THEN 1 WHEN 'a' THEN 2 ELSE 0 END = 1

SELECT id FROM t0 WHERE i4 = 1 OR i4 = 2 OR i4 = 3

SELECT id FROM t0 WHERE (i4 = 1 AND b) OR (i4 = 2 AND NOT b)

SELECT id FROM t0 WHERE NOT (i4 = 1 OR i8 > 5)

SELECT id FROM t0 WHERE 5 > i4 AND -1 <= i8

SELECT id FROM t0 WHERE i4 BETWEEN 0 AND 5 AND n NOT BETWEEN 0 AND 3

SELECT id FROM t0 WHERE i4 IN (1, 2, NULL)

SELECT id FROM t0 WHERE i4 NOT IN (1, 2)

SELECT id FROM t0 WHERE i4 NOT IN (1, NULL)

SELECT id FROM t0 WHERE (i4, t) IN ((1, 'a'), (0, 'open'))

SELECT id FROM t0 WHERE (i4, i8) > (1, 2)

SELECT id FROM t0 WHERE t LIKE 'a%' OR t LIKE '%b' OR t ILIKE '%OPEN%'

SELECT id FROM t0 WHERE t NOT LIKE 'a%' AND c LIKE '_'

SELECT id FROM t0 WHERE t ~ '^[a-z]+$'

SELECT id FROM t0 WHERE t SIMILAR TO '(a|b)%'

SELECT id FROM t0 WHERE starts_with(t, 'a') OR c ^@ 'o'

SELECT id FROM t0 WHERE d > '2000-01-01' AND d < current_date

SELECT id FROM t0 WHERE tz > now() - interval '30 years'

SELECT id FROM t0 WHERE ts BETWEEN '2024-02-29' AND '2024-03-01'

SELECT id FROM t0 WHERE extract(year FROM d) = 2024 OR date_trunc('day', ts) = '2024-02-29'

SELECT id FROM t0 WHERE b

SELECT id FROM t0 WHERE NOT b

SELECT id FROM t0 WHERE b IS UNKNOWN OR (b IS TRUE AND i4 IS NOT DISTINCT FROM 1)

SELECT id FROM t0 WHERE n = 5.00 OR n > 1e20 OR f8 = '0.1'

SELECT id FROM t0 WHERE f8 < 'NaN' AND f8 > '-Infinity'

SELECT id FROM t0 WHERE u = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' OR u < 'a0000000-0000-0000-0000-000000000000'

SELECT id FROM t0 WHERE i4 = 3::int8 OR i8 = 3::int2 OR i8 < 2.5

SELECT id FROM t0 WHERE t = 'open'::varchar OR c = 'a'::name

SELECT id FROM t0 WHERE length(t) > 1 AND lower(c) = c

SELECT id FROM t0 WHERE coalesce(i4, 0) = 0

SELECT id FROM t0 WHERE i4 > (SELECT avg(i4) FROM t2)

SELECT id FROM t0 WHERE random() < 2 AND id < 5

SELECT id FROM t0 WHERE public.oracle_stable(3::int8) = id OR public.oracle_volatile(4::int8) = id

SELECT id FROM t0 WHERE t COLLATE "C" < 'b'

SELECT id FROM t0 WHERE c < 'b' AND c >= 'A'

SELECT id FROM t0 WHERE (t || c) > 'a'
