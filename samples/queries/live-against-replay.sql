-- Live against replay: people and seconds of both.
-- One row per event, with 0 if nobody came. Somebody who did both counts for both, and in people_both.
SELECT
  e.event_id,
  e.title,
  count(p.person) FILTER (WHERE p.live_sessions > 0) AS live_people,
  count(p.person) FILTER (WHERE p.replay_sessions > 0) AS replay_people,
  count(p.person) FILTER (WHERE p.live_sessions > 0 AND p.replay_sessions > 0) AS people_both,
  CAST(coalesce(sum(p.live_seconds), 0) AS bigint) AS live_seconds,
  CAST(coalesce(sum(p.replay_seconds), 0) AS bigint) AS replay_seconds
FROM events e
LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host
GROUP BY e.event_id, e.title
ORDER BY e.event_id;
