-- How many people came to one event, to two, and so on.
-- One row per number of events. Only people with a mobile number, a mail address or an identifier of yours count: nobody else can be
-- recognized again.
WITH attendance AS (
  SELECT p.person_key, count(*) AS events
  FROM people p
  WHERE p.person_key = p.person AND NOT p.is_host
  GROUP BY p.person_key
)
SELECT a.events, count(*) AS people
FROM attendance a
GROUP BY a.events
ORDER BY a.events;
