/** Turns events from the server into fresh data on whatever page is open, and tells of new alerts. */
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useEffect, useMemo } from "react";
import { useNavigate } from "react-router";
import { showAlerts } from "../features/alerts/cache.ts";
import { useT } from "../i18n/index.tsx";
import { live, throttle, useLive } from "../lib/live.ts";
import { can } from "../lib/session.ts";
import type { Alert, User } from "../lib/types.ts";
import { SeverityTag } from "../ui/tags.tsx";

/** Alerts heard within this time are drawn together, milliseconds. */
const ALERT_DRAW_MS = 50;
/** Least time between two refreshes of one list, milliseconds. That of alerts only makes up for what events cannot tell. */
const ALERT_REFRESH_MS = 2_000;
const NOTIFICATION_REFRESH_MS = 250;
const CASE_REFRESH_MS = 500;
const SLOW_REFRESH_MS = 2_000;
/** The server keeps an overview for a second: to ask oftener would bring the same. */
const OVERVIEW_REFRESH_MS = 1_500;
const ENTITY_REFRESH_MS = 1_000;
/** An alert older than this is no news, milliseconds. */
const NEWS_AGE_MAX_MS = 60_000;

export function useLiveCache(user: User) {
  const queryClient = useQueryClient();
  const { notification } = App.useApp();
  const { t, p } = useT();
  const navigate = useNavigate();

  const refresh = useMemo(() => {
    const make = (intervalMs: number, ...keys: QueryKey[]) =>
      throttle(intervalMs, () => {
        for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey });
      });
    return {
      alerts: make(ALERT_REFRESH_MS, ["alerts"]),
      cases: make(CASE_REFRESH_MS, ["cases"], ["case"]),
      devices: make(SLOW_REFRESH_MS, ["devices"]),
      deadLetters: make(SLOW_REFRESH_MS, ["dead-letters"]),
      plan: make(SLOW_REFRESH_MS, ["plan"]),
      overview: make(OVERVIEW_REFRESH_MS, ["overview"]),
      approvals: make(CASE_REFRESH_MS, ["approvals"]),
      // A declaration makes a run for each of its targets, one after the other.
      runs: make(SLOW_REFRESH_MS, ["runs"], ["forecasts"]),
      notifications: make(NOTIFICATION_REFRESH_MS, ["notifications"]),
    };
  }, [queryClient]);

  const entities = useMemo(() => {
    const changed = new Set<string>();
    const flush = throttle(ENTITY_REFRESH_MS, () => {
      const ids = [...changed];
      changed.clear();
      for (const id of ids) void queryClient.invalidateQueries({ queryKey: ["entity", id] });
    });
    return { changed, flush };
  }, [queryClient]);

  const alerts = useMemo(() => {
    const heard = new Map<number, Alert>();
    const flush = throttle(ALERT_DRAW_MS, () => {
      showAlerts(queryClient, heard);
      heard.clear();
    });
    return { heard, flush };
  }, [queryClient]);

  useEffect(
    () => () => {
      for (const each of Object.values(refresh)) each.cancel();
      entities.flush.cancel();
      alerts.flush.cancel();
    },
    [refresh, entities, alerts],
  );

  useEffect(() => live.onBack(() => void queryClient.invalidateQueries()), [queryClient]);

  useLive("entity", ({ ids }) => {
    // Only what is on the screen is read again; thousands of others change every second.
    const shown = queryClient.getQueryCache().findAll({ queryKey: ["entity"], type: "active" });
    if (shown.length === 0) return;
    const heard = new Set(ids);
    for (const { queryKey } of shown) {
      const id = queryKey[1];
      if (typeof id === "string" && heard.has(id)) entities.changed.add(id);
    }
    if (entities.changed.size > 0) entities.flush();
  });
  useLive("case", () => {
    refresh.cases();
    refresh.overview();
  });
  useLive("device", refresh.devices);
  useLive("dead_letter", refresh.deadLetters);
  useLive("indicator", () => {
    refresh.plan();
    refresh.overview();
  });
  useLive("approval", refresh.approvals);
  useLive("run", ({ id }) => {
    refresh.runs();
    void queryClient.invalidateQueries({ queryKey: ["run", String(id)] });
  });
  useLive("notification", refresh.notifications);
  useLive("alert", (alert) => {
    alerts.heard.set(alert.id, alert);
    alerts.flush();
    refresh.alerts();
    refresh.overview();
    const isNews = !alert.cleared_at && !alert.acknowledged_at && !alert.case_id;
    const isRecent = Date.now() - new Date(alert.raised_at).getTime() < NEWS_AGE_MAX_MS;
    const isGrave = alert.severity === "major" || alert.severity === "critical";
    const isInSight = /^\/(alerts|wall)/.test(window.location.pathname);
    if (!isNews || !isRecent || !isGrave || isInSight || !can(user, "alert.read")) return;
    notification.warning({
      key: String(alert.id),
      title: (
        <>
          <SeverityTag severity={alert.severity} /> {p(alert.title_zh, alert.title_en)}
        </>
      ),
      description: p(alert.entity_name, alert.entity_name_en),
      duration: 8,
      actions: (
        <Button
          size="small"
          onClick={() => {
            notification.destroy(String(alert.id));
            navigate(`/alerts?alert=${alert.id}`);
          }}
        >
          {t("word.details")}
        </Button>
      ),
    });
  });
}
