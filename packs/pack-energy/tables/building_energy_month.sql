-- # Electricity of each public building by month, beside its peers. A month's electricity is its last reading less the last one before it: a month without a reading in the month before it, and one in
-- # which the register went back (another meter), have none. Peers are the buildings of the same kind with a floor area; fewer than three are none.
-- title_zh: 公共建筑月用电
-- title_en: Electricity of public buildings by month
-- source: 国家机关办公建筑和大型公共建筑能耗监测系统分项能耗数据采集技术导则 (2008); 单位面积用电 as there
-- column: building_id | text |  | 建筑编号 | The building's id
-- column: building | text |  | 建筑 | Building
-- column: building_type | text |  | 建筑类型 | Kind of building
-- column: month | text | YYYY-MM | 月份（北京时间） | Month, by the clock of Beijing
-- column: energy | number | kWh | 用电 | Electricity
-- column: floor_area | number | m² | 建筑面积 | Floor area
-- column: energy_per_area | number | kWh/m² | 单位面积用电 | Electricity by floor area
-- column: peers | integer |  | 同类建筑数（含本建筑） | Buildings of the kind, this one among them
-- column: peers_median | number | kWh/m² | 同类中位数 | Median of the kind
-- column: to_peers | number | % | 与同类中位数之比 | By the median of the kind

WITH ends AS (
  SELECT entity_id, of_month AS month, last_value(value_number ORDER BY observed_at) AS register
  FROM (
    SELECT entity_id, observed_at, value_number,
      to_char(to_local_time(observed_at AT TIME ZONE 'Asia/Shanghai'), '%Y-%m') AS of_month
    FROM observations
    WHERE entity_type = 'PublicBuilding' AND attribute = 'totalActiveEnergyImport' AND value_number IS NOT NULL AND quality <> 'out_of_range'
  ) AS readings
  GROUP BY entity_id, of_month
),
numbered AS (
  SELECT entity_id, month, register, 12 * CAST(substr(month, 1, 4) AS BIGINT) + CAST(substr(month, 6, 2) AS BIGINT) AS number FROM ends
),
used AS (
  SELECT entity_id, month, number - lag(number) OVER (PARTITION BY entity_id ORDER BY number) AS months,
    register - lag(register) OVER (PARTITION BY entity_id ORDER BY number) AS energy
  FROM numbered
),
by_area AS (
  SELECT used.entity_id, n.name, n.buildingType, used.month, used.energy, n.floorArea, used.energy / n.floorArea AS per_area
  FROM used JOIN PublicBuilding_now AS n ON n.entity_id = used.entity_id
  WHERE used.months = 1 AND used.energy >= 0
),
kinds AS (
  SELECT buildingType, month, count(per_area) AS peers, median(per_area) AS middle FROM by_area GROUP BY buildingType, month
)
SELECT
  b.entity_id AS building_id,
  b.name AS building,
  b.buildingType AS building_type,
  b.month,
  b.energy,
  b.floorArea AS floor_area,
  b.per_area AS energy_per_area,
  CAST(k.peers AS BIGINT) AS peers,
  CASE WHEN k.peers >= 3 THEN k.middle END AS peers_median,
  CASE WHEN k.peers >= 3 AND k.middle > 0 THEN 100.0 * b.per_area / k.middle END AS to_peers
FROM by_area AS b LEFT JOIN kinds AS k ON k.buildingType = b.buildingType AND k.month = b.month
