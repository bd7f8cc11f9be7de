-- # River stations, reservoirs, sluices and pumping stations with a station code; where several have one code, the works stand for it. LGTD and LTTD are WGS 84, where the place is a point.
-- # STTP is the registered kind of a river station (NULL where none is registered), RR of reservoirs, DD of sluices, DP of pumping stations. ADDVCD is the first six digits of the town's code.
-- title_zh: 测站基本属性表
-- title_en: Stations
-- source: SL 323-2011 实时雨水情数据库表结构与标识符, ST_STBPRP_B
-- in: WaterReservoir, SluiceGate, PumpingStation, WaterObserved | STCD = stationCode
-- in-value: STNM = name
-- in-value: RVNM = riverName
-- in-value: STTP = stationType
-- in-value: LGTD, LTTD = location
-- in-value: DRNA = catchmentArea | KMK
-- in-value: COMMENTS = dataNote
-- column: STCD | text |  | 测站编码 | Station code
-- column: STNM | text |  | 测站名称 | Name of the station
-- column: RVNM | text |  | 河流名称 | River
-- column: HNNM | text |  | 水系名称 | River system | none
-- column: BSNM | text |  | 流域名称 | Basin | none
-- column: LGTD | number | ° | 经度 | Longitude
-- column: LTTD | number | ° | 纬度 | Latitude
-- column: STLC | text |  | 站址 | Address of the station | none
-- column: ADDVCD | text |  | 行政区划码 | Code of the administrative division
-- column: DTMNM | text |  | 基面名称 | Name of the datum | none
-- column: DTMEL | number | m | 基面高程 | Elevation of the datum | none
-- column: DTPR | number | m | 基面修正值 | Correction of the datum | none
-- column: STTP | text |  | 站类 | Kind of station
-- column: FRGRD | text |  | 报汛等级 | Grade of flood reporting | none
-- column: ESSTYM | text |  | 建站年月 | Year and month in which it was founded | none
-- column: BGFRYM | text |  | 始报年月 | Year and month from which it reports | none
-- column: ATCUNIT | text |  | 隶属行业单位 | Whose it is | none
-- column: ADMAUTH | text |  | 信息管理单位 | Who manages its information | none
-- column: LOCALITY | text |  | 交换管理单位 | Who exchanges its information | none
-- column: STBK | text |  | 测站岸别 | Bank | none
-- column: STAZT | number | ° | 测站方位 | Bearing | none
-- column: DSTRVM | number | km | 至河口距离 | Distance to the river's mouth
-- column: DRNA | number | km² | 集水面积 | Drainage area
-- column: PHCD | text |  | 拼音码 | Code by pinyin | none
-- column: USFL | text |  | 启用标志 | Whether it is in use | none
-- column: COMMENTS | text |  | 备注 | Remarks
-- column: MODITIME | clock |  | 时间戳（各项内容的最新时间，北京时间） | Latest time of what is known, by the clock of Beijing

WITH stations AS (
  SELECT 4 AS preference, stationType AS kind, entity_id, observed_at, stationCode, name, riverName, townCode, location, dataNote, catchmentArea FROM WaterObserved_now
  UNION ALL
  SELECT 1, 'RR', entity_id, observed_at, stationCode, name, riverName, townCode, location, dataNote, catchmentArea FROM WaterReservoir_now
  UNION ALL
  SELECT 2, 'DD', entity_id, observed_at, stationCode, name, riverName, townCode, location, dataNote, CAST(NULL AS DOUBLE) FROM SluiceGate_now
  UNION ALL
  SELECT 3, 'DP', entity_id, observed_at, stationCode, name, riverName, townCode, location, dataNote, CAST(NULL AS DOUBLE) FROM PumpingStation_now
), ranked AS (
  SELECT *, regexp_match(location, '"coordinates" *: *\[ *(-?[0-9][0-9.eE+-]*) *, *(-?[0-9][0-9.eE+-]*)') AS place,
    row_number() OVER (PARTITION BY stationCode ORDER BY preference, entity_id) AS turn
  FROM stations WHERE stationCode IS NOT NULL
), mouth AS (
  SELECT refStation AS station, min(distanceToMouth) AS distance FROM CrossSection_now WHERE distanceToMouth IS NOT NULL GROUP BY refStation
)
SELECT
  stationCode AS "STCD",
  name AS "STNM",
  riverName AS "RVNM",
  CAST(NULL AS VARCHAR) AS "HNNM",
  CAST(NULL AS VARCHAR) AS "BSNM",
  CAST(place[1] AS DOUBLE) AS "LGTD",
  CAST(place[2] AS DOUBLE) AS "LTTD",
  CAST(NULL AS VARCHAR) AS "STLC",
  substr(townCode, 1, 6) AS "ADDVCD",
  CAST(NULL AS VARCHAR) AS "DTMNM",
  CAST(NULL AS DOUBLE) AS "DTMEL",
  CAST(NULL AS DOUBLE) AS "DTPR",
  kind AS "STTP",
  CAST(NULL AS VARCHAR) AS "FRGRD",
  CAST(NULL AS VARCHAR) AS "ESSTYM",
  CAST(NULL AS VARCHAR) AS "BGFRYM",
  CAST(NULL AS VARCHAR) AS "ATCUNIT",
  CAST(NULL AS VARCHAR) AS "ADMAUTH",
  CAST(NULL AS VARCHAR) AS "LOCALITY",
  CAST(NULL AS VARCHAR) AS "STBK",
  CAST(NULL AS DOUBLE) AS "STAZT",
  mouth.distance AS "DSTRVM",
  catchmentArea AS "DRNA",
  CAST(NULL AS VARCHAR) AS "PHCD",
  CAST(NULL AS VARCHAR) AS "USFL",
  dataNote AS "COMMENTS",
  to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai') AS "MODITIME"
FROM ranked LEFT JOIN mouth ON mouth.station = ranked.entity_id
WHERE turn = 1
