-- # Leading 5G firms.
-- id: 5g-leading-firms
-- number: T16
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 5G产业龙头企业
-- name_en: Leading 5G firms
-- unit_zh: 家
-- unit_en: firms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 2
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)1.加快5G网络发展 | 培育5G产业龙头企业2家

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-leading-firms'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-leading-firms'
ORDER BY as_of DESC, id DESC;
