-- To which events nobody came, the host aside. A row an event. Look at outcome first: where the last visit is
-- not complete, somebody may have come all the same.
SELECT e.event_id, e.title, e.start_date, e.status, e.outcome
FROM events e
LEFT JOIN people p ON p.event_id = e.event_id AND NOT p.is_host
WHERE p.event_id IS NULL
ORDER BY e.start_date, e.event_id;
