-- # Investment completed in the project of box 1, in hundred million yuan.
-- id: network-upgrade-investment
-- number: T30
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 信息网络
-- subgroup_en: Information networks
-- name_zh: 信息网络升级项目总投资
-- name_en: Investment in the information network upgrade
-- unit_zh: 亿元
-- unit_en: ×100 million yuan
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 5
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报已完成投资，附依据
-- source_en: investment completed, reported by the responsible department, with evidence
-- path: linear
-- responsible: jingxin
-- place: 专栏1 信息基础设施建设 | 天门市信息网络升级项目:总投资5亿元以上

SELECT value
FROM indicator_reports
WHERE indicator_id = 'network-upgrade-investment'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'network-upgrade-investment'
ORDER BY as_of DESC, id DESC;
