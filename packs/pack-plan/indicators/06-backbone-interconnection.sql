-- # Backbone interconnection bandwidth.
-- id: backbone-interconnection
-- number: 6
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 骨干网络
-- subgroup_en: Backbone network
-- name_zh: 互联网骨干网网间互联带宽
-- name_en: Backbone interconnection bandwidth
-- unit_zh: Tbps
-- unit_en: Tbps
-- direction: more
-- baseline: 1.25
-- baseline_year: 2020
-- target: 2.5
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 互联网骨干网网间互联带宽 Tbps 1.25 2.5

SELECT value
FROM indicator_reports
WHERE indicator_id = 'backbone-interconnection'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'backbone-interconnection'
ORDER BY as_of DESC, id DESC;
