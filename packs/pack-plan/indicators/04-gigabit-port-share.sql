-- # Share of gigabit access ports.
-- id: gigabit-port-share
-- number: 4
-- origin: table
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 千兆光纤网络
-- subgroup_en: Gigabit optical network
-- name_zh: 千兆宽带接入端口占比
-- name_en: Share of gigabit access ports
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: 10
-- baseline_year: 2020
-- target: 85
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 二、(三)规划目标·表“十四五”新型基础设施发展目标 | 千兆宽带接入端口占比 % 10 85

SELECT value
FROM indicator_reports
WHERE indicator_id = 'gigabit-port-share'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'gigabit-port-share'
ORDER BY as_of DESC, id DESC;
