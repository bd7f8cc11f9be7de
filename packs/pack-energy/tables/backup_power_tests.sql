-- # Every test of backup power that was entered or reported: what was said at one moment is one test.
-- title_zh: 应急电源试验记录
-- title_en: Tests of backup power
-- source: Own; monthly test after NFPA 110, 8.4.2
-- column: backup_id | text |  | 应急电源编号 | Id of the backup power
-- column: backup | text |  | 应急电源 | Backup power
-- column: organisation | text |  | 运行单位 | Organisation that runs it
-- column: told_at | clock |  | 录入或上报时间（北京时间） | When it was told, by the clock of Beijing
-- column: started_at | text |  | 试验开始时间 | Began at
-- column: ended_at | text |  | 试验结束时间 | Ended at
-- column: minutes | number | min | 带载时间 | Time under load
-- column: load | number | kW | 试验负载 | Load
-- column: load_share | number | % | 占额定功率 | Share of the rated power
-- column: transfer_time | number | s | 切换时间 | Transfer time
-- column: result | text |  | 结果 | Result
-- column: counts | boolean |  | 是否算一次月度试验 | Whether it counts as a monthly test

WITH said AS (
  SELECT entity_id, observed_at,
    last_value(value_text ORDER BY journal_position) FILTER (WHERE attribute = 'lastTestStartedAt') AS started_at,
    last_value(value_text ORDER BY journal_position) FILTER (WHERE attribute = 'lastTestEndedAt') AS ended_at,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'lastTestDuration') AS minutes,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'lastTestLoad') AS load,
    last_value(value_number ORDER BY journal_position) FILTER (WHERE attribute = 'lastTransferTime') AS transfer_time,
    last_value(value_text ORDER BY journal_position) FILTER (WHERE attribute = 'lastTestResult') AS result
  FROM observations
  WHERE entity_type = 'BackupPower' AND attribute IN ('lastTestStartedAt', 'lastTestEndedAt', 'lastTestDuration', 'lastTestLoad', 'lastTransferTime', 'lastTestResult')
    AND quality <> 'out_of_range'
  GROUP BY entity_id, observed_at
)
SELECT
  said.entity_id AS backup_id,
  n.name AS backup,
  n.organisation,
  to_local_time(said.observed_at AT TIME ZONE 'Asia/Shanghai') AS told_at,
  said.started_at,
  said.ended_at,
  said.minutes,
  said.load,
  CASE WHEN n.ratedPower > 0 THEN 100.0 * said.load / n.ratedPower END AS load_share,
  said.transfer_time,
  said.result,
  said.result = 'passed' AND said.minutes >= 30 AND said.load >= 0.3 * n.ratedPower AS counts
FROM said JOIN BackupPower_now AS n ON n.entity_id = said.entity_id
WHERE said.ended_at IS NOT NULL
