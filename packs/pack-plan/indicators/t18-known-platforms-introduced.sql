-- # Well-known industrial internet platforms introduced.
-- id: known-platforms-introduced
-- number: T18
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: 引进国内知名工业互联网平台
-- name_en: Well-known industrial internet platforms introduced
-- unit_zh: 家
-- unit_en: platforms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1..2
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | 引进1—2家国内知名的工业互联网平台

SELECT value
FROM indicator_reports
WHERE indicator_id = 'known-platforms-introduced'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'known-platforms-introduced'
ORDER BY as_of DESC, id DESC;
