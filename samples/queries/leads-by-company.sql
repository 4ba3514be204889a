-- Which companies came.
-- One row per company as the viewers wrote it: another spelling is another company. Somebody who gave two companies counts for the
-- last one in alphabetical order, or for both if it was in two events. Viewings that do not say who came count as time, not as
-- people.
SELECT
  coalesce(CASE WHEN s.person IS NULL THEN s.company ELSE p.company END, 'unknown') AS company,
  count(DISTINCT s.person) AS people,
  count(DISTINCT s.event_id) AS events,
  CAST(coalesce(sum(s.duration_seconds), 0) AS bigint) AS seconds
FROM sessions s
LEFT JOIN people p ON p.event_id = s.event_id AND p.person = s.person
WHERE NOT coalesce(p.is_host, s.is_host)
GROUP BY 1
ORDER BY 2 DESC, 1;
