-- # Parking spaces built in the project of box 2.
-- id: xisi-parking-spaces
-- number: T33
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 城市管理设施
-- subgroup_en: City management facilities
-- name_zh: 西寺路立体停车场停车位
-- name_en: Spaces of the Xisi Road car park
-- unit_zh: 个
-- unit_en: spaces
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 240
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报已建成车位，附依据
-- source_en: spaces built, reported by the responsible department, with evidence
-- path: linear
-- responsible: zhujian
-- place: 专栏2 融合基础设施建设 | 天门市西寺路立体停车场项目:新建停车位240个

SELECT value
FROM indicator_reports
WHERE indicator_id = 'xisi-parking-spaces'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'xisi-parking-spaces'
ORDER BY as_of DESC, id DESC;
