-- # Institutes of industrial technology (of any level).
-- id: research-institutes
-- number: T27
-- origin: text
-- group_zh: 创新基础设施
-- group_en: Innovation infrastructure
-- subgroup_zh: 科技和产业创新平台
-- subgroup_en: Science and industry innovation platforms
-- name_zh: 产业技术研究院（不限省级）
-- name_en: Institutes of industrial technology (of any level)
-- unit_zh: 家
-- unit_en: institutes
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 3..5
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: keji
-- path: linear
-- place: 三、(三)1.布局产业创新基础设施 | 探索建设3—5家产业技术研究院

SELECT value
FROM indicator_reports
WHERE indicator_id = 'research-institutes'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'research-institutes'
ORDER BY as_of DESC, id DESC;
