-- # Length of optical cable.
-- id: fibre-length
-- number: T7
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 千兆光纤网络
-- subgroup_en: Gigabit optical network
-- name_zh: 光缆总长度
-- name_en: Length of optical cable
-- unit_zh: 公里
-- unit_en: km
-- direction: more
-- baseline: 79029
-- baseline_year: 2020
-- target: 120000
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)2.加快千兆光网建设 | 全市光缆总长度达到12万公里
-- place: 一、(一)发展基础 | 民用通信光缆达到79029公里

SELECT value
FROM indicator_reports
WHERE indicator_id = 'fibre-length'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'fibre-length'
ORDER BY as_of DESC, id DESC;
