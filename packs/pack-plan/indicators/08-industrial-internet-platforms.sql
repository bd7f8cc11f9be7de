-- # Industrial internet platforms.
-- id: industrial-internet-platforms
-- number: 8
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 工业互联网
-- subgroup_en: Industrial internet
-- name_zh: 工业互联网平台
-- name_en: Industrial internet platforms
-- unit_zh: 个
-- unit_en: platforms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 工业互联网平台 - 1

SELECT value
FROM indicator_reports
WHERE indicator_id = 'industrial-internet-platforms'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'industrial-internet-platforms'
ORDER BY as_of DESC, id DESC;
