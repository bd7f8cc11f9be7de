-- # PUE of all data centres together, weighted by power.
-- id: data-centre-pue
-- number: T3
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网数据中心
-- subgroup_en: Internet data centre
-- name_zh: 数据中心电源使用效率（PUE）
-- name_en: Power usage effectiveness of data centres (PUE)
-- unit_zh: 无量纲
-- unit_en: ratio
-- direction: less
-- baseline: none
-- baseline_year: 2020
-- target: 1.4
-- target_year: 2025
-- method: computed
-- source_zh: 平台计算：全部数据中心总功率之和除以 IT 功率之和（瞬时值）
-- source_en: computed by the platform: total power of all data centres divided by their IT power, at this moment
-- responsible: zhengshu
-- path: linear
-- place: 三、(一)3.建设高标准数据中心 | 数据中心电源使用效率(PUE)值不高于1.4

SELECT SUM(total_power_kw) / NULLIF(SUM(it_power_kw), 0.0) AS value
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'itPower' THEN value_number END) AS it_power_kw,
         MAX(CASE WHEN attribute = 'totalPower' THEN value_number END) AS total_power_kw,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'DataCentre' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS centres
WHERE total_power_kw IS NOT NULL AND it_power_kw IS NOT NULL;

-- rows:
SELECT entity_id, name, it_power_kw, total_power_kw, total_power_kw / NULLIF(it_power_kw, 0.0) AS pue, journal_position
FROM (
  SELECT entity_id,
         MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
         MAX(CASE WHEN attribute = 'itPower' THEN value_number END) AS it_power_kw,
         MAX(CASE WHEN attribute = 'totalPower' THEN value_number END) AS total_power_kw,
         MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'DataCentre' AND quality NOT IN ('uncertain', 'out_of_range')
  GROUP BY entity_id
) AS centres
ORDER BY entity_id;
