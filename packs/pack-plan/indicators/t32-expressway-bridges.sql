-- # Bridges finished.
-- id: expressway-bridges
-- number: T32
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智能交通设施
-- subgroup_en: Smart transport facilities
-- name_zh: 武天高速天门东段桥梁
-- name_en: Bridges of the Wuhan–Tianmen expressway
-- unit_zh: 座
-- unit_en: bridges
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 13
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报已建成座数，附依据
-- source_en: bridges finished, reported by the responsible department, with evidence
-- path: linear
-- responsible: jiaotong
-- place: 专栏2 融合基础设施建设 | 桥梁13座

SELECT value
FROM indicator_reports
WHERE indicator_id = 'expressway-bridges'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'expressway-bridges'
ORDER BY as_of DESC, id DESC;
