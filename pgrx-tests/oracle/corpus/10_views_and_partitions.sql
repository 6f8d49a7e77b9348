SELECT * FROM plain_view WHERE id < 10

SELECT * FROM plain_view a JOIN t2 b USING (id)

SELECT * FROM barrier_view WHERE i4 = 1

SELECT * FROM barrier_view WHERE leaky(t) AND i4 >= 0

SELECT id FROM barrier_view WHERE t LIKE 'a%' OR c = 'a'

SELECT * FROM aggregate_view WHERE i4 > 0

SELECT * FROM aggregate_view WHERE rows > 1

SELECT * FROM joined_view WHERE id IN (1, 2, 3)

SELECT count(*) FROM partitioned

SELECT id, t FROM partitioned WHERE id = 2

SELECT id FROM partitioned WHERE id IN (1, 1001, 1002)

-- ordered
SELECT id FROM partitioned ORDER BY id LIMIT 7

-- ordered
SELECT id FROM partitioned ORDER BY id DESC LIMIT 7 OFFSET 1

SELECT a.id, b.id FROM partitioned a JOIN partitioned_too b ON a.id = b.id

SET LOCAL enable_partitionwise_join = on; SELECT a.id, b.id FROM partitioned a JOIN partitioned_too b ON a.id = b.id WHERE a.i4 > 0

SET LOCAL enable_partitionwise_join = on; SELECT a.id, b.id FROM partitioned a FULL JOIN partitioned_too b ON a.id = b.id

SET LOCAL enable_partitionwise_aggregate = on; SELECT i4, count(*), max(id) FROM partitioned GROUP BY i4

SET LOCAL enable_partitionwise_aggregate = on; SELECT id, count(*) FROM partitioned GROUP BY id

SELECT tableoid::regclass::text, count(*) FROM partitioned GROUP BY 1

PREPARE p(int8) AS SELECT id FROM partitioned WHERE id = $1; EXECUTE p(1); EXECUTE p(1001)

SELECT s.k, a.id FROM small s LEFT JOIN partitioned a ON a.id = s.k

SELECT count(*) FROM parent

SELECT id, i4 FROM parent WHERE i4 = 1

SELECT id FROM ONLY parent

-- ordered
SELECT id FROM parent WHERE t = 'open' OR id > 7000 ORDER BY id, i4 LIMIT 5

SELECT a.id, b.id FROM parent a JOIN t2 b ON a.i4 = b.id

SELECT id FROM parent WHERE EXISTS (SELECT 1 FROM small WHERE k = parent.id)
