-- # Digital campus coverage.
-- id: digital-campus-coverage
-- number: 12
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧教育设施
-- subgroup_en: Smart education facilities
-- name_zh: 数字校园覆盖率
-- name_en: Digital campus coverage
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 100
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jiaoyu
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 数字校园覆盖率 % - 100
-- place: 二、(三)规划目标 | 数字校园建设覆盖率达到100%

SELECT value
FROM indicator_reports
WHERE indicator_id = 'digital-campus-coverage'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'digital-campus-coverage'
ORDER BY as_of DESC, id DESC;
