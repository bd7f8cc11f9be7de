-- # Flood-limit levels by period of the year. FSTP: 1 主汛期, 2 后汛期, 3 过渡期, 4 其他; the standard has none of its own for 前汛期, which is 4.
-- # The periods are stored as JSON, a list of plain objects: each has no braces within.
-- title_zh: 库(湖)站汛限水位表
-- title_en: Flood-limit levels of reservoirs
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_RSVRFSR_B
-- column: STCD | text |  | 测站编码 | Station code
-- column: BGMD | text | MMDD | 开始月日 | First month and day
-- column: EDMD | text | MMDD | 结束月日 | Last month and day
-- column: FSLTDZ | number | m | 汛限水位 | Flood-limit level
-- column: FSLTDW | number | 10⁶ m³ | 汛限库容 | Storage at that level | none
-- column: FSTP | text |  | 汛期类别 | Kind of season
-- column: MODITIME | clock |  | 时间戳（各项内容的最新时间，北京时间） | Latest time of what is known, by the clock of Beijing

WITH periods AS (
  SELECT stationCode, observed_at, unnest(string_to_array(floodLimitPeriods, '}')) AS period
  FROM WaterReservoir_now WHERE stationCode IS NOT NULL
)
SELECT
  stationCode AS "STCD",
  replace(regexp_match(period, '"from" *: *"([0-9]{2}-[0-9]{2})"')[1], '-', '') AS "BGMD",
  replace(regexp_match(period, '"until" *: *"([0-9]{2}-[0-9]{2})"')[1], '-', '') AS "EDMD",
  CAST(regexp_match(period, '"level" *: *(-?[0-9][0-9.eE+-]*)')[1] AS DOUBLE) AS "FSLTDZ",
  CAST(NULL AS DOUBLE) AS "FSLTDW",
  CASE regexp_match(period, '"season" *: *"([a-z]+)"')[1] WHEN 'main' THEN '1' WHEN 'late' THEN '2' WHEN 'transition' THEN '3' WHEN 'early' THEN '4' WHEN 'other' THEN '4' END AS "FSTP",
  to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai') AS "MODITIME"
FROM periods
WHERE period LIKE '%"from"%'
