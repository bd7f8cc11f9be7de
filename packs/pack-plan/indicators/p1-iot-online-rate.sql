-- # Share of registered devices that are online; the plan gives no figure for IoT, this one is the platform's own.
-- id: iot-online-rate
-- number: P1
-- origin: platform
-- group_zh: 平台自有指标
-- group_en: The platform's own
-- subgroup_zh: 物联网
-- subgroup_en: Internet of things
-- name_zh: 物联网设备在线率
-- name_en: IoT devices online
-- unit_zh: %
-- unit_en: %
-- direction: more
-- baseline: none
-- baseline_year: 2020
-- target: 95
-- target_year: 2025
-- method: computed
-- source_zh: 平台计算：登记设备中在线的比例；目标 95% 是平台自设，规划没有给出数字
-- source_en: computed by the platform: share of registered devices that are online; the target of 95 % is the platform's own, the plan gives no figure
-- responsible: zhengshu
-- path: linear
-- place: 三、(一)4.推进物联网全面发展 | 到2025年底,依托全省大数据云体系实现物联网平台全市各行业全覆盖

SELECT 100.0 * AVG(CASE WHEN online THEN 1.0 ELSE 0.0 END) AS value
FROM devices;

-- rows:
SELECT devices.id AS device_id, client_id, type, name, online, last_seen_at, messages, rejected, said.journal_position
FROM devices
LEFT JOIN (
  SELECT device_id, MAX(journal_position) AS journal_position
  FROM entities_now
  WHERE device_id IS NOT NULL
  GROUP BY device_id
) AS said ON said.device_id = devices.id
ORDER BY online, client_id;
