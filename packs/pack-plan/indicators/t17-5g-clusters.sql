-- # 5G industry clusters.
-- id: 5g-clusters
-- number: T17
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 5G 网络
-- subgroup_en: 5G network
-- name_zh: 5G产业集聚区
-- name_en: 5G industry clusters
-- unit_zh: 个
-- unit_en: clusters
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)1.加快5G网络发展 | 打造以5G产业为主导的集聚区1个以上

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-clusters'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-clusters'
ORDER BY as_of DESC, id DESC;
