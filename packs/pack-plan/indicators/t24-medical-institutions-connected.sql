-- # Medical institutions on the health network.
-- id: medical-institutions-connected
-- number: T24
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧医疗设施
-- subgroup_en: Smart health facilities
-- name_zh: 全民健康信息网络接入医疗机构
-- name_en: Medical institutions on the health network
-- unit_zh: 家
-- unit_en: institutions
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 818
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: weijian
-- path: linear
-- place: 三、(二)5.打造普惠便民的智慧医疗设施 | 全民健康信息网络覆盖市、镇、村三级及全市818家医疗机构

SELECT value
FROM indicator_reports
WHERE indicator_id = 'medical-institutions-connected'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'medical-institutions-connected'
ORDER BY as_of DESC, id DESC;
