-- # Internet hospitals.
-- id: internet-hospitals
-- number: 10
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧医疗设施
-- subgroup_en: Smart health facilities
-- name_zh: 互联网医院数量
-- name_en: Internet hospitals
-- unit_zh: 家
-- unit_en: hospitals
-- direction: more
-- baseline: 1
-- baseline_year: 2020
-- target: 2
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: weijian
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 互联网医院数量 1 2

SELECT value
FROM indicator_reports
WHERE indicator_id = 'internet-hospitals'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'internet-hospitals'
ORDER BY as_of DESC, id DESC;
