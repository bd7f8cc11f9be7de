/** Fire safety of residential slow chargers: how many there are, and their alarms by kind. */
import { Card, Table } from "antd";
import { Link } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { number } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ChargingSupervision } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { Figure } from "./parts.tsx";

/** The rule in the reader's words, or by its id where a city has a rule of its own. */
function alarmWord(rule: string, t: Translate): string {
  const key = keyOf("supervision-alarm", rule);
  return key ? t(key) : rule;
}

export function Fire({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const user = useUser();
  const { chargers, alarms } = found.fire;
  const sum = (of: "raised" | "active") => alarms.reduce((n, one) => n + one[of], 0);
  const active = sum("active");
  if (chargers === 0 && alarms.length === 0) {
    return <Nothing title={t("supervision.fire-no-chargers")} mend={t("supervision.fire-mend")} />;
  }
  return (
    <>
      <ul className="charging-figures supervision-three">
        <Figure
          title={t("supervision.chargers")}
          how="fire"
          found={found}
          of={<Link to="/views/residential-chargers">{t("supervision.to-chargers")}</Link>}
        >
          {number(chargers)}
        </Figure>
        <Figure
          title={t("supervision.active")}
          how="fire"
          found={found}
          wrong={active > 0}
          of={can(user, "alert.read") && <Link to="/alerts">{t("supervision.to-alerts")}</Link>}
        >
          {number(active)}
        </Figure>
        <Figure title={t("supervision.raised")} how="fire" found={found} of={null}>
          {number(sum("raised"))}
        </Figure>
      </ul>
      <Card size="small" title={t("supervision.fire")} data-testid="supervision-fire">
        {alarms.length === 0 ? (
          <Nothing title={t("supervision.fire-none")} />
        ) : (
          <Table
            size="small"
            rowKey="rule"
            dataSource={alarms}
            pagination={false}
            className="tabular"
            columns={[
              { title: t("supervision.alarm"), render: (_, { rule }) => alarmWord(rule, t) },
              {
                title: t("supervision.active"),
                align: "right" as const,
                render: (_, { active: n }) => (
                  <span className={n > 0 ? "charging-wrong" : undefined}>{n}</span>
                ),
              },
              { title: t("supervision.raised"), dataIndex: "raised", align: "right" as const },
            ]}
          />
        )}
      </Card>
    </>
  );
}
