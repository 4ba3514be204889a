-- How many people were online in each minute of one event, live.
-- A person counts in every minute that a viewing of theirs touches, and once even with two devices: at any instant of the minute,
-- there may be fewer. A minute without a row is like the one before. Minutes count from the scheduled start. Without a known one,
-- there are no rows. A viewing without an end, or with an end before its start, counts in its first minute. Viewings that do not say
-- who came are left out. Put your event's number below.
WITH viewings AS (
  SELECT p.person, s.online_minute, greatest(s.online_minute, coalesce(s.offline_minute, s.online_minute)) AS offline_minute
  FROM sessions s
  JOIN people p ON p.event_id = s.event_id AND p.person = s.person
  WHERE s.event_id = 700016 AND s.live_type = 'live' AND s.online_minute IS NOT NULL AND NOT p.is_host
),
minutes AS (
  SELECT v.online_minute AS minute FROM viewings v
  UNION
  SELECT v.offline_minute + 1 AS minute FROM viewings v
)
SELECT m.minute, count(DISTINCT v.person) AS people
FROM minutes m
LEFT JOIN viewings v ON m.minute BETWEEN v.online_minute AND v.offline_minute
GROUP BY m.minute
ORDER BY m.minute;
