-- How many people came to each event, how many of them live, and for how long.
-- One row per event, with 0 if nobody came. Its day stays the same if the event is moved. Hosts are left out: whoever hosted an
-- event is not a viewer of it, whatever else they did there. Viewings that do not say who came count as sessions, not as people.
SELECT
  e.event_id,
  e.title,
  e.dt AS event_day,
  count(p.person) AS people,
  count(p.person) FILTER (WHERE p.live_sessions > 0) AS live_people,
  CAST(coalesce(sum(p.sessions), 0) AS bigint) AS sessions,
  CAST(coalesce(sum(p.seconds), 0) AS bigint) AS seconds
FROM events e
LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host
GROUP BY e.event_id, e.title, e.dt
ORDER BY e.dt, e.event_id;
