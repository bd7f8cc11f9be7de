-- # Points of rating curves, from the lowest stage. Curves that are a law and not points (Q = a (h - h0)^b) are not here.
-- # The points are stored as JSON, a list of plain objects: each has no braces within.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 水位流量关系曲线表
-- title_en: Rating curves
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_ZQRL_B
-- column: STCD | text |  | 测站编码 | Station code
-- column: LNNM | text |  | 曲线名称 | Name of the curve
-- column: BGTM | clock |  | 启用时间（北京时间） | In force from, by the clock of Beijing
-- column: PTNO | integer |  | 点序号 | Number of the point
-- column: Z | number | m | 水位 | Stage
-- column: Q | number | m³/s | 流量 | Discharge
-- column: COMMENTS | text |  | 备注 | Remarks
-- column: MODITIME | clock |  | 时间戳（各项内容的最新时间，北京时间） | Latest time of what is known, by the clock of Beijing

WITH pieces AS (
  SELECT entity_id, refStation AS station, name, inForceFrom AS begins, dataNote AS note, observed_at, unnest(string_to_array(curvePoints, '}')) AS piece
  FROM RatingCurve_now
), points AS (
  SELECT pieces.entity_id, n.stationCode AS code, pieces.name, pieces.note,
    CASE WHEN pieces.begins ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'
      THEN to_local_time(pieces.begins AT TIME ZONE 'Asia/Shanghai') END AS begins,
    to_local_time(pieces.observed_at AT TIME ZONE 'Asia/Shanghai') AS changed,
    CAST(regexp_match(piece, '"level" *: *(-?[0-9][0-9.eE+-]*)')[1] AS DOUBLE) AS stage,
    CAST(regexp_match(piece, '"flow" *: *(-?[0-9][0-9.eE+-]*)')[1] AS DOUBLE) AS discharge
  FROM pieces JOIN WaterObserved_now AS n ON n.entity_id = pieces.station
  WHERE n.stationCode IS NOT NULL AND piece LIKE '%"level"%'
)
SELECT
  points.code AS "STCD",
  points.name AS "LNNM",
  points.begins AS "BGTM",
  CAST(row_number() OVER (PARTITION BY points.entity_id ORDER BY points.stage) AS BIGINT) AS "PTNO",
  points.stage AS "Z",
  points.discharge AS "Q",
  points.note AS "COMMENTS",
  points.changed AS "MODITIME"
FROM points
