-- # Internet access ports.
-- id: access-ports
-- number: T8
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 千兆光纤网络
-- subgroup_en: Gigabit optical network
-- name_zh: 互联网接入端口数
-- name_en: Internet access ports
-- unit_zh: 万个
-- unit_en: ×10,000 ports
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 150
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)2.加快千兆光网建设 | 接入端口数达到150万个

SELECT value
FROM indicator_reports
WHERE indicator_id = 'access-ports'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'access-ports'
ORDER BY as_of DESC, id DESC;
