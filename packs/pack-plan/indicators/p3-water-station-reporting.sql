-- # Share of water stations in use that reported within the last day; in use is whoever sent a stage or a discharge within the last 30 days.
-- # The plan asks for it in words and gives no figure. A file must have a target, so this one is the platform's own, as P1's is.
-- # Stations declare no interval of their own, so a day holds for all. What arrived counts, whatever its quality. Without a station in use there is no value.
-- id: water-station-reporting
-- number: P3
-- origin: platform
-- group_zh: 平台自有指标
-- group_en: The platform's own
-- subgroup_zh: 智慧水利
-- subgroup_en: Water
-- name_zh: 水情测站到报率
-- name_en: Water stations reporting
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 95
-- target_year: 2025
-- method: computed
-- source_zh: 平台计算：近 30 日有水位、流量读数的水情测站中，近一日到报的比例；没有这样的测站时没有数值；目标 95% 是平台自设，规划正文没有给出数字
-- source_en: computed by the platform: of the water stations that sent a stage or a discharge within 30 days, the share that did within the last day; no value where there is no such station; the target of 95 % is the platform's own, the plan's text gives no figure
-- responsible: shuili
-- path: linear
-- place: 三、(二)8.建设协同高效的智慧水利设施 | 完善水文站网与防洪非工程措施,提升监测预警和防洪调度能力

SELECT 100.0 * AVG(CASE WHEN last_reading_at > now() - INTERVAL '1 day' THEN 1.0 ELSE 0.0 END) AS value
FROM (
  SELECT entity_id, MAX(observed_at) AS last_reading_at
  FROM entities_now
  WHERE entity_type = 'WaterObserved' AND attribute IN ('waterLevel', 'flow') AND value_number IS NOT NULL
  GROUP BY entity_id
) AS stations
WHERE last_reading_at > now() - INTERVAL '30 days';

-- rows:
SELECT entity_id, name, last_reading_at, last_reading_at > now() - INTERVAL '1 day' AS reported, journal_position
FROM (
  SELECT entity_id,
    MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
    MAX(CASE WHEN attribute IN ('waterLevel', 'flow') AND value_number IS NOT NULL THEN observed_at END) AS last_reading_at,
    MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE entity_type = 'WaterObserved'
  GROUP BY entity_id
) AS stations
WHERE last_reading_at > now() - INTERVAL '30 days'
ORDER BY reported, entity_id;
