-- How fresh the lake is.
-- One row: up to when the latest visit reached, up to when all events that are still visited are pulled (null if there are none, or
-- if the last visit of one was not complete), and the newest day with rows, which is old if nobody has watched since. Events that
-- were never visited are in no table: `rollcall status` counts those.
SELECT
  (SELECT max(e.pulled_through) FROM events e) AS pulled_through,
  (
    SELECT CASE WHEN count(*) FILTER (WHERE e.outcome <> 'complete') = 0 THEN min(e.pulled_through) END
    FROM events e
    WHERE NOT e.closed
  ) AS all_pulled_through,
  (SELECT max(s.dt) FROM sessions s) AS newest_day;
