-- # Levels, storage and flows of reservoirs.
-- # Readings outside the credible range are left out: the layout has no place for a doubt.
-- # Times are what the clock of Beijing shows, without a zone, as the standard writes them.
-- title_zh: 水库水情表
-- title_en: Levels and flows of reservoirs
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_RSVR_R
-- in: WaterReservoir | STCD = stationCode | TM +08:00
-- in-value: RZ = waterLevelUpstream | MTR
-- in-value: INQ = inflow | MQS
-- in-value: W = storage | HMQ
-- in-value: BLRZ = waterLevelDownstream | MTR
-- in-value: OTQ = outflow | MQS
-- column: STCD | text |  | 测站编码 | Station code
-- column: TM | clock |  | 时间（北京时间） | Time, by the clock of Beijing
-- column: RZ | number | m | 库上水位 | Level
-- column: INQ | number | m³/s | 入库流量 | Inflow
-- column: W | number | 10⁶ m³ | 蓄水量 | Storage
-- column: BLRZ | number | m | 库下水位 | Stage below the dam
-- column: OTQ | number | m³/s | 出库流量 | Outflow
-- column: RWCHRCD | text |  | 库水特征码 | Code of the water's character | none
-- column: RWPTN | text |  | 库水水势 | Whether it rises or falls | none
-- column: INQDR | number | h | 入流时段长 | Span over which the inflow was reckoned | none
-- column: MSQMT | text |  | 测流方法 | How the discharge was measured | none

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelUpstream') AS above,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'waterLevelDownstream') AS below,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'storage') AS storage,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'inflow') AS inflow,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'outflow') AS outflow
  FROM observations
  WHERE entity_type = 'WaterReservoir' AND attribute IN ('waterLevelUpstream', 'waterLevelDownstream', 'storage', 'inflow', 'outflow') AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
)
SELECT
  n.stationCode AS "STCD",
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS "TM",
  said.above AS "RZ",
  said.inflow AS "INQ",
  said.storage / 1000000.0 AS "W",
  said.below AS "BLRZ",
  said.outflow AS "OTQ",
  CAST(NULL AS VARCHAR) AS "RWCHRCD",
  CAST(NULL AS VARCHAR) AS "RWPTN",
  CAST(NULL AS DOUBLE) AS "INQDR",
  CAST(NULL AS VARCHAR) AS "MSQMT"
FROM said JOIN WaterReservoir_now AS n ON n.entity_id = said.entity_id
WHERE n.stationCode IS NOT NULL
