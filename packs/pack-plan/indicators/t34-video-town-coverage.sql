-- # Share of the towns that the video network covers, their villages included.
-- id: video-town-coverage
-- number: T34
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 雪亮工程
-- subgroup_en: Video cloud
-- name_zh: “雪亮工程”乡镇覆盖率
-- name_en: Towns covered by the video network
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
-- responsible: gongan
-- place: 专栏2 融合基础设施建设 | 建设覆盖全市乡镇及农村的视频监控网络

SELECT value
FROM indicator_reports
WHERE indicator_id = 'video-town-coverage'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'video-town-coverage'
ORDER BY as_of DESC, id DESC;
