-- # Servers in the data centre.
-- id: servers
-- number: T5
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网数据中心
-- subgroup_en: Internet data centre
-- name_zh: 数据中心服务器数
-- name_en: Servers in the data centre
-- unit_zh: 台
-- unit_en: servers
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 3000
-- target_year: 2025
-- method: computed
-- source_zh: 平台计算：各机架登记的服务器数之和
-- source_en: computed by the platform: servers registered with the racks
-- responsible: zhengshu
-- towns: sum
-- path: linear
-- place: 三、(一)3.建设高标准数据中心 | 支撑3000台服务器

SELECT SUM(servers) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'serverCount' THEN value_number END) AS servers,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS racks;

-- rows:
SELECT entity_id, name, town_code, servers, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'serverCount' THEN value_number END) AS servers,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS racks
WHERE servers IS NOT NULL
ORDER BY entity_id;

-- towns:
SELECT town_code, SUM(servers) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'serverCount' THEN value_number END) AS servers
  FROM entities_now
  WHERE entity_type = 'ServerRack' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
