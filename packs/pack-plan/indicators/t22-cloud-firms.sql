-- # Firms in the cloud.
-- id: cloud-firms
-- number: T22
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: 上云企业
-- name_en: Firms in the cloud
-- unit_zh: 家
-- unit_en: firms
-- direction: more
-- baseline: 200
-- baseline_year: 2020
-- target: 300
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | 上云企业达到300家
-- place: 一、(一)发展基础 | 全市累计上云企业200家

SELECT value
FROM indicator_reports
WHERE indicator_id = 'cloud-firms'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'cloud-firms'
ORDER BY as_of DESC, id DESC;
