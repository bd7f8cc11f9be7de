-- # The slowest trunk line of the video network; 万兆 is 10 Gbps.
-- id: video-trunk-bandwidth
-- number: T35
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 雪亮工程
-- subgroup_en: Video cloud
-- name_zh: “雪亮工程”干线传输速率
-- name_en: Trunk rate of the video network
-- unit_zh: Gbps
-- unit_en: Gbps
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 10
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报最慢一条干线的速率，附依据
-- source_en: the slowest trunk, reported by the responsible department, with evidence
-- path: linear
-- responsible: gongan
-- place: 专栏2 融合基础设施建设 | 实现干线万兆传输、支线千兆传输

SELECT value
FROM indicator_reports
WHERE indicator_id = 'video-trunk-bandwidth'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'video-trunk-bandwidth'
ORDER BY as_of DESC, id DESC;
