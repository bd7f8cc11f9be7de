-- # Business buildings with 10-gigabit access.
-- id: ten-gigabit-buildings
-- number: T13
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 千兆光纤网络
-- subgroup_en: Gigabit optical network
-- name_zh: 商务楼宇万兆接入能力覆盖率
-- name_en: Business buildings with 10-gigabit access
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
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标 | 实现全市家庭千兆接入能力和商务楼宇万兆接入能力全覆盖

SELECT value
FROM indicator_reports
WHERE indicator_id = 'ten-gigabit-buildings'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'ten-gigabit-buildings'
ORDER BY as_of DESC, id DESC;
