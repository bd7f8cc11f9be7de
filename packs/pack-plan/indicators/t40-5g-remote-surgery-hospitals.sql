-- # Grade-3A hospitals that show remote surgery over 5G with a partner hospital.
-- id: 5g-remote-surgery-hospitals
-- number: T40
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧医疗设施
-- subgroup_en: Smart healthcare facilities
-- name_zh: 开展5G远程手术应用示范的三级甲等医疗机构
-- name_en: Grade-3A hospitals that show remote surgery over 5G
-- unit_zh: 家
-- unit_en: hospitals
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1..2
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- path: linear
-- responsible: weijian
-- place: 四、(四)智慧医疗专题应用 | 选择1—2家三级甲等医疗机构与对口协作的医疗机构合作,利用5G技术开展远程手术医疗服务应用示范

SELECT value
FROM indicator_reports
WHERE indicator_id = '5g-remote-surgery-hospitals'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = '5g-remote-surgery-hospitals'
ORDER BY as_of DESC, id DESC;
