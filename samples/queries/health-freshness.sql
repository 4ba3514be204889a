-- How fresh the lake is. One row: up to when the latest visit reached, up to when every event that was visited,
-- and still is, is pulled (null when none is, and where the last visit of one was not complete), and the newest
-- day with rows, which is old where nobody has watched since. An event that no visit ever came to is in no table:
-- `rollcall status` counts those.
SELECT
  (SELECT max(e.pulled_through) FROM events e) AS pulled_through,
  (
    SELECT CASE WHEN count(*) FILTER (WHERE e.outcome <> 'complete') = 0 THEN min(e.pulled_through) END
    FROM events e
    WHERE NOT e.closed
  ) AS all_pulled_through,
  (SELECT max(s.dt) FROM sessions s) AS newest_day;
