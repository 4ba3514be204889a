-- Replays up to the seventh day after each event.
-- One row per event and day with replays. Day 0 is the day on which the event was scheduled to end, by the lake's wall clock. Days
-- before it are negative, if an event ended early or was moved. An event without a known end is left out. Somebody who watched on two
-- days counts on both: people do not add up.
SELECT
  s.event_id,
  date_diff('day', date(s.event_end_date), s.dt) AS days_after,
  count(*) AS replays,
  count(DISTINCT s.person) AS people,
  CAST(coalesce(sum(s.duration_seconds), 0) AS bigint) AS seconds
FROM sessions s
LEFT JOIN people p ON p.event_id = s.event_id AND p.person = s.person
WHERE s.live_type = 'replay'
  AND NOT coalesce(p.is_host, s.is_host)
  AND date_diff('day', date(s.event_end_date), s.dt) <= 7
GROUP BY 1, 2
ORDER BY 1, 2;
