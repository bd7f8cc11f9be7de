-- # Share of registered reaches and reservoirs that are watched: a station of theirs, or their own reading, came within the last day.
-- # The plan asks for it in words and gives no figure. A file must have a target, so this one is the platform's own, as P1's is.
-- # A reach is watched by the station at either end; a reservoir by its own level or by the station of its level. A reservoir may stand at the end of a reach.
-- # Readings outside the credible range watch nothing. Where no reach and no reservoir is registered there is no value.
-- id: river-lake-monitoring
-- number: P2
-- origin: platform
-- group_zh: 平台自有指标
-- group_en: The platform's own
-- subgroup_zh: 智慧水利
-- subgroup_en: Water
-- name_zh: 河湖监测覆盖率
-- name_en: Reaches and reservoirs watched
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 95
-- target_year: 2025
-- method: computed
-- source_zh: 平台计算：登记的河段、水库中，近一日本身或其上、下断面测站（库水位站）有可信水位、流量读数的比例；没有登记河段、水库时没有数值；目标 95% 是平台自设，规划正文没有给出数字
-- source_en: computed by the platform: share of registered reaches and reservoirs with a credible stage or discharge of their own or of their stations within the last day; no value where none is registered; the target of 95 % is the platform's own, the plan's text gives no figure
-- responsible: shuili
-- path: linear
-- place: 三、(二)8.建设协同高效的智慧水利设施 | 完善河流湖泊全面监测体系

WITH heard AS (
  SELECT DISTINCT entity_id FROM entities_now
  WHERE ((entity_type = 'WaterObserved' AND attribute IN ('waterLevel', 'flow'))
      OR (entity_type = 'WaterReservoir' AND attribute = 'waterLevelUpstream'))
    AND value_number IS NOT NULL AND quality <> 'out_of_range' AND observed_at > now() - INTERVAL '1 day'
),
water AS (
  SELECT entity_id,
    MAX(CASE WHEN attribute IN ('upstreamStation', 'refStation') THEN value_text END) AS first_station,
    MAX(CASE WHEN attribute = 'downstreamStation' THEN value_text END) AS second_station
  FROM entities_now WHERE entity_type IN ('RiverReach', 'WaterReservoir')
  GROUP BY entity_id
)
SELECT 100.0 * AVG(CASE WHEN own.entity_id IS NOT NULL OR a.entity_id IS NOT NULL OR b.entity_id IS NOT NULL THEN 1.0 ELSE 0.0 END) AS value
FROM water
LEFT JOIN heard AS own ON own.entity_id = water.entity_id
LEFT JOIN heard AS a ON a.entity_id = water.first_station
LEFT JOIN heard AS b ON b.entity_id = water.second_station;

-- rows:
WITH heard AS (
  SELECT DISTINCT entity_id FROM entities_now
  WHERE ((entity_type = 'WaterObserved' AND attribute IN ('waterLevel', 'flow'))
      OR (entity_type = 'WaterReservoir' AND attribute = 'waterLevelUpstream'))
    AND value_number IS NOT NULL AND quality <> 'out_of_range' AND observed_at > now() - INTERVAL '1 day'
),
water AS (
  SELECT entity_id, entity_type,
    MAX(CASE WHEN attribute = 'name' THEN value_text END) AS name,
    MAX(CASE WHEN attribute IN ('upstreamStation', 'refStation') THEN value_text END) AS first_station,
    MAX(CASE WHEN attribute = 'downstreamStation' THEN value_text END) AS second_station,
    MAX(journal_position) AS journal_position
  FROM entities_now WHERE entity_type IN ('RiverReach', 'WaterReservoir')
  GROUP BY entity_id, entity_type
)
SELECT water.entity_id, entity_type, name, first_station, second_station,
  own.entity_id IS NOT NULL OR a.entity_id IS NOT NULL OR b.entity_id IS NOT NULL AS watched, journal_position
FROM water
LEFT JOIN heard AS own ON own.entity_id = water.entity_id
LEFT JOIN heard AS a ON a.entity_id = water.first_station
LEFT JOIN heard AS b ON b.entity_id = water.second_station
ORDER BY watched, water.entity_id;
