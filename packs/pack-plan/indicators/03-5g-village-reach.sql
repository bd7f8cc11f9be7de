-- # Administrative villages reached by 5G.
-- id: 5g-village-reach
-- number: 3
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 行政村5G网络通达比例
-- name_en: Administrative villages reached by 5G
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 95
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 行政村5G网络通达比例 % - 95

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-village-reach'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-village-reach'
ORDER BY as_of DESC, id DESC;
