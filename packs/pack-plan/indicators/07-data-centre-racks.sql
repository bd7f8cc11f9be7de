-- # Racks installed; those in use are T4.
-- id: data-centre-racks
-- number: 7
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网数据中心
-- subgroup_en: Internet data centre
-- name_zh: 数据中心标准机架数
-- name_en: Standard racks in data centres
-- unit_zh: 个
-- unit_en: racks
-- direction: more
-- baseline: 100
-- baseline_year: 2020
-- target: 300
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：登记的标准机架，不论是否在用
-- source_en: counted by the platform: racks installed, in use or not
-- responsible: zhengshu
-- towns: sum
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 数据中心标准机架数 100 300

SELECT CAST(NULLIF(COUNT(DISTINCT entity_id), 0) AS DOUBLE) AS value
FROM entities_now
WHERE entity_type = 'ServerRack';

-- rows:
SELECT entity_id, name, in_use, town_code, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'inUse' THEN value_number END) AS in_use,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
ORDER BY entity_id;

-- towns:
SELECT town_code, CAST(COUNT(*) AS DOUBLE) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code
  FROM entities_now
  WHERE entity_type = 'ServerRack'
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
