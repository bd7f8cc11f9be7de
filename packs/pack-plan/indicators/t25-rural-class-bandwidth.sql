-- # Bandwidth per class in rural schools.
-- id: rural-class-bandwidth
-- number: T25
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧教育设施
-- subgroup_en: Smart education facilities
-- name_zh: 农村学校班均带宽
-- name_en: Bandwidth per class in rural schools
-- unit_zh: Mbps
-- unit_en: Mbps
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 20
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jiaoyu
-- path: linear
-- place: 专栏2 融合基础设施建设 | 农村学校班均带宽接入速率达到20M以上

SELECT value
FROM indicator_reports
WHERE indicator_id = 'rural-class-bandwidth'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'rural-class-bandwidth'
ORDER BY as_of DESC, id DESC;
