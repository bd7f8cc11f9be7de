-- # 5G base stations in service; one that is out of service does not count.
-- id: 5g-base-stations
-- number: 1
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 5G基站规模
-- name_en: 5G base stations
-- unit_zh: 个
-- unit_en: stations
-- direction: more
-- baseline: 398
-- baseline_year: 2020
-- target: 1800
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：制式为 5G 且在服务的基站
-- source_en: counted by the platform: base stations of generation 5G in service
-- responsible: jingxin
-- towns: sum
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 5G基站规模 398 1800
-- place: 二、(三)规划目标 | 全市建成1800个5G基站,实现主城区5G网络全覆盖,乡镇覆盖率不低于80%
-- place: 三、(一)1.加快5G网络发展 | 全市5G基站突破1800个
-- place: 专栏1 信息基础设施建设 | 全市建成1800个以上5G基站

SELECT SUM(CASE WHEN in_service = 1.0 AND generation = '5G' THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'generation' THEN value_text END) AS generation,
         MAX(CASE WHEN attribute = 'operator' THEN value_text END) AS operator,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'TelecomBaseStation' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things;

-- rows:
SELECT entity_id, name, generation, operator, town_code, in_service, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'generation' THEN value_text END) AS generation,
         MAX(CASE WHEN attribute = 'operator' THEN value_text END) AS operator,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'TelecomBaseStation' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
WHERE generation = '5G'
ORDER BY in_service, entity_id;

-- towns:
SELECT town_code, SUM(CASE WHEN in_service = 1.0 AND generation = '5G' THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service,
         MAX(CASE WHEN attribute = 'generation' THEN value_text END) AS generation
  FROM entities_now
  WHERE entity_type = 'TelecomBaseStation' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
