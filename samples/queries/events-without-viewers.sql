-- Events that nobody came to, except for the host.
-- One row per event. Look at outcome first: if the last visit is not complete, somebody may have come after all. An event with a
-- first_day had rows: those of the host alone, unless somebody was forgotten (`rollcall forget`).
SELECT e.event_id, e.title, e.start_date, e.status, e.outcome, e.first_day
FROM events e
LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host
WHERE p.event_id IS NULL
ORDER BY e.start_date, e.event_id;
