-- To which events nobody came, the host aside. A row an event. Look at outcome first: where the last visit is
-- not complete, somebody may have come all the same. An event with a first_day had rows, of the host alone if nobody
-- was forgotten (`rollcall forget`).
SELECT e.event_id, e.title, e.start_date, e.status, e.outcome, e.first_day
FROM events e
LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host
WHERE p.event_id IS NULL
ORDER BY e.start_date, e.event_id;
