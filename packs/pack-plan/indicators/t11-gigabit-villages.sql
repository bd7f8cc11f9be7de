-- # Administrative villages with gigabit access.
-- id: gigabit-villages
-- number: T11
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 千兆光纤网络
-- subgroup_en: Gigabit optical network
-- name_zh: 具备千兆网络接入能力的行政村比例
-- name_en: Administrative villages with gigabit access
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
-- place: 三、(一)2.加快千兆光网建设 | 逐步实现80%以上行政村具备千兆网络接入能力

SELECT value
FROM indicator_reports
WHERE indicator_id = 'gigabit-villages'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'gigabit-villages'
ORDER BY as_of DESC, id DESC;
