/** The audit trail: who did what, when and from where; whether its chain is whole; the file for others to verify. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Alert, Button, DatePicker, Drawer, Input, Select, Table } from "antd";
import dayjs from "dayjs";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { download } from "../../lib/download.ts";
import { time, ZONE_LABEL } from "../../lib/format.ts";
import type { AuditChain, AuditEntry } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, CopyButton, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { ProblemTitle } from "../provenance/drawer.tsx";
import { type AuditContext, auditActions } from "./actions.tsx";
import { type AuditFilter, auditChainQuery, auditEventsQuery, auditQuery, FILTERS } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 620;

export function Page() {
  const { t, p } = useT();
  const phone = usePhone();
  const [parameters, setParameters] = useSearchParams();
  const filter: AuditFilter = {};
  for (const name of FILTERS) {
    const value = parameters.get(name);
    if (value) filter[name] = value;
  }
  const opened = Number(parameters.get("row")) || null;
  const go = (next: AuditFilter, row?: number) => {
    const search: Record<string, string> = {};
    for (const name of FILTERS) if (next[name]) search[name] = next[name];
    if (row !== undefined) search.row = String(row);
    setParameters(search, { replace: true });
  };
  const acts = useInfiniteQuery({ ...auditQuery(filter), placeholderData: keepPreviousData });
  const events = useQuery(auditEventsQuery);
  const chain = useQuery(auditChainQuery);
  const items = useMemo(() => acts.data?.pages.flatMap((page) => page.items) ?? [], [acts.data]);
  const shown = items.find((act) => act.id === opened) ?? null;
  const context: AuditContext = { filter, verify: () => chain.refetch(), download };
  useActionKeys(auditActions, context);

  const titleOf = (act: AuditEntry) => p(act.title_zh, act.title_en) || act.action;
  const who = (act: AuditEntry) => {
    const key = keyOf("audit-kind", act.actor_kind);
    return `${act.actor || "—"}${key ? ` · ${t(key)}` : ""}`;
  };
  const failure = useFailure(acts);
  const list = () => {
    if (failure) return failure;
    if (!acts.data) return <Loading tall />;
    if (items.length === 0) {
      return (
        <Nothing
          title={t("audit.none")}
          action={<Button onClick={() => go({})}>{t("audit.filter-clear")}</Button>}
        />
      );
    }
    if (phone) {
      return (
        <ul className="card-list">
          {items.map((act) => (
            <li key={act.id}>
              <button
                type="button"
                className="item-card"
                data-testid="audit-row"
                onClick={() => go(filter, act.id)}
              >
                <strong>{titleOf(act)}</strong>
                <span className="ellipsis">
                  <code>{act.target}</code>
                </span>
                <span className="quiet">
                  {who(act)} · <Age at={act.at} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      );
    }
    return (
      <Table<AuditEntry>
        size="small"
        rowKey="id"
        dataSource={items}
        loading={acts.isPlaceholderData}
        pagination={false}
        className="tabular"
        scroll={{ x: 900 }}
        rowClassName="row-link"
        onRow={(act) =>
          ({
            ...openableRow(() => go(filter, act.id)),
            "data-testid": "audit-row",
          }) as React.HTMLAttributes<HTMLElement>
        }
        columns={[
          { title: t("audit.number"), dataIndex: "id", width: 90, align: "right" },
          {
            title: `${t("audit.at")} (${ZONE_LABEL})`,
            width: 180,
            render: (_, act) => <Time at={act.at} bare />,
          },
          { title: t("audit.actor"), width: 200, render: (_, act) => who(act) },
          {
            title: t("audit.action"),
            width: 200,
            render: (_, act) => (
              <>
                <div>{titleOf(act)}</div>
                <code className="quiet">{act.action}</code>
              </>
            ),
          },
          { title: t("audit.target"), ellipsis: true, render: (_, act) => <code>{act.target}</code> },
          { title: t("audit.peer"), width: 150, render: (_, act) => act.peer || "—" },
        ]}
      />
    );
  };

  const field = (name: "actor" | "target" | "text", width: number) => (
    <Input.Search
      key={`${name}-${filter[name] ?? ""}`}
      allowClear
      defaultValue={filter[name]}
      placeholder={t(`audit.filter-${name}`)}
      aria-label={t(`audit.filter-${name}`)}
      maxLength={200}
      style={{ width }}
      onSearch={(text) => go({ ...filter, [name]: text.trim() || undefined })}
    />
  );
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("audit.title")}</h1>
        <span className="quiet">{t("audit.about")}</span>
        <span className="grow" />
        <ActionBar actions={auditActions} context={context} />
      </header>
      <ChainState chain={chain.data} error={chain.error} busy={chain.isFetching} />
      <section className="toolbar" aria-label={t("audit.filters")}>
        <DatePicker.RangePicker
          showTime={{ format: "HH:mm" }}
          allowEmpty={[true, true]}
          aria-label={t("audit.filter-time")}
          value={[filter.from ? dayjs(filter.from) : null, filter.to ? dayjs(filter.to) : null]}
          onChange={(range) =>
            go({
              ...filter,
              from: range?.[0]?.toISOString(),
              to: range?.[1]?.toISOString(),
            })
          }
        />
        <Select
          allowClear
          showSearch={{ optionFilterProp: "label" }}
          value={filter.action}
          onChange={(action?: string) => go({ ...filter, action })}
          placeholder={t("audit.filter-action")}
          aria-label={t("audit.filter-action")}
          style={{ width: 220 }}
          options={(events.data?.items ?? []).map((event) => ({
            value: event.action,
            label: `${p(event.title_zh, event.title_en)} ${event.action}`,
          }))}
        />
        {field("actor", 160)}
        {field("target", 180)}
        {field("text", 200)}
      </section>
      {list()}
      <More list={acts} />
      <Drawer
        open={shown !== null}
        onClose={() => go(filter)}
        size={Math.min(DRAWER_WIDTH, window.innerWidth)}
        title={shown && titleOf(shown)}
        destroyOnHidden
      >
        {shown && <Act act={shown} who={who(shown)} />}
      </Drawer>
    </div>
  );
}

/** Whether the chain is whole, since when and by which seal; or where it is broken. */
function ChainState({
  chain,
  error,
  busy,
}: {
  chain: AuditChain | undefined;
  error: unknown;
  busy: boolean;
}) {
  const { t, p } = useT();
  if (!chain) {
    if (error && !busy) {
      return (
        <Alert type="warning" showIcon title={t("audit.chain-unknown")} description={errorText(error, t)} />
      );
    }
    return <Alert type="info" showIcon title={t("audit.chain-busy")} />;
  }
  const first = chain.breaks[0];
  const sealed =
    chain.sealed_by === null
      ? t("audit.chain-no-seal")
      : t("audit.chain-sealed", {
          row: chain.sealed_to,
          seal: chain.sealed_by,
          at: `${time(chain.sealed_at)} ${ZONE_LABEL}`,
        });
  const looked = t("audit.chain-looked", {
    rows: chain.rows,
    seals: chain.seals,
    at: `${time(chain.proved_at)} ${ZONE_LABEL}`,
  });
  return (
    <Alert
      data-testid="audit-chain"
      type={first ? "error" : chain.not_sealed ? "warning" : "success"}
      showIcon
      title={first ? t("audit.chain-broken", { row: first.from }) : t("audit.chain-whole")}
      description={
        <>
          {chain.breaks.slice(0, 5).map((found) => (
            <div key={`${found.kind}-${found.from}-${found.seal}`}>{p(found.what_zh, found.what_en)}</div>
          ))}
          <div>{sealed}</div>
          {chain.not_sealed && (
            <div>
              {t("audit.chain-not-sealed")}
              <ProblemTitle problem={chain.not_sealed} />
              <span className="quiet">{chain.not_sealed.mend}</span>
            </div>
          )}
          <div className="quiet">
            {busy ? t("audit.chain-busy") : looked}{" "}
            <CopyButton text={`${chain.last}:${chain.hash}`} label={t("audit.chain-copy")} />
          </div>
        </>
      }
    />
  );
}

