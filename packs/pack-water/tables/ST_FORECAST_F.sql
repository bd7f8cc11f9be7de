-- # Every run of every forecast of a stage, a row for each of its moments. PLCD is the method. The platform knows when a forecast was issued, and keeps neither who made it by name nor the moment on which it stands.
-- # A run is stored as JSON whose points are plain objects: each has no braces within.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 水情预报表
-- title_en: Forecasts of stages
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_FORECAST_F
-- column: STCD | text |  | 测站编码 | Station code
-- column: UNITNAME | text |  | 预报单位 | Who made the forecast | none
-- column: PLCD | text |  | 方案代码 | Plan: the method
-- column: FYMDH | clock |  | 依据时间 | The moment on which it stands | none
-- column: IYMDH | clock |  | 发布时间（北京时间） | When it was issued, by the clock of Beijing
-- column: YMDH | clock |  | 发生时间（北京时间） | Of which moment it speaks, by the clock of Beijing
-- column: Z | number | m | 预报水位 | Stage
-- column: Q | number | m³/s | 预报流量 | Discharge | none

WITH points AS (
  SELECT entity_id, observed_at AS issued, value_json AS series, unnest(string_to_array(value_json, '}')) AS piece
  FROM observations
  WHERE entity_type = 'WaterLevelForecast' AND attribute = 'waterLevelSeries' AND quality <> 'out_of_range'
)
SELECT
  n.stationCode AS "STCD",
  CAST(NULL AS VARCHAR) AS "UNITNAME",
  regexp_match(points.series, '"method" *: *"([^"]*)"')[1] AS "PLCD",
  CAST(NULL AS TIMESTAMP) AS "FYMDH",
  to_local_time(points.issued AT TIME ZONE 'Asia/Shanghai') AS "IYMDH",
  to_local_time(regexp_match(points.piece, '"at" *: *"([^"]*)"')[1] AT TIME ZONE 'Asia/Shanghai') AS "YMDH",
  CAST(regexp_match(points.piece, '"value" *: *(-?[0-9][0-9.eE+-]*)')[1] AS DOUBLE) AS "Z",
  CAST(NULL AS DOUBLE) AS "Q"
FROM points
JOIN WaterLevelForecast_now AS f ON f.entity_id = points.entity_id
JOIN WaterObserved_now AS n ON n.entity_id = f.refStation
WHERE n.stationCode IS NOT NULL AND points.piece LIKE '%"at"%'
