-- Where viewers were.
-- One row per place, as the vendor derives it from the address: the first if it names several, or the second if the first is a dash.
-- An address of a private network is a place of its own (本地局域网). Somebody in two places counts for both.
SELECT
  coalesce(
    nullif(nullif(split_part(s.location, ',', 1), '-'), ''),
    nullif(nullif(split_part(s.location, ',', 2), '-'), ''),
    'unknown'
  ) AS region,
  count(DISTINCT s.person) AS people,
  count(*) AS sessions,
  CAST(coalesce(sum(s.duration_seconds), 0) AS bigint) AS seconds
FROM sessions s
LEFT JOIN people p ON p.event_id = s.event_id AND p.person = s.person
WHERE NOT coalesce(p.is_host, s.is_host)
GROUP BY 1
ORDER BY 2 DESC, 1;
