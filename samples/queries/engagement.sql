-- What viewers did, on average for each person who attended, live or as a replay.
-- One row per event with viewers. Viewings that do not say who came are left out. The vendor sends null and 0, which are the same
-- here. Questions are asked by viewers, quizzes are put to them.
SELECT
  p.event_id,
  p.title,
  count(*) AS people,
  round(avg(coalesce(p.chats, 0)), 2) AS chats,
  round(avg(coalesce(p.praises, 0)), 2) AS praises,
  round(avg(coalesce(p.questions_asked, 0)), 2) AS questions_asked,
  round(avg(coalesce(p.quizzes_answered, 0)), 2) AS quizzes_answered,
  round(avg(coalesce(p.votes, 0)), 2) AS votes,
  round(avg(coalesce(p.signs, 0)), 2) AS signs,
  round(avg(coalesce(p.shares, 0)), 2) AS shares
FROM people p
WHERE NOT p.is_host AND p.person IS NOT NULL
GROUP BY p.event_id, p.title
ORDER BY p.event_id;
