/** Response plans that alerts suggest, each with why: a person starts one, and ends what it takes the place of. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { useLive } from "../../lib/live.ts";
import type { PlanSuggestion } from "../../lib/types.ts";
import { useFailure } from "../../ui/states.tsx";
import { type Dialog, planActions } from "./actions.tsx";
import { suggestionsQuery } from "./queries.ts";

/** Alerts that one suggestion lists; all are counted. */
const ALERTS_LISTED = 5;

function Suggestion({
  one,
  open,
  openOne,
}: {
  one: PlanSuggestion;
  open: (dialog: Dialog) => void;
  openOne: (id: number) => void;
}) {
  const { t, p } = useT();
  const left = one.count - Math.min(one.alerts.length, ALERTS_LISTED);
  return (
    <Alert
      type="warning"
      showIcon
      data-testid="suggestion"
      title={t("duty.suggested", { plan: p(one.title_zh, one.title_en) })}
      description={
        <>
          <p>
            {p(one.why_zh, one.why_en)} ·{" "}
            {t("duty.suggested-counts", { entities: one.entities, places: one.places })}
          </p>
          <ul className="duty-turns">
            {one.alerts.slice(0, ALERTS_LISTED).map((alert) => (
              <li key={alert.id}>
                <Link to={`/alerts?alert=${alert.id}`}>{p(alert.title_zh, alert.title_en)}</Link>
              </li>
            ))}
            {left > 0 && <li className="quiet">{t("duty.suggested-more", { count: left })}</li>}
          </ul>
          {one.lower.map((lower) => (
            <p key={lower.activation_id}>
              {t("duty.suggested-lower", { plan: p(lower.title_zh, lower.title_en) })}{" "}
              <Button type="link" size="small" onClick={() => openOne(lower.activation_id)}>
                {t("duty.details")}
              </Button>
            </p>
          ))}
          <ActionBar actions={planActions} context={{ plan: one.plan_id, open }} size="small" />
        </>
      }
    />
  );
}

/** Nothing is shown while nothing is suggested. */
export function Suggestions(actions: { open: (dialog: Dialog) => void; openOne: (id: number) => void }) {
  const client = useQueryClient();
  const suggestions = useQuery(suggestionsQuery);
  const failure = useFailure(suggestions);
  useLive("alert", () => void client.invalidateQueries({ queryKey: suggestionsQuery.queryKey }));
  if (failure) return failure;
  return (
    <>
      {suggestions.data?.items.map((one) => (
        <Suggestion key={one.plan_id} one={one} {...actions} />
      ))}
    </>
  );
}
