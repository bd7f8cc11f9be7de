/** The made-up city's approvals: one that waits, one that is done. */
import type { Account, Approval, RoleInfo } from "../src/lib/types.ts";

const asked_at = new Date(Date.now() - 1_800_000).toISOString();
export const APPROVALS: Approval[] = [
  {
    id: 2,
    act: "table.remove",
    title_zh: "删除部门数据表",
    title_en: "Remove a department's table",
    target: "table:manholes",
    body: { table: "manholes", file: "井盖台账.csv", rows: 12, imported_by: "周规划" },
    digest: "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    reason: "演示数据，不再使用",
    asked_by: 6,
    asked_by_name: "周规划",
    asked_at,
    expires_at: new Date(Date.now() + 84_600_000).toISOString(),
    status: "pending",
    decided_by_name: null,
    decided_at: null,
    note: null,
    ended_at: null,
    outcome: null,
    decides: ["security"],
    can_decide: true,
    can_withdraw: false,
    can_collect: false,
  },
  {
    id: 1,
    act: "device.remove",
    title_zh: "注销设备",
    title_en: "Remove a device",
    target: "device:waterobserved-7",
    body: { client_id: "waterobserved-7", id: "urn:ngsi-ld:WaterObserved:7", type: "WaterObserved" },
    digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    reason: "设备报废",
    asked_by: 1,
    asked_by_name: "李工",
    asked_at,
    expires_at: asked_at,
    status: "done",
    decided_by_name: "赵安全",
    decided_at: asked_at,
    note: "已核对台账",
    ended_at: asked_at,
    outcome: "removed",
    decides: ["security"],
    can_decide: false,
    can_withdraw: false,
    can_collect: false,
  },
];

export const ACCOUNTS: Account[] = [
  { id: 1, username: "admin", name: "李工", role: "admin", organisation: null, disabled: false },
  { id: 9, username: "qian", name: "钱新", role: "none", organisation: null, disabled: false },
];

export const GRANTABLE: RoleInfo[] = [
  { role: "admin", permissions: ["user.manage", "device.manage"], is_administrator: true },
  { role: "duty", permissions: ["case.read", "case.dispatch"], is_administrator: false },
  { role: "none", permissions: [], is_administrator: false },
];
