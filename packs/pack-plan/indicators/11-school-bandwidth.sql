-- # Bandwidth of primary and secondary schools.
-- id: school-bandwidth
-- number: 11
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧教育设施
-- subgroup_en: Smart education facilities
-- name_zh: 中小学网络接入带宽
-- name_en: Bandwidth of primary and secondary schools
-- unit_zh: Mbps
-- unit_en: Mbps
-- direction: more
-- baseline: 100
-- baseline_year: 2020
-- target: 1000
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jiaoyu
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 中小学网络接入带宽 Mbps 100 1000
-- place: 专栏2 融合基础设施建设 | 全市中小学校互联网出口带宽接入速率不低于1000M

SELECT value
FROM indicator_reports
WHERE indicator_id = 'school-bandwidth'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'school-bandwidth'
ORDER BY as_of DESC, id DESC;