/** One act, with each field of its detail in the catalogue's words. */
function Act({ act, who }: { act: AuditEntry; who: string }) {
  const { t, p } = useT();
  const events = useQuery(auditEventsQuery);
  const entry = events.data?.items.find(
    (event) =>
      event.action === act.action ||
      (event.action.endsWith("*") && act.action.startsWith(event.action.slice(0, -1))),
  );
  const titles = new Map(entry?.fields.map((field) => [field.name, p(field.zh, field.en)]));
  const detail = Object.entries((act.detail ?? {}) as Record<string, unknown>);
  const rows: [string, React.ReactNode][] = [
    [t("audit.number"), act.id],
    [t("audit.at"), <Time key="at" at={act.at} />],
    [t("audit.actor"), who],
    [t("audit.action"), <code key="action">{act.action}</code>],
    [t("audit.target"), <code key="target">{act.target}</code>],
    [t("audit.peer"), act.peer || "—"],
  ];
  for (const [name, value] of detail) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    rows.push([titles.get(name) ?? name, <code key={name}>{value === null ? "—" : text}</code>]);
  }
  rows.push([t("audit.hash"), <code key="hash">{act.hash}</code>]);
  return (
    <dl className="problem">
      {rows.map(([title, value]) => (
        <div key={title} style={{ display: "contents" }}>
          <dt>{title}</dt>
          <dd style={{ overflowWrap: "anywhere" }}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
