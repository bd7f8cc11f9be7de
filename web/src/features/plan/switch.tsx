/** Which of the city's plans is shown; nothing where there is one. The address says it, so that a link leads to the same plan. */
import { useQuery } from "@tanstack/react-query";
import { Select } from "antd";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { plansQuery } from "./queries.ts";

export function PlanSwitch({ shown }: { shown: string }) {
  const { t, p } = useT();
  const [, setParameters] = useSearchParams();
  const plans = useQuery(plansQuery).data?.items ?? [];
  if (plans.length < 2) return null;
  const choose = (id: string) => {
    const isDefault = plans.some((plan) => plan.id === id && plan.chosen);
    setParameters(isDefault ? {} : { plan: id });
  };
  return (
    <Select<string>
      className="plan-switch"
      aria-label={t("plan.switch")}
      value={shown}
      onChange={choose}
      popupMatchSelectWidth={false}
      options={plans.map((plan) => ({
        value: plan.id,
        label: `${p(plan.title_zh, plan.title_en)} · ${t(`plan.phase-${plan.phase}`)}`,
      }))}
    />
  );
}
