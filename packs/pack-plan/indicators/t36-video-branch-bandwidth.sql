-- # The slowest branch line of the video network; 千兆 is 1 Gbps.
-- id: video-branch-bandwidth
-- number: T36
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 雪亮工程
-- subgroup_en: Video cloud
-- name_zh: “雪亮工程”支线传输速率
-- name_en: Branch rate of the video network
-- unit_zh: Gbps
-- unit_en: Gbps
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 1
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报最慢一条支线的速率，附依据
-- source_en: the slowest branch, reported by the responsible department, with evidence
-- path: linear
-- responsible: gongan
-- place: 专栏2 融合基础设施建设 | 实现干线万兆传输、支线千兆传输

SELECT value
FROM indicator_reports
WHERE indicator_id = 'video-branch-bandwidth'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'video-branch-bandwidth'
ORDER BY as_of DESC, id DESC;
