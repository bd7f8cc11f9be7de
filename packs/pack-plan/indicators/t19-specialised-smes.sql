-- # Specialised small and medium firms, provincial and above.
-- id: specialised-smes
-- number: T19
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 互联网服务平台
-- subgroup_en: Internet service platforms
-- name_zh: 省级以上“专精特新”中小企业
-- name_en: Specialised small and medium firms, provincial and above
-- unit_zh: 家
-- unit_en: firms
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 50
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附依据
-- source_en: reported by the responsible department, with evidence
-- responsible: jingxin
-- path: linear
-- place: 三、(一)5.打造互联网服务平台 | 培育省级以上“专精特新”中小企业50家

SELECT value
FROM indicator_reports
WHERE indicator_id = 'specialised-smes'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'specialised-smes'
ORDER BY as_of DESC, id DESC;
