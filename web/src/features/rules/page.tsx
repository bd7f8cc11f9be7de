/** Rules: what each says, what it would have raised, those that fail, and maintenance windows. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Drawer, Table, Tabs } from "antd";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { Rule, RuleFailure } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { SeverityTag, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { typesQuery } from "../map/queries.ts";
import { failureActions, pageActions } from "./actions.tsx";
import { BackTestDrawer } from "./back-test.tsx";
import { Maintenance, MaintenanceDialog } from "./maintenance.tsx";
import { failuresQuery, rulesQuery } from "./queries.ts";
import "./rules.css";
import { heading, packNames, says } from "./say.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 620;

/** Types and attributes in the words of their packs. */
function useNames() {
  const { p } = useT();
  return packNames(useQuery(typesQuery).data, p);
}

function RuleList({ open }: { open: (rule: Rule) => void }) {
  const { t, p } = useT();
  const phone = usePhone();
  const names = useNames();
  const rules = useQuery(rulesQuery());
  const failure = useFailure(rules);
  if (failure) return failure;
  if (!rules.data) return <Loading tall />;
  if (rules.data.items.length === 0) return <Nothing title={t("rule.none")} />;
  const kind = (rule: Rule) => {
    const key = keyOf("rule-kind", rule.kind);
    return key ? t(key) : rule.kind;
  };
  const when = (rule: Rule) => [rule.calendar, ...rule.hours].filter(Boolean).join(" ") || t("rule.always");
  const title = (rule: Rule) => heading(p(rule.title_zh, rule.title_en), rule, t, names);
  if (phone) {
    return (
      <ul className="card-list">
        {rules.data.items.map((rule) => (
          <li key={rule.id}>
            <button type="button" className="item-card" data-testid="rule" onClick={() => open(rule)}>
              <span className="item-card-head">
                <SeverityTag severity={rule.severity} />
                <strong>{title(rule)}</strong>
              </span>
              <span>{says(rule, t, names)}</span>
              <span className="quiet">
                {rule.id} · {rule.pack} · v{rule.version} · {when(rule)}
              </span>
              {(rule.open_alerts > 0 || rule.failing > 0) && (
                <span>
                  {t("rule.open-alerts")} {rule.open_alerts} · {t("rule.failing")} {rule.failing}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<Rule>
      size="small"
      rowKey="id"
      dataSource={rules.data.items}
      pagination={false}
      className="tabular"
      scroll={{ x: 900 }}
      rowClassName="row-link"
      onRow={(rule) =>
        ({ ...openableRow(() => open(rule)), "data-testid": "rule" }) as React.HTMLAttributes<HTMLElement>
      }
      columns={[
        {
          title: t("rule.name"),
          width: 330,
          render: (_, rule) => (
            <>
              <SeverityTag severity={rule.severity} /> {title(rule)}
              <div className="quiet">
                {rule.id} · {rule.pack} · v{rule.version}
              </div>
            </>
          ),
        },
        { title: t("rule.kind"), width: 110, render: (_, rule) => kind(rule) },
        {
          title: t("rule.says"),
          render: (_, rule) => says(rule, t, names),
        },
        {
          title: t("rule.calendar"),
          width: 130,
          render: (_, rule) => when(rule),
        },
        { title: t("rule.open-alerts"), width: 90, align: "right", dataIndex: "open_alerts" },
        { title: t("rule.failing"), width: 90, align: "right", dataIndex: "failing" },
      ]}
    />
  );
}

function Failures() {
  const { t } = useT();
  const { message } = App.useApp();
  const client = useQueryClient();
  const failures = useInfiniteQuery(failuresQuery());
  const failure = useFailure(failures);
  if (failure) return failure;
  if (!failures.data) return <Loading tall />;
  const items = failures.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Nothing title={t("rule.failures-none")} />;
  const changed = async () => {
    message.success(t("rule.dismissed"));
    await client.invalidateQueries({ queryKey: ["rule-failures"] });
    await client.invalidateQueries({ queryKey: ["rules"] });
  };
  return (
    <>
      <Table<RuleFailure>
        size="small"
        rowKey="id"
        dataSource={items}
        pagination={false}
        scroll={{ x: 820 }}
        columns={[
          { title: t("rule.name"), width: 200, render: (_, row) => `${row.rule_id} v${row.rule_version}` },
          { title: t("rule.entity"), width: 240, render: (_, row) => <code>{row.entity_id}</code> },
          {
            title: t("rule.what"),
            render: (_, row) => {
              const word = keyOf("rule-failure", row.code);
              return (
                <>
                  {word && <div>{t(word)}</div>}
                  <span className={word ? "quiet" : undefined}>{row.what}</span>
                </>
              );
            },
          },
          { title: t("rule.count"), width: 80, align: "right", dataIndex: "count" },
          { title: t("rule.last"), width: 160, render: (_, row) => <Time at={row.last_at} bare /> },
          {
            title: t("word.operations"),
            width: 120,
            render: (_, row) => (
              <ActionBar actions={failureActions} context={{ failure: row, changed }} size="small" />
            ),
          },
        ]}
      />
      {failures.hasNextPage && <Button onClick={() => failures.fetchNextPage()}>{t("list.more")}</Button>}
    </>
  );
}

export function Page() {
  const { t } = useT();
  const names = useNames();
  const user = useUser();
  const [parameters, setParameters] = useSearchParams();
  const [opened, setOpened] = useState<Rule | null>(null);
  const [trying, setTrying] = useState<{ rule: Rule | null } | null>(null);
  const [adding, setAdding] = useState(false);
  const rules = useQuery(rulesQuery());
  const context = { tryText: () => setTrying({ rule: null }), addMaintenance: () => setAdding(true) };
  useActionKeys(pageActions, trying || adding || opened ? null : context);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("rule.title")}</h1>
        <span className="grow" />
        <ActionBar actions={pageActions} context={context} />
      </header>
      <Tabs
        activeKey={parameters.get("tab") ?? "rules"}
        onChange={(tab) => setParameters({ tab }, { replace: true })}
        items={[
          { key: "rules", label: t("rule.tab-rules"), children: <RuleList open={setOpened} /> },
          { key: "failures", label: t("rule.tab-failures"), children: <Failures /> },
          { key: "maintenance", label: t("rule.tab-maintenance"), children: <Maintenance /> },
        ]}
      />
      <Drawer open={opened !== null} size={DRAWER_WIDTH} title={opened?.id} onClose={() => setOpened(null)}>
        {opened && (
          <>
            <p>{says(opened, t, names)}</p>
            <h3>{t("rule.text")}</h3>
            <pre className="rule-text">{opened.text}</pre>
            {can(user, "rule.manage") && (
              <Button
                type="primary"
                onClick={() => {
                  setTrying({ rule: opened });
                  setOpened(null);
                }}
              >
                {t("rule.try")}
              </Button>
            )}
          </>
        )}
      </Drawer>
      {trying && <BackTestDrawer rule={trying.rule} onClose={() => setTrying(null)} />}
      {adding && <MaintenanceDialog rules={rules.data?.items ?? []} onClose={() => setAdding(false)} />}
    </div>
  );
}
