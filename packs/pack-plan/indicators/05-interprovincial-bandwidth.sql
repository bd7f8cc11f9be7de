-- # Inter-provincial internet bandwidth.
-- id: interprovincial-bandwidth
-- number: 5
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 骨干网络
-- subgroup_en: Backbone network
-- name_zh: 互联网省际出口带宽
-- name_en: Inter-provincial internet bandwidth
-- unit_zh: Tbps
-- unit_en: Tbps
-- direction: more
-- baseline: 28.2
-- baseline_year: 2020
-- target: 70
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 互联网省际出口带宽 Tbps 28.2 70

SELECT value
FROM indicator_reports
WHERE indicator_id = 'interprovincial-bandwidth'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'interprovincial-bandwidth'
ORDER BY as_of DESC, id DESC;
