-- # Length within Tianmen that is finished; the 37.7 km of the whole section reach into the neighbouring city.
-- id: expressway-length
-- number: T31
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智能交通设施
-- subgroup_en: Smart transport facilities
-- name_zh: 武天高速天门境内里程
-- name_en: Wuhan–Tianmen expressway within Tianmen
-- unit_zh: 公里
-- unit_en: km
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 34.5
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报已建成里程，附依据
-- source_en: length finished, reported by the responsible department, with evidence
-- path: linear
-- responsible: jiaotong
-- place: 专栏2 融合基础设施建设 | 其中天门市境内长度34.5公里

SELECT value
FROM indicator_reports
WHERE indicator_id = 'expressway-length'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'expressway-length'
ORDER BY as_of DESC, id DESC;
