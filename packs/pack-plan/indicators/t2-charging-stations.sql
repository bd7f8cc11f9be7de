-- # Charging stations.
-- id: charging-stations
-- number: T2
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧能源设施
-- subgroup_en: Smart energy facilities
-- name_zh: 集中式充电站
-- name_en: Charging stations
-- unit_zh: 座
-- unit_en: stations
-- direction: more
-- baseline: 11
-- baseline_year: 2020
-- target: 58
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：登记的充电站
-- source_en: counted by the platform: charging stations registered
-- responsible: fagai
-- towns: sum
-- path: linear
-- place: 三、(二)3.构建绿色低碳的智慧能源设施 | 天门市集中式充电站保有量达到58座
-- place: 一、(一)发展基础 | 全市共建设新能源汽车充电设施413个、充电站点11座

SELECT CAST(NULLIF(COUNT(DISTINCT entity_id), 0) AS DOUBLE) AS value
FROM entities_now
WHERE entity_type = 'EVChargingStation';

-- rows:
SELECT entity_id, name, operator, capacity, town_code, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'operator' THEN value_text END) AS operator,
         MAX(CASE WHEN attribute = 'capacity' THEN value_number END) AS capacity,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'EVChargingStation' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
ORDER BY entity_id;

-- towns:
SELECT town_code, CAST(COUNT(*) AS DOUBLE) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code
  FROM entities_now
  WHERE entity_type = 'EVChargingStation'
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
