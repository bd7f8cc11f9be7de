/** The response plans (预案) that the packs have, readable before anything happens: what is done, by whom, by when. */
import { useQuery } from "@tanstack/react-query";
import { Collapse, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { ResponsePlan } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { rulesQuery } from "../rules/queries.ts";
import { heading } from "../rules/say.ts";
import { type Dialog, planActions } from "./actions.tsx";
import { plansQuery } from "./queries.ts";
import { useCategory } from "./resources.tsx";

function Plan({ plan, open }: { plan: ResponsePlan; open: (dialog: Dialog) => void }) {
  const { t, p } = useT();
  const user = useUser();
  const categoryOf = useCategory();
  // Whoever may not read rules sees their ids.
  const rules = useQuery({ ...rulesQuery(), enabled: user !== null && can(user, "alert.read") });
  const titleOf = (id: string) => {
    const found = rules.data?.items.find((rule) => rule.id === id);
    return found ? heading(p(found.title_zh, found.title_en), found, t) : id;
  };
  return (
    <div className="stack" data-testid="plan">
      <ol className="duty-steps">
        {plan.steps.map((step) => (
          <li key={step.id} data-testid="plan-step">
            <strong>{p(step.title_zh, step.title_en)}</strong>
            <div className="quiet">
              {p(step.who_zh, step.who_en)} · {t("duty.within", { minutes: step.within_minutes })}
            </div>
          </li>
        ))}
      </ol>
      {plan.resources.length > 0 && (
        <div>
          {t("duty.plan-resources")}{" "}
          {plan.resources.map((category) => (
            <Tag key={category}>{categoryOf(category)}</Tag>
          ))}
        </div>
      )}
      {plan.suggested.length > 0 && (
        <div>
          {t("duty.suggested-when")}{" "}
          {plan.suggested.map((condition) => (
            <Tag key={condition.en}>{p(condition.zh, condition.en)}</Tag>
          ))}
        </div>
      )}
      {plan.alert_rules.length > 0 && (
        <div>
          {t("duty.plan-rules")}{" "}
          {plan.alert_rules.map((rule) => (
            <Tag key={rule}>{titleOf(rule)}</Tag>
          ))}
        </div>
      )}
      <div className="duty-acts">
        <ActionBar actions={planActions} context={{ plan: plan.id, open }} />
      </div>
    </div>
  );
}

export function PlanLibrary({ open }: { open: (dialog: Dialog) => void }) {
  const { t, p } = useT();
  const plans = useQuery(plansQuery);
  const failure = useFailure(plans);
  if (failure) return failure;
  if (!plans.data) return <Loading />;
  if (plans.data.items.length === 0)
    return <Nothing title={t("duty.library-none")} mend={t("duty.library-none-mend")} />;
  return (
    <Collapse
      size="small"
      items={plans.data.items.map((plan) => ({
        key: plan.id,
        label: <strong>{p(plan.title_zh, plan.title_en)}</strong>,
        extra: (
          <span className="quiet">
            {t("duty.plan-size", {
              steps: plan.steps.length,
              minutes: plan.steps.at(-1)?.within_minutes ?? 0,
              version: plan.version,
            })}
          </span>
        ),
        children: <Plan plan={plan} open={open} />,
      }))}
    />
  );
}
