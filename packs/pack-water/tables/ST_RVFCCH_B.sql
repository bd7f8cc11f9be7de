-- # Official stages of river stations. Crests of dikes are those of the cross-section that names the station, the bankfull discharge that of its reach. The standard has no column for the defence stage (设防水位).
-- title_zh: 河道站防洪指标表
-- title_en: Flood stages of river stations
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_RVFCCH_B
-- in: WaterObserved | STCD = stationCode
-- in-value: WRZ = warningLevel | MTR
-- in-value: GRZ = guaranteeLevel | MTR
-- in-value: OBHTZ = maxRecordedLevel | MTR
-- column: STCD | text |  | 测站编码 | Station code
-- column: LDKEL | number | m | 左堤高程 | Crest of the left dike
-- column: RDKEL | number | m | 右堤高程 | Crest of the right dike
-- column: WRZ | number | m | 警戒水位 | Warning stage
-- column: WRQ | number | m³/s | 警戒流量 | Warning discharge | none
-- column: GRZ | number | m | 保证水位 | Guarantee stage
-- column: GRQ | number | m³/s | 保证流量 | Guarantee discharge | none
-- column: FLPQ | number | m³/s | 平滩流量 | Bankfull discharge
-- column: OBHTZ | number | m | 实测最高水位 | Highest stage observed
-- column: OBHTZTM | clock |  | 实测最高水位出现时间 | When it was | none
-- column: IVHZ | number | m | 调查最高水位 | Highest stage investigated | none
-- column: IVHZTM | clock |  | 调查最高水位出现时间 | When it was | none
-- column: OBMXQ | number | m³/s | 实测最大流量 | Greatest discharge observed | none
-- column: OBMXQTM | clock |  | 实测最大流量出现时间 | When it was | none
-- column: IVMXQ | number | m³/s | 调查最大流量 | Greatest discharge investigated | none
-- column: IVMXQTM | clock |  | 调查最大流量出现时间 | When it was | none
-- column: HMXS | number | kg/m³ | 历史最大含沙量 | Greatest sediment concentration | none
-- column: HMXSTM | clock |  | 历史最大含沙量出现时间 | When it was | none
-- column: HMXAVV | number | m/s | 历史最大断面平均流速 | Greatest mean velocity | none
-- column: HMXAVVTM | clock |  | 历史最大断面平均流速出现时间 | When it was | none
-- column: HLZ | number | m | 历史最低水位 | Lowest stage | none
-- column: HLZTM | clock |  | 历史最低水位出现时间 | When it was | none
-- column: HMNQ | number | m³/s | 历史最小流量 | Least discharge | none
-- column: HMNQTM | clock |  | 历史最小流量出现时间 | When it was | none
-- column: TAZ | number | m | 高水位告警值 | Stage that is told as high | none
-- column: TAQ | number | m³/s | 大流量告警值 | Discharge that is told as great | none
-- column: LAZ | number | m | 低水位告警值 | Stage that is told as low | none
-- column: LAQ | number | m³/s | 小流量告警值 | Discharge that is told as little | none
-- column: SFZ | number | m | 启动预报水位标准 | Stage from which forecasts are made | none
-- column: SFQ | number | m³/s | 启动预报流量标准 | Discharge from which forecasts are made | none
-- column: MODITIME | clock |  | 时间戳（各项内容的最新时间，北京时间） | Latest time of what is known, by the clock of Beijing

WITH dikes AS (
  SELECT refStation AS station, min(leftDikeLevel) AS left_crest, min(rightDikeLevel) AS right_crest FROM CrossSection_now GROUP BY refStation
)
SELECT
  n.stationCode AS "STCD",
  dikes.left_crest AS "LDKEL",
  dikes.right_crest AS "RDKEL",
  n.warningLevel AS "WRZ",
  CAST(NULL AS DOUBLE) AS "WRQ",
  n.guaranteeLevel AS "GRZ",
  CAST(NULL AS DOUBLE) AS "GRQ",
  r.bankfullFlow AS "FLPQ",
  n.maxRecordedLevel AS "OBHTZ",
  CAST(NULL AS TIMESTAMP) AS "OBHTZTM",
  CAST(NULL AS DOUBLE) AS "IVHZ",
  CAST(NULL AS TIMESTAMP) AS "IVHZTM",
  CAST(NULL AS DOUBLE) AS "OBMXQ",
  CAST(NULL AS TIMESTAMP) AS "OBMXQTM",
  CAST(NULL AS DOUBLE) AS "IVMXQ",
  CAST(NULL AS TIMESTAMP) AS "IVMXQTM",
  CAST(NULL AS DOUBLE) AS "HMXS",
  CAST(NULL AS TIMESTAMP) AS "HMXSTM",
  CAST(NULL AS DOUBLE) AS "HMXAVV",
  CAST(NULL AS TIMESTAMP) AS "HMXAVVTM",
  CAST(NULL AS DOUBLE) AS "HLZ",
  CAST(NULL AS TIMESTAMP) AS "HLZTM",
  CAST(NULL AS DOUBLE) AS "HMNQ",
  CAST(NULL AS TIMESTAMP) AS "HMNQTM",
  CAST(NULL AS DOUBLE) AS "TAZ",
  CAST(NULL AS DOUBLE) AS "TAQ",
  CAST(NULL AS DOUBLE) AS "LAZ",
  CAST(NULL AS DOUBLE) AS "LAQ",
  CAST(NULL AS DOUBLE) AS "SFZ",
  CAST(NULL AS DOUBLE) AS "SFQ",
  to_local_time(n.observed_at AT TIME ZONE 'Asia/Shanghai') AS "MODITIME"
FROM WaterObserved_now AS n
LEFT JOIN dikes ON dikes.station = n.entity_id
LEFT JOIN RiverReach_now AS r ON r.entity_id = n.refReach
WHERE n.stationCode IS NOT NULL
  AND (n.warningLevel IS NOT NULL OR n.guaranteeLevel IS NOT NULL OR n.maxRecordedLevel IS NOT NULL)
