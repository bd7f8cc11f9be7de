-- # Smart factories and digital workshops.
-- id: smart-factories
-- number: T23
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: 智能工厂/数字化车间
-- name_en: Smart factories and digital workshops
-- unit_zh: 家
-- unit_en: factories
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 30
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | 智能工厂/数字化车间达到30家以上

SELECT value
FROM indicator_reports
WHERE indicator_id = 'smart-factories'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'smart-factories'
ORDER BY as_of DESC, id DESC;
