-- Which companies came. A row a company as the viewers gave it: another spelling is another company.
-- Somebody who gave two companies counts in the last by name, or in both if it was in two events.
SELECT
  coalesce(p.company, 'unknown') AS company,
  count(DISTINCT p.person) AS people,
  count(DISTINCT p.event_id) AS events,
  sum(p.seconds) AS seconds
FROM people p
WHERE NOT p.is_host
GROUP BY 1
ORDER BY 2 DESC, 1;
