/** Queries to begin with. */
import type { Key } from "../../i18n/words.ts";

export const SAMPLES: { title: Key; sql: string }[] = [
  {
    title: "sql.sample-latest",
    sql: `SELECT entity_id, attribute, observed_at, value_number, unit, quality
FROM observations
ORDER BY observed_at DESC
LIMIT 100`,
  },
  {
    title: "sql.sample-water",
    sql: `SELECT entity_id, date_trunc('hour', observed_at) AS hour,
       max(value_number) AS level_m_max, count(*) AS n
FROM observations
WHERE attribute = 'waterLevel'
GROUP BY entity_id, hour
ORDER BY hour DESC, entity_id
LIMIT 200`,
  },
  {
    title: "sql.sample-devices",
    sql: `SELECT device_id, count(*) AS n,
       min(received_at) AS first_received, max(received_at) AS last_received
FROM observations
GROUP BY device_id
ORDER BY n DESC`,
  },
  {
    title: "sql.sample-quality",
    sql: `SELECT entity_type, quality, count(*) AS n
FROM observations
GROUP BY entity_type, quality
ORDER BY entity_type, n DESC`,
  },
  { title: "sql.sample-indicators", sql: "SELECT * FROM indicators" },
  { title: "sql.sample-cases", sql: "SELECT state, count(*) AS n FROM cases GROUP BY state ORDER BY n DESC" },
];
