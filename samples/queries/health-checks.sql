-- What does not add up in the last visit of each event. A row such an event, none when all adds up.
-- days_differing: settled days whose window and snapshot differ. missing_seconds: what the vendor's totals
-- have more than its viewings. missing_records: records received that are neither rows, rejects, outside nor
-- counted.
WITH visits AS (
  SELECT p.*, row_number() OVER (PARTITION BY p.event_id ORDER BY p.pulled_at DESC) AS place
  FROM pulls p
)
SELECT
  v.event_id,
  v.days_differing,
  v.detail_seconds - v.session_seconds AS missing_seconds,
  v.received - v.rows - v.rejects - v.outside - v.counted AS missing_records,
  v.pulled_at
FROM visits v
WHERE v.place = 1
  AND (
    v.days_differing > 0
    OR v.detail_seconds <> v.session_seconds
    OR v.received <> v.rows + v.rejects + v.outside + v.counted
  )
ORDER BY v.event_id;
