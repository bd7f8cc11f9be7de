-- # "Internet +" collaborative manufacturing models.
-- id: collaborative-manufacturing
-- number: T21
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: “互联网+”协同制造示范企业
-- name_en: "Internet +" collaborative manufacturing models
-- unit_zh: 家
-- unit_en: firms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 20
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | “互联网+”协同制造示范企业20家以上

SELECT value
FROM indicator_reports
WHERE indicator_id = 'collaborative-manufacturing'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'collaborative-manufacturing'
ORDER BY as_of DESC, id DESC;
