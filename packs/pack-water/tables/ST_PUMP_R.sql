-- # Stages on both sides of pumping stations and what they pump. As everywhere in this pack, 站下 is the side from which a station takes water.
-- # Readings outside the credible range are left out: the layout has no place for a doubt.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 泵站水情表
-- title_en: Stages and flows of pumping stations
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_PUMP_R
-- in: PumpingStation | STCD = stationCode | TM +08:00
-- in-value: PPUPZ = waterLevelUpstream | MTR
-- in-value: PPDWZ = waterLevelDownstream | MTR
-- in-value: OMCN = pumpsRunning
-- in-value: OMPWR = power | KWT
-- in-value: PMPQ = flow | MQS
-- column: STCD | text |  | 测站编码 | Station code
-- column: TM | clock |  | 时间（北京时间） | Time, by the clock of Beijing
-- column: PPUPZ | number | m | 站上水位 | Stage where it gives the water
-- column: PPDWZ | number | m | 站下水位 | Stage where it takes the water
-- column: OMCN | integer |  | 开机台数 | Units running
-- column: OMPWR | number | kW | 开机功率 | Power
-- column: PMPQ | number | m³/s | 抽水流量 | Discharge pumped
-- column: PPWCHRCD | text |  | 站水特征码 | Code of the flow's character | none
-- column: PPUPWPTN | text |  | 站上水势 | Whether it rises or falls above | none
-- column: PPDWWPTN | text |  | 站下水势 | Whether it rises or falls below | none
-- column: MSQMT | text |  | 测流方法 | How the discharge was measured | none
-- column: PDCHCD | text |  | 引排特征码 | Whether it waters or drains | none

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelUpstream') AS above,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelDownstream') AS below,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'pumpsRunning') AS running,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'power') AS power,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'flow') AS pumped
  FROM observations
  WHERE entity_type = 'PumpingStation' AND attribute IN ('waterLevelUpstream', 'waterLevelDownstream', 'pumpsRunning', 'power', 'flow') AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
)
SELECT
  n.stationCode AS "STCD",
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS "TM",
  said.above AS "PPUPZ",
  said.below AS "PPDWZ",
  CAST(said.running AS BIGINT) AS "OMCN",
  said.power AS "OMPWR",
  said.pumped AS "PMPQ",
  CAST(NULL AS VARCHAR) AS "PPWCHRCD",
  CAST(NULL AS VARCHAR) AS "PPUPWPTN",
  CAST(NULL AS VARCHAR) AS "PPDWWPTN",
  CAST(NULL AS VARCHAR) AS "MSQMT",
  CAST(NULL AS VARCHAR) AS "PDCHCD"
FROM said JOIN PumpingStation_now AS n ON n.entity_id = said.entity_id
WHERE n.stationCode IS NOT NULL
