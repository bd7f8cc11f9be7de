-- # Racks in use.
-- id: racks-in-use
-- number: T4
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网数据中心
-- subgroup_en: Internet data centre
-- name_zh: 数据中心在用机柜数
-- name_en: Racks in use
-- unit_zh: 个
-- unit_en: racks
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 300
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：在用的机架
-- source_en: counted by the platform: racks in use
-- responsible: zhengshu
-- towns: sum
-- path: linear
-- place: 三、(一)3.建设高标准数据中心 | 数据中心在用机柜数达到300个

SELECT SUM(CASE WHEN in_use = 1.0 THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inUse' THEN value_number END) AS in_use,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things;

-- rows:
SELECT entity_id, name, town_code, in_use, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inUse' THEN value_number END) AS in_use,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
ORDER BY in_use, entity_id;

-- towns:
SELECT town_code, SUM(CASE WHEN in_use = 1.0 THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'inUse' THEN value_number END) AS in_use
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
