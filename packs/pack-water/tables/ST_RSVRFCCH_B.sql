-- # Levels and capacities of reservoirs. NORMZ, the highest level that is allowed in normal running, floods held back included, is 防洪高水位 here; ACTZ, to which a reservoir is filled, is 正常蓄水位.
-- title_zh: 库(湖)站防洪指标表
-- title_en: Levels and capacities of reservoirs
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_RSVRFCCH_B
-- in: WaterReservoir | STCD = stationCode
-- in-value: DAMEL = damCrestLevel | MTR
-- in-value: CKFLZ = checkFloodLevel | MTR
-- in-value: DSFLZ = designFloodLevel | MTR
-- in-value: NORMZ = floodControlLevel | MTR
-- in-value: DDZ = deadLevel | MTR
-- in-value: ACTZ = normalLevel | MTR
-- in-value: TTCP = totalCapacity | HMQ
-- in-value: FLDCP = floodCapacity | HMQ
-- in-value: ACTCP = activeCapacity | HMQ
-- in-value: DDCP = deadCapacity | HMQ
-- in-value: HHRZ = maxRecordedLevel | MTR
-- column: STCD | text |  | 测站编码 | Station code
-- column: RSVRTP | text |  | 水库类型 | Scale: 5 large (1), 4 large (2), 3 medium, 2 small (1), 1 small (2)
-- column: DAMEL | number | m | 坝顶高程 | Dam crest
-- column: CKFLZ | number | m | 校核洪水位 | Check flood level
-- column: DSFLZ | number | m | 设计洪水位 | Design flood level
-- column: NORMZ | number | m | 防洪高水位 | Flood-control level
-- column: DDZ | number | m | 死水位 | Dead level
-- column: ACTZ | number | m | 正常蓄水位 | Normal level
-- column: TTCP | number | 10⁶ m³ | 总库容 | Total capacity
-- column: FLDCP | number | 10⁶ m³ | 防洪库容 | Flood-control capacity
-- column: ACTCP | number | 10⁶ m³ | 兴利库容 | Active capacity
-- column: DDCP | number | 10⁶ m³ | 死库容 | Dead capacity
-- column: HHRZ | number | m | 历史最高库水位 | Highest level
-- column: HMXW | number | 10⁶ m³ | 历史最大蓄水量 | Greatest storage | none
-- column: HHRZTM | clock |  | 历史最高库水位（蓄水量）出现时间 | When it was | none
-- column: HMXINQ | number | m³/s | 历史最大入流 | Greatest inflow | none
-- column: RSTDR | number | h | 历史最大入流时段长 | Span over which it was reckoned | none
-- column: HMXINQTM | clock |  | 历史最大入流出现时间 | When it was | none
-- column: HMXOTQ | number | m³/s | 历史最大出流 | Greatest outflow | none
-- column: HMXOTQTM | clock |  | 历史最大出流出现时间 | When it was | none
-- column: HLRZ | number | m | 历史最低库水位 | Lowest level | none
-- column: HLRZTM | clock |  | 历史最低库水位出现时间 | When it was | none
-- column: HMNINQ | number | m³/s | 历史最小日均入流 | Least daily inflow | none
-- column: HMNINQTM | clock |  | 历史最小日均入流出现时间 | When it was | none
-- column: LAZ | number | m | 低水位告警值 | Level that is told as low | none
-- column: SFQ | number | m³/s | 启动预报流量标准 | Inflow from which forecasts are made | none
-- column: MODITIME | clock |  | 时间戳（各项内容的最新时间，北京时间） | Latest time of what is known, by the clock of Beijing

SELECT
  stationCode AS "STCD",
  CASE reservoirScale WHEN 'large1' THEN '5' WHEN 'large2' THEN '4' WHEN 'medium' THEN '3' WHEN 'small1' THEN '2' WHEN 'small2' THEN '1' END AS "RSVRTP",
  damCrestLevel AS "DAMEL",
  checkFloodLevel AS "CKFLZ",
  designFloodLevel AS "DSFLZ",
  floodControlLevel AS "NORMZ",
  deadLevel AS "DDZ",
  normalLevel AS "ACTZ",
  totalCapacity / 1000000.0 AS "TTCP",
  floodCapacity / 1000000.0 AS "FLDCP",
  activeCapacity / 1000000.0 AS "ACTCP",
  deadCapacity / 1000000.0 AS "DDCP",
  maxRecordedLevel AS "HHRZ",
  CAST(NULL AS DOUBLE) AS "HMXW",
  CAST(NULL AS TIMESTAMP) AS "HHRZTM",
  CAST(NULL AS DOUBLE) AS "HMXINQ",
  CAST(NULL AS DOUBLE) AS "RSTDR",
  CAST(NULL AS TIMESTAMP) AS "HMXINQTM",
  CAST(NULL AS DOUBLE) AS "HMXOTQ",
  CAST(NULL AS TIMESTAMP) AS "HMXOTQTM",
  CAST(NULL AS DOUBLE) AS "HLRZ",
  CAST(NULL AS TIMESTAMP) AS "HLRZTM",
  CAST(NULL AS DOUBLE) AS "HMNINQ",
  CAST(NULL AS TIMESTAMP) AS "HMNINQTM",
  CAST(NULL AS DOUBLE) AS "LAZ",
  CAST(NULL AS DOUBLE) AS "SFQ",
  to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai') AS "MODITIME"
FROM WaterReservoir_now
WHERE stationCode IS NOT NULL
