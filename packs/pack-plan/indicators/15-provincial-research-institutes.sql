-- # Provincial institutes of industrial technology.
-- id: provincial-research-institutes
-- number: 15
-- origin: table
-- group_zh: 创新基础设施
-- group_en: Innovation infrastructure
-- subgroup_zh: 科技和产业创新平台
-- subgroup_en: Science and industry innovation platforms
-- name_zh: 省级产业技术研究院
-- name_en: Provincial institutes of industrial technology
-- unit_zh: 家
-- unit_en: institutes
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 2
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: keji
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 省级产业技术研究院 - 2
-- place: 二、(三)规划目标 | 力争新建省级产业技术研究院2家

SELECT value
FROM indicator_reports
WHERE indicator_id = 'provincial-research-institutes'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'provincial-research-institutes'
ORDER BY as_of DESC, id DESC;
