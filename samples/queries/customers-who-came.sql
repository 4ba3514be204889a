-- Who on a list of customers came.
-- One row per customer and event that they came to, hosts included. Put your own list below. A customer is whoever gave one of the
-- three identifiers in any viewing: all viewings of these people count, in all events. Numbers may be written with blanks and
-- dashes. One without a country is taken for a Chinese one, and a zero in front of it is ignored.
WITH customers (customer, mobile, email, ext_id) AS (
  VALUES
    ('by mobile', '190-1405 1405', NULL, NULL),
    ('by mail', NULL, 'marketing120625@example.com', NULL),
    ('by our own identifier', NULL, NULL, 'crm-81736038'),
    ('never came', '+1 (212) 555-0100', 'nobody@example.com', 'crm-0')
),
digits AS (
  SELECT c.customer, trim(c.mobile) AS mobile, c.email, c.ext_id, translate(c.mobile, '+ -().', '') AS digits
  FROM customers c
),
numbers AS (
  SELECT
    d.*,
    CASE
      WHEN d.mobile LIKE 'hmac:%' THEN d.mobile
      WHEN d.mobile LIKE '+%' OR d.digits LIKE '00%' THEN '+' || trim(LEADING '0' FROM d.digits)
      WHEN d.digits LIKE '861%' AND length(d.digits) = 13 THEN '+' || d.digits
      ELSE '+86' || d.digits
    END AS number
  FROM digits d
),
keys AS (
  SELECT
    n.customer,
    CASE WHEN n.number LIKE '+860%' THEN '+86' || substr(n.number, 5) ELSE n.number END AS mobile,
    lower(trim(n.email)) AS email,
    trim(n.ext_id) AS ext_id
  FROM numbers n
),
found AS (
  SELECT DISTINCT k.customer, s.person
  FROM keys k
  JOIN sessions s
    ON s.person_key = k.mobile
    OR s.person_key = k.email
    OR lower(trim(s.email)) = k.email
    OR trim(s.ext_id) = k.ext_id
)
SELECT
  f.customer,
  s.event_id,
  s.title,
  count(*) AS sessions,
  CAST(coalesce(sum(s.duration_seconds), 0) AS bigint) AS seconds,
  min_by(s.online_date, s.online_time) AS first_online_date
FROM found f
JOIN sessions s ON s.person = f.person
GROUP BY f.customer, s.event_id, s.title
ORDER BY f.customer, s.event_id;
