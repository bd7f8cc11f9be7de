-- # Share of residents who have a health record.
-- id: health-records-coverage
-- number: T37
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧医疗设施
-- subgroup_en: Smart healthcare facilities
-- name_zh: 居民电子健康档案建档率
-- name_en: Residents with a health record
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 100
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- path: linear
-- responsible: weijian
-- place: 专栏2 融合基础设施建设 | 健康档案人人拥有
-- place: 四、(四)智慧医疗专题应用 | 健康档案人人拥有

SELECT value
FROM indicator_reports
WHERE indicator_id = 'health-records-coverage'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'health-records-coverage'
ORDER BY as_of DESC, id DESC;
