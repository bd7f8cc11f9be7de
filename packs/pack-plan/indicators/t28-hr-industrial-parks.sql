-- # New ones counted from the start of the plan, so the baseline is 0.
-- id: hr-industrial-parks
-- number: T28
-- origin: text
-- group_zh: 创新基础设施
-- group_en: Innovation infrastructure
-- subgroup_zh: 科技和产业创新平台
-- subgroup_en: Science and industry innovation platforms
-- name_zh: 新建人力资源产业园
-- name_en: Human resources parks, new
-- unit_zh: 家
-- unit_en: parks
-- direction: more
-- baseline: 0
-- baseline_year: 2020
-- target: 1
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: renshe
-- path: linear
-- place: 二、(三)规划目标 | 新建人力资源产业园1家

SELECT value
FROM indicator_reports
WHERE indicator_id = 'hr-industrial-parks'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'hr-industrial-parks'
ORDER BY as_of DESC, id DESC;
