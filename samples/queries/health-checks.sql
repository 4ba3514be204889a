-- What does not add up, by event.
-- One row per event with a difference. No rows if everything adds up. An event that has no visit in pulls is not checked.
-- days_differing, missing_seconds, missing_live and missing_replays (by how much the vendor's totals exceed its viewings) are of the
-- last visit that compared them, at compared_at. missing_records is of the last visit: records that are neither rows, rejects,
-- outside, counted, nor of people to be forgotten.
WITH visits AS (
  SELECT p.*, row_number() OVER (PARTITION BY p.event_id ORDER BY p.pulled_at DESC) AS place
  FROM pulls p
),
comparisons AS (
  SELECT c.*, row_number() OVER (PARTITION BY c.event_id ORDER BY c.pulled_at DESC) AS place
  FROM pulls c
  WHERE c.days_checked IS NOT NULL
)
SELECT
  v.event_id,
  c.days_differing,
  c.detail_seconds - c.session_seconds AS missing_seconds,
  c.detail_live_times - c.session_live_times AS missing_live,
  c.detail_replay_times - c.session_replay_times AS missing_replays,
  v.received - v.rows - v.rejects - v.outside - v.counted - coalesce(v.suppressed, 0) AS missing_records,
  c.pulled_at AS compared_at,
  v.pulled_at
FROM visits v
LEFT JOIN comparisons c ON c.event_id = v.event_id AND c.place = 1
WHERE v.place = 1
  AND (
    c.days_differing > 0
    OR c.detail_seconds <> c.session_seconds
    OR c.detail_live_times <> c.session_live_times
    OR c.detail_replay_times <> c.session_replay_times
    OR v.received <> v.rows + v.rejects + v.outside + v.counted + coalesce(v.suppressed, 0)
  )
ORDER BY v.event_id;
