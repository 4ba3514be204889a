-- The most people who were online in one minute of each event, live, and the first minute with that many.
-- One row per event with live viewers and a known start. As in online-by-minute, somebody who left in a minute and somebody who came
-- later in it count together: at any instant, there may have been fewer. Viewings that do not say who came are left out. The number
-- only rises when somebody comes, so no other minute needs a look.
WITH viewings AS (
  SELECT s.event_id, p.person, s.online_minute, greatest(s.online_minute, coalesce(s.offline_minute, s.online_minute)) AS offline_minute
  FROM sessions s
  JOIN people p ON p.event_id = s.event_id AND p.person = s.person
  WHERE s.live_type = 'live' AND NOT p.is_host
),
minutes AS (
  SELECT DISTINCT v.event_id, v.online_minute AS minute FROM viewings v
),
online AS (
  SELECT m.event_id, m.minute, count(DISTINCT v.person) AS people
  FROM minutes m
  JOIN viewings v ON v.event_id = m.event_id AND m.minute BETWEEN v.online_minute AND v.offline_minute
  GROUP BY m.event_id, m.minute
),
ranked AS (
  SELECT o.*, row_number() OVER (PARTITION BY o.event_id ORDER BY o.people DESC, o.minute) AS place
  FROM online o
)
SELECT r.event_id, r.people, r.minute
FROM ranked r
WHERE r.place = 1
ORDER BY r.event_id;
