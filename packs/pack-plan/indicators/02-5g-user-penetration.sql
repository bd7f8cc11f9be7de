-- # 5G user penetration.
-- id: 5g-user-penetration
-- number: 2
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 5G用户普及率
-- name_en: 5G user penetration
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: 10
-- baseline_year: 2020
-- target: 70
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 5G用户普及率 % 10 70
-- place: 一、(一)发展基础 | 5G用户达到13万户

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-user-penetration'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-user-penetration'
ORDER BY as_of DESC, id DESC;
