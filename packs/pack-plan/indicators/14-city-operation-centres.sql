-- # Smart city operation centres built.
-- id: city-operation-centres
-- number: 14
-- origin: table
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 数字化社会治理设施
-- subgroup_en: Digital social governance facilities
-- name_zh: 智慧城市运营管理中心建成数量
-- name_en: Smart city operation centres built
-- unit_zh: 个
-- unit_en: centres
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: zhengshu
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 智慧城市运营管理中心建成数量 - 1

SELECT value
FROM indicator_reports
WHERE indicator_id = 'city-operation-centres'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'city-operation-centres'
ORDER BY as_of DESC, id DESC;
