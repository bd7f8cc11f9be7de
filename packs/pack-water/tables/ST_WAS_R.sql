-- # Stages above and below sluices, and what flows through them.
-- # Readings outside the credible range are left out: the layout has no place for a doubt.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 堰闸水情表
-- title_en: Stages and flows of sluices
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_WAS_R
-- in: SluiceGate | STCD = stationCode | TM +08:00
-- in-value: UPZ = waterLevelUpstream | MTR
-- in-value: DWZ = waterLevelDownstream | MTR
-- in-value: TGTQ = outflow | MQS
-- column: STCD | text |  | 测站编码 | Station code
-- column: TM | clock |  | 时间（北京时间） | Time, by the clock of Beijing
-- column: UPZ | number | m | 闸上水位 | Stage above the sluice
-- column: DWZ | number | m | 闸下水位 | Stage below the sluice
-- column: TGTQ | number | m³/s | 总过闸流量 | Discharge through all gates
-- column: SWCHRCD | text |  | 闸水特征码 | Code of the flow's character | none
-- column: SUPWPTN | text |  | 闸上水势 | Whether it rises or falls above | none
-- column: SDWWPTN | text |  | 闸下水势 | Whether it rises or falls below | none
-- column: MSQMT | text |  | 测流方法 | How the discharge was measured | none

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelUpstream') AS above,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelDownstream') AS below,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'outflow') AS outflow
  FROM observations
  WHERE entity_type = 'SluiceGate' AND attribute IN ('waterLevelUpstream', 'waterLevelDownstream', 'outflow') AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
)
SELECT
  n.stationCode AS "STCD",
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS "TM",
  said.above AS "UPZ",
  said.below AS "DWZ",
  said.outflow AS "TGTQ",
  CAST(NULL AS VARCHAR) AS "SWCHRCD",
  CAST(NULL AS VARCHAR) AS "SUPWPTN",
  CAST(NULL AS VARCHAR) AS "SDWWPTN",
  CAST(NULL AS VARCHAR) AS "MSQMT"
FROM said JOIN SluiceGate_now AS n ON n.entity_id = said.entity_id
WHERE n.stationCode IS NOT NULL
