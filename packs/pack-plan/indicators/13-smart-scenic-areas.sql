-- # Smart scenic areas among those of 4A and above.
-- id: smart-scenic-areas
-- number: 13
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧文旅设施
-- subgroup_en: Smart culture and tourism facilities
-- name_zh: 4A级及以上智慧景区覆盖率
-- name_en: Smart scenic areas among those of 4A and above
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 70
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: wenlv
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 4A级及以上智慧景区覆盖率 % - 70

SELECT value
FROM indicator_reports
WHERE indicator_id = 'smart-scenic-areas'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'smart-scenic-areas'
ORDER BY as_of DESC, id DESC;
