-- # Share of classes with 100 Mbps or more.
-- id: class-hundred-megabit
-- number: T39
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧教育设施
-- subgroup_en: Smart education facilities
-- name_zh: 百兆到班比例
-- name_en: Classes with 100 Mbps
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
-- responsible: jiaoyu
-- place: 三、(二)6.推广融合创新的智慧教育设施 | 按照“千兆到校、百兆到班”的要求

SELECT value
FROM indicator_reports
WHERE indicator_id = 'class-hundred-megabit'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'class-hundred-megabit'
ORDER BY as_of DESC, id DESC;
