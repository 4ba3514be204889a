-- Which events are not complete yet.
-- One row per event whose last visit failed, was left or owes something, or that is still visited for its replays. No rows if
-- everything is there. owed lists what the next visit asks for again: days, or the snapshot. A closed event is not visited any more:
-- what it lacks stays missing unless `rollcall sync --event` asks for it. Not listed are events that were never visited, events that
-- were complete before the vendor forgot them, and events without a row in events (deleted for its age) whose last visit was
-- complete.
WITH visits AS (
  SELECT p.*, row_number() OVER (PARTITION BY p.event_id ORDER BY p.pulled_at DESC) AS place
  FROM pulls p
)
SELECT v.event_id, e.title, v.outcome, v.owed, coalesce(e.closed, false) AS closed, v.error, v.pulled_at
FROM visits v
LEFT JOIN events e ON e.event_id = v.event_id
WHERE v.place = 1 AND (coalesce(e.outcome, v.outcome) <> 'complete' OR v.owed <> '[]' OR NOT e.closed)
ORDER BY v.event_id;
