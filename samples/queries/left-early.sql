-- Who left an event before its tenth minute, and did not come back live.
-- One row per person and event. Minutes count from the scheduled start: whoever left before it has a negative one, and an event
-- without a known start is left out. So is whoever has a live viewing without an end, since nobody knows when they left. Replays do
-- not count as coming back.
SELECT p.event_id, p.title, p.person, p.name, max(s.offline_minute) AS left_minute, p.replay_sessions
FROM people p
JOIN sessions s ON s.event_id = p.event_id AND s.person = p.person
WHERE s.live_type = 'live' AND NOT p.is_host
GROUP BY p.event_id, p.title, p.person, p.name, p.replay_sessions
HAVING max(s.offline_minute) < 10 AND count(s.offline_minute) = count(*)
ORDER BY p.event_id, left_minute, p.person;
