/** What is heard of alerts stands in the lists at once, in the right place and only where it belongs. */
import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../lib/types.ts";
import { ROWS_MAX, showAlerts, withAlerts } from "./cache.ts";

const alert = (id: number, changed: Partial<Alert> = {}) =>
  ({ id, severity: "major", cleared_at: null, ...changed }) as Alert;
const heard = (...alerts: Alert[]) => new Map(alerts.map((each) => [each.id, each]));
const ids = (alerts: Alert[]) => alerts.map(({ id }) => id);

describe("alerts that were heard", () => {
  it("puts new ones on top, newest first, and changes the others where they stand", () => {
    const changed = withAlerts([alert(4), alert(2)], heard(alert(5), alert(7), alert(2, { case_id: 9 })), {});
    expect(ids(changed)).toEqual([7, 5, 4, 2]);
    expect(changed[3]?.case_id).toBe(9);
  });

  it("keeps to the filter, and leaves what is older than the list to the next reading", () => {
    const cleared = { cleared_at: "2026-01-01T00:00:00Z" };
    const active = { state: "active", severity: "major" } as const;
    const changed = withAlerts(
      [alert(4), alert(2)],
      heard(alert(4, cleared), alert(5, cleared), alert(6, { severity: "minor" }), alert(1), alert(3)),
      active,
    );
    expect(ids(changed)).toEqual([2]);
    expect(ids(withAlerts([], heard(alert(3)), active))).toEqual([3]);
  });

  it("does not grow without end in a storm", () => {
    const storm = heard(...Array.from({ length: 1_000 }, (_, n) => alert(n + 10)));
    const changed = withAlerts([alert(1)], storm, {});
    expect(changed.length).toBe(ROWS_MAX);
    expect(changed[0]?.id).toBe(1_009);
  });

  it("changes every list that was read, the later pages too, and invents none", () => {
    const client = new QueryClient();
    const list = (state?: string) => ["alerts", "list", { state, severity: undefined }];
    client.setQueryData(list("active"), {
      pages: [
        { items: [alert(9), alert(8)], next: "8" },
        { items: [alert(3), alert(2)], next: null },
      ],
      pageParams: [null, "8"],
    });
    client.setQueryData(["alerts", "active"], { items: [alert(9)], next: null });
    const ofEntity = ["alerts", "entity", "urn:x"];
    client.setQueryData(ofEntity, [alert(1)]);
    showAlerts(
      client,
      heard(
        alert(10, { entity_id: "urn:x" }),
        alert(11, { severity: "minor", entity_id: "urn:y" }),
        alert(3, { cleared_at: "2026-01-01T00:00:00Z" }),
      ),
    );
    const pages = client.getQueryData<{ pages: { items: Alert[] }[] }>(list("active"))?.pages ?? [];
    expect(pages.map(({ items }) => ids(items))).toEqual([[11, 10, 9, 8], [2]]);
    expect(ids(client.getQueryData<{ items: Alert[] }>(["alerts", "active"])?.items ?? [])).toEqual([
      11, 10, 9,
    ]);
    expect(ids(client.getQueryData<Alert[]>(ofEntity) ?? [])).toEqual([10, 1]);
    expect(client.getQueryData(list("cleared"))).toBeUndefined();
  });
});
