-- # Share of industries that the IoT platform covers. The plan lists no industries: a report must give the list that was counted.
-- id: iot-industry-coverage
-- number: T29
-- origin: text
-- group_zh: 信息基础设施
-- group_en: Information infrastructure
-- subgroup_zh: 物联网
-- subgroup_en: Internet of things
-- name_zh: 物联网平台行业覆盖率
-- name_en: Industries covered by the IoT platform
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 100
-- target_year: 2025
-- method: reported
-- source_zh: 责任单位填报，附行业清单和依据
-- source_en: reported by the responsible department, with the list of industries and evidence
-- path: linear
-- responsible: zhengshu
-- place: 三、(一)4.推进物联网全面发展 | 依托全省大数据云体系实现物联网平台全市各行业全覆盖

SELECT value
FROM indicator_reports
WHERE indicator_id = 'iot-industry-coverage'
ORDER BY as_of DESC, id DESC
LIMIT 1;

-- rows:
SELECT "period", as_of, value, evidence, note, reported_by, "at", filing_id
FROM indicator_reports
WHERE indicator_id = 'iot-industry-coverage'
ORDER BY as_of DESC, id DESC;
