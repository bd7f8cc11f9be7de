-- # The national grades in order: 1 一级, 2 二级, 3 三级, 4 四级乙等, 5 四级甲等, 6 五级乙等, 7 五级甲等. The plan wants 四级甲等.
-- id: health-interoperability-grade
-- number: T38
-- origin: text
-- group_zh: 融合基础设施
-- group_en: Integrated infrastructure
-- subgroup_zh: 智慧医疗设施
-- subgroup_en: Smart healthcare facilities
-- name_zh: 区域卫生信息互联互通标准化成熟度
-- name_en: Maturity grade of regional health information interoperability
-- unit_zh: 等次
-- unit_en: grade
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 5
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位按测评结果填报等次：一级1、二级2、三级3、四级乙等4、四级甲等5、五级乙等6、五级甲等7，附测评文件
-- source_en: the grade assessed (1 to 7: one, two, three, four B, four A, five B, five A), reported by the responsible department, with the assessment
-- path: linear
-- responsible: weijian
-- place: 三、(二)5.打造普惠便民的智慧医疗设施 | 区域卫生信息互联互通标准化成熟度达到四级甲等

SELECT value
FROM indicator_reports
WHERE indicator_id = 'health-interoperability-grade'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'health-interoperability-grade'
ORDER BY as_of DESC, id DESC;
