-- Which devices viewers used.
-- One row per device. If the vendor names several for one viewing, the first counts. Somebody with two devices counts for both.
SELECT
  coalesce(
    nullif(nullif(split_part(s.device_type, ',', 1), '-'), ''),
    nullif(nullif(split_part(s.device_type, ',', 2), '-'), ''),
    'unknown'
  ) AS device,
  count(DISTINCT s.person) AS people,
  count(*) AS sessions,
  CAST(coalesce(sum(s.duration_seconds), 0) AS bigint) AS seconds
FROM sessions s
LEFT JOIN people p ON p.event_id = s.event_id AND p.person = s.person
WHERE NOT coalesce(p.is_host, s.is_host)
GROUP BY 1
ORDER BY 2 DESC, 1;
