-- Earthquakes: a real API, read with SQL.
--
-- `make demo` runs this file against a mock of the USGS earthquake service that holds one week of its
-- data. Against the service itself:
--
--   psql -v base_url=https://earthquake.usgs.gov -f sql/examples/earthquakes.sql
--
-- (The service keeps correcting its data, so figures may differ a little.)

CREATE EXTENSION rest_fdw;

-- A server is an API.
CREATE SERVER usgs FOREIGN DATA WRAPPER rest_fdw
  OPTIONS (base_url :'base_url');

-- A foreign table is one of its endpoints. `field` says where a column's value is in a row of the
-- response, `filter` what the API can filter on: "magnitude >= 5" goes out as "minmagnitude=5". `exact`
-- says that the parameter means precisely that operator; without it, it may let more rows through, as
-- the service's inclusive bounds do for > and <.
CREATE FOREIGN TABLE earthquakes (
  id          text             OPTIONS (field 'id'),
  magnitude   double precision OPTIONS (field 'properties.mag', filter '>= minmagnitude exact, <= maxmagnitude exact'),
  place       text             OPTIONS (field 'properties.place'),
  time        timestamptz      OPTIONS (field 'properties.time', format 'unix_ms', filter '>= starttime exact as rfc3339, <= endtime exact as rfc3339'),
  updated     timestamptz      OPTIONS (field 'properties.updated', format 'unix_ms'),
  sig         integer          OPTIONS (field 'properties.sig', filter '>= minsig exact, <= maxsig exact'),
  type        text             OPTIONS (field 'properties.type', filter '= eventtype'),
  alert       text             OPTIONS (field 'properties.alert', filter '= alertlevel'),
  felt        integer          OPTIONS (field 'properties.felt', filter '>= minfelt exact'),
  tsunami     integer          OPTIONS (field 'properties.tsunami'),
  longitude   double precision OPTIONS (field 'geometry.coordinates.0', filter '>= minlongitude exact, <= maxlongitude exact'),
  latitude    double precision OPTIONS (field 'geometry.coordinates.1', filter '>= minlatitude exact, <= maxlatitude exact'),
  depth       double precision OPTIONS (field 'geometry.coordinates.2', filter '>= mindepth exact, <= maxdepth exact'),
  coordinates double precision[] OPTIONS (field 'geometry.coordinates'),
  properties  jsonb            OPTIONS (field 'properties'),
  feature     jsonb            OPTIONS (field '$')
) SERVER usgs OPTIONS (
  endpoint '/fdsnws/event/1/query', query '{"format": "geojson"}',
  rows 'features', key 'id', count_endpoint '/fdsnws/event/1/count',
  pagination 'offset', offset_param 'offset', first_offset '1',
  page_size_param 'limit', page_size '1000', max_page_size '20000', end_on_short_page 'true'
);

-- The strong earthquakes of a week. The API is asked for these five rows, not for all 1707.
SELECT time, magnitude, place
FROM earthquakes
WHERE magnitude >= 6 AND time >= '2018-01-31' AND time < '2018-02-07 12:00'
ORDER BY time;

-- EXPLAIN sends nothing. It shows the request, what the API filters, what is checked again here
-- because an API is not trusted with correctness, and what the API cannot do at all.
EXPLAIN (VERBOSE, COSTS OFF)
SELECT time, magnitude, place
FROM earthquakes
WHERE magnitude >= 6 AND time >= '2018-01-31' AND time < '2018-02-07 12:00'
ORDER BY time;

-- `place` declares no filter, so LIKE is done here, on the rows that the rest of the WHERE let through.
SELECT time, magnitude, place
FROM earthquakes
WHERE place LIKE '%Alaska%' AND magnitude >= 4 AND time >= '2018-01-31' AND time < '2018-02-07 12:00'
ORDER BY time;

-- ANALYZE runs the query and counts: requests, pages, bytes, rows.
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT time, magnitude, place
FROM earthquakes
WHERE place LIKE '%Alaska%' AND magnitude >= 4 AND time >= '2018-01-31' AND time < '2018-02-07 12:00';

-- Nested values: an element of an array, the array itself, any part of the row as jsonb.
SELECT longitude, latitude, depth, coordinates[3] AS depth_again, properties ->> 'magType' AS scale, feature -> 'geometry' ->> 'type' AS geometry
FROM earthquakes
WHERE magnitude >= 6 AND time >= '2018-02-04' AND time < '2018-02-07 12:00'
ORDER BY time;

-- LIMIT costs one request for a page of three rows.
SELECT time, magnitude, place
FROM earthquakes
WHERE time >= '2018-02-06' AND time <= '2018-02-07 01:00'
LIMIT 3;

EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
SELECT time, magnitude, place
FROM earthquakes
WHERE time >= '2018-02-06' AND time <= '2018-02-07 01:00'
LIMIT 3;

-- An OR over one column is a list. This API takes one type at a time, so it is asked twice.
SELECT type, count(*)
FROM earthquakes
WHERE (type = 'quarry blast' OR type = 'explosion') AND time >= '2018-01-31' AND time < '2018-02-07 12:00'
GROUP BY type
ORDER BY type;

-- The API can count, too: one request, and no rows. It is asked only if it answers every condition exactly.
SELECT count(*)
FROM earthquakes
WHERE magnitude >= 4.5 AND time >= '2018-01-31' AND time <= '2018-02-07 12:00';

EXPLAIN (COSTS OFF)
SELECT count(*)
FROM earthquakes
WHERE magnitude >= 4.5 AND time >= '2018-01-31' AND time <= '2018-02-07 12:00';

-- A table of one's own, joined with the API's.
CREATE TABLE regions (name text, south float8, north float8, west float8, east float8);
INSERT INTO regions VALUES
  ('Hawaii', 18, 23, -161, -154),
  ('Taiwan', 21, 26, 119, 123),
  ('California', 32, 42, -125, -114);

SELECT r.name, count(*) AS earthquakes, max(e.magnitude) AS strongest
FROM regions r
JOIN earthquakes e ON e.latitude BETWEEN r.south AND r.north AND e.longitude BETWEEN r.west AND r.east
WHERE e.magnitude >= 3 AND e.time >= '2018-01-31' AND e.time < '2018-02-07 12:00'
GROUP BY r.name
ORDER BY r.name;

-- A prepared statement: the request is made from each execution's own values.
PREPARE stronger(float8, timestamptz) AS
  SELECT count(*) FROM earthquakes WHERE magnitude >= $1 AND time >= $2 AND time < '2018-02-07 12:00';
EXECUTE stronger(5, '2018-01-31');
EXECUTE stronger(4.5, '2018-02-06');

-- Values that come at run time are shown as parameters: a cached plan has the statement's own $1 …
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE stronger(5, '2018-01-31');
RESET plan_cache_mode;

-- … and what is computed when the query starts is numbered after them.
EXPLAIN (VERBOSE, COSTS OFF)
SELECT count(*) FROM earthquakes WHERE magnitude >= 2.5 AND time >= now() - interval '1 day';
