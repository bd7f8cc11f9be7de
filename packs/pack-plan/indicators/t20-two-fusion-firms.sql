-- # Provincial pilots of industry and informatisation.
-- id: two-fusion-firms
-- number: T20
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: 省级两化融合试点示范企业
-- name_en: Provincial pilots of industry and informatisation
-- unit_zh: 家
-- unit_en: firms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 70
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | 省级两化融合试点示范企业70家

SELECT value
FROM indicator_reports
WHERE indicator_id = 'two-fusion-firms'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'two-fusion-firms'
ORDER BY as_of DESC, id DESC;
