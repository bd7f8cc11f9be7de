-- # Stages and discharges of river stations: every station of the type WaterObserved with a code, whatever its kind.
-- # Readings outside the credible range are left out: the layout has no place for a doubt.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 河道水情表
-- title_en: Stages and discharges of rivers
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_RIVER_R
-- in: WaterObserved | STCD = stationCode | TM +08:00
-- in-value: Z = waterLevel | MTR
-- in-value: Q = flow | MQS
-- column: STCD | text |  | 测站编码 | Station code
-- column: TM | clock |  | 时间（北京时间） | Time, by the clock of Beijing
-- column: Z | number | m | 水位 | Stage
-- column: Q | number | m³/s | 流量 | Discharge
-- column: XSA | number | m² | 断面过水面积 | Wetted area of the cross-section | none
-- column: XSAVV | number | m/s | 断面平均流速 | Mean velocity in the cross-section | none
-- column: XSMXV | number | m/s | 断面最大流速 | Greatest velocity in the cross-section | none
-- column: FLWCHRCD | text |  | 河水特征码 | Code of the flow's character | none
-- column: WPTN | text |  | 水势 | Whether it rises or falls | none
-- column: MSQMT | text |  | 测流方法 | How the discharge was measured | none
-- column: MSAMT | text |  | 测积方法 | How the area was measured | none
-- column: MSVMT | text |  | 测速方法 | How the velocity was measured | none

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevel') AS stage,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'flow') AS discharge
  FROM observations
  WHERE entity_type = 'WaterObserved' AND attribute IN ('waterLevel', 'flow') AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
)
SELECT
  n.stationCode AS "STCD",
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS "TM",
  said.stage AS "Z",
  said.discharge AS "Q",
  CAST(NULL AS DOUBLE) AS "XSA",
  CAST(NULL AS DOUBLE) AS "XSAVV",
  CAST(NULL AS DOUBLE) AS "XSMXV",
  CAST(NULL AS VARCHAR) AS "FLWCHRCD",
  CAST(NULL AS VARCHAR) AS "WPTN",
  CAST(NULL AS VARCHAR) AS "MSQMT",
  CAST(NULL AS VARCHAR) AS "MSAMT",
  CAST(NULL AS VARCHAR) AS "MSVMT"
FROM said JOIN WaterObserved_now AS n ON n.entity_id = said.entity_id
WHERE n.stationCode IS NOT NULL
