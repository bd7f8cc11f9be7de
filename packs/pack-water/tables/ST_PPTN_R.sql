-- # Rain at river stations and reservoirs: of an hour, else of five minutes, and of the day. INTV is hours and minutes with a point between, HH.NN, as the standard has it: 1.00 is an hour, 0.05 five minutes.
-- # Readings outside the credible range are left out: the layout has no place for a doubt.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 降水量表
-- title_en: Rain
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_PPTN_R
-- in: WaterObserved, WaterReservoir | STCD = stationCode | TM +08:00
-- in-value: DRP = precipitation1h | MMT | INTV = 1.00
-- in-value: DRP = precipitation5min | MMT | INTV = 0.05
-- in-value: DYP = precipitationDay | MMT
-- column: STCD | text |  | 测站编码 | Station code
-- column: TM | clock |  | 时间（北京时间） | Time, by the clock of Beijing
-- column: DRP | number | mm | 时段降水量 | Rain of the span
-- column: INTV | number | HH.NN | 时段长 | The span, hours and minutes
-- column: PDR | number | HH.NN | 降水历时 | How long it rained | none
-- column: DYP | number | mm | 日降水量 | Rain of the day
-- column: WTH | text |  | 天气状况 | Weather | none

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'precipitation1h') AS hour,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'precipitation5min') AS five,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'precipitationDay') AS day
  FROM observations
  WHERE entity_type IN ('WaterObserved', 'WaterReservoir') AND attribute IN ('precipitation1h', 'precipitation5min', 'precipitationDay') AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
), stations AS (
  SELECT entity_id, stationCode FROM WaterObserved_now
  UNION ALL
  SELECT entity_id, stationCode FROM WaterReservoir_now
)
SELECT
  stations.stationCode AS "STCD",
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS "TM",
  coalesce(said.hour, said.five) AS "DRP",
  CASE WHEN said.hour IS NOT NULL THEN 1.0 WHEN said.five IS NOT NULL THEN 0.05 END AS "INTV",
  CAST(NULL AS DOUBLE) AS "PDR",
  said.day AS "DYP",
  CAST(NULL AS VARCHAR) AS "WTH"
FROM said JOIN stations ON stations.entity_id = said.entity_id
WHERE stations.stationCode IS NOT NULL
