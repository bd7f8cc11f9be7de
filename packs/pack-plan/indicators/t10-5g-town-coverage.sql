-- # 5G coverage of towns.
-- id: 5g-town-coverage
-- number: T10
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 乡镇5G网络覆盖率
-- name_en: 5G coverage of towns
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 80
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标 | 乡镇覆盖率不低于80%
-- place: 专栏1 信息基础设施建设 | 乡镇覆盖率不低于80%

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-town-coverage'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-town-coverage'
ORDER BY as_of DESC, id DESC;
