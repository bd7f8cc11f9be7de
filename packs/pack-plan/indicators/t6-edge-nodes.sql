-- # Edge computing pool nodes.
-- id: edge-nodes
-- number: T6
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网数据中心
-- subgroup_en: Internet data centre
-- name_zh: 边缘计算资源池节点
-- name_en: Edge computing pool nodes
-- unit_zh: 个
-- unit_en: nodes
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 7
-- target_year: 2025
-- method: computed
-- source_zh: 平台计数：在服务的边缘节点
-- source_en: counted by the platform: edge nodes in service
-- responsible: zhengshu
-- towns: sum
-- path: linear
-- place: 三、(一)3.建设高标准数据中心 | 建设7个以上边缘计算资源池节点

SELECT SUM(CASE WHEN in_service = 1.0 THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'EdgeNode' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things;

-- rows:
SELECT entity_id, name, town_code, in_service, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'EdgeNode' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
ORDER BY in_service, entity_id;

-- towns:
SELECT town_code, SUM(CASE WHEN in_service = 1.0 THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'townCode' THEN value_text END) AS town_code,
         MAX(CASE WHEN attribute = 'inService' THEN value_number END) AS in_service
  FROM entities_now
  WHERE entity_type = 'EdgeNode' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS things
WHERE town_code IS NOT NULL
GROUP BY town_code
ORDER BY town_code;
