-- # Charge points for electric vehicles.
-- id: charging-points
-- number: T1
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧能源设施
-- subgroup_en: Smart energy facilities
-- name_zh: 新能源汽车充电桩
-- name_en: Charge points for electric vehicles
-- unit_zh: 个
-- unit_en: points
-- direction: more
-- baseline: 413
-- baseline_year: 2020
-- target: 4913
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：登记的充电桩
-- source_en: counted by the platform: charge points registered
-- responsible: fagai
-- towns: sum
-- path: linear
-- place: 二、(三)规划目标 | 全市新能源汽车充电桩达到4913个
-- place: 三、(二)3.构建绿色低碳的智慧能源设施 | 充电设施保有量达到4913个
-- place: 一、(一)发展基础 | 全市共建设新能源汽车充电设施413个、充电站点11座

SELECT CAST(NULLIF(COUNT(DISTINCT entity_id), 0) AS DOUBLE) AS value
FROM entities_now
WHERE entity_type = 'ChargePoint';

-- rows:
SELECT entity_id, name, station, status, town_code, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'refStation' THEN value_text END) AS station,
         MAX(CASE WHEN attribute = 'status' THEN value_text END) AS status,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ChargePoint' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
ORDER BY entity_id;

-- towns:
SELECT town_code, CAST(COUNT(*) AS DOUBLE) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code
  FROM entities_now
  WHERE entity_type = 'ChargePoint'
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
