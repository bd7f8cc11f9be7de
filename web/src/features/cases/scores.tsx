/** Scorecards: the assessment figures of a period, recomputed from the history; each figure opens to its cases. */
import "./cases.css";
import { DownloadOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, DatePicker, Drawer, Segmented, Table } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { type Action, ActionBar } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import type { CaseFigures, CaseRate } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { classTitle } from "./classes.ts";
import { duration } from "./due.tsx";
import {
  classesQuery,
  type FiguresAsked,
  figureRowsQuery,
  figuresCsvUrl,
  figuresQuery,
  gridsQuery,
  organisationsQuery,
} from "./queries.ts";

const GROUPS = ["organisation", "grid", "town", "category", "workflow"] as const;
type Group = (typeof GROUPS)[number];

/** The figures in the order of the table. */
const FIGURES = [
  "filed",
  "closed",
  "in_time",
  "overdue",
  "reworked",
  "handled",
  "returned",
  "supervised",
  "extended",
  "escalated",
  "reopened",
] as const;
type Figure = (typeof FIGURES)[number];

const percent = (rate: CaseRate) =>
  rate.value === null ? "—" : `${(rate.value * 100).toFixed(1)} % (${rate.numerator}/${rate.denominator})`;

const scoreActions: Action<FiguresAsked>[] = [
  {
    name: "case.figures-export",
    title: "score.export",
    permission: "case.read",
    icon: <DownloadOutlined />,
    predicate: () => true,
    perform: (wanted) => window.location.assign(figuresCsvUrl(wanted)),
  },
];

export function Page() {
  const { t } = useT();
  const [parameters, set] = useAddress();
  const [opened, setOpened] = useState<{ figure: Figure; group: string | null } | null>(null);
  const by: Group = GROUPS.find((group) => group === parameters.get("by")) ?? "organisation";
  // The month until tomorrow, so that the address stays the same for a day.
  const from = parameters.get("from") ?? dayjs().startOf("day").subtract(30, "day").toISOString();
  const until = parameters.get("until") ?? dayjs().startOf("day").add(1, "day").toISOString();
  const wanted: FiguresAsked = { from, until, by };
  const found = useQuery(figuresQuery(wanted));
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("case.scores")}</h1>
        <Segmented
          value={by}
          onChange={(next) => set({ by: next })}
          aria-label={t("score.by")}
          options={GROUPS.map((group) => ({ value: group, label: t(`score.${group}`) }))}
        />
        <DatePicker.RangePicker
          allowClear={false}
          aria-label={t("case.period")}
          value={[dayjs(from), dayjs(until).subtract(1, "millisecond")]}
          onChange={(range) =>
            set({
              from: range?.[0]?.startOf("day").toISOString(),
              until: range?.[1]?.startOf("day").add(1, "day").toISOString(),
            })
          }
        />
        <span className="grow" />
        <ActionBar actions={scoreActions} context={wanted} />
      </header>
      <Loaded query={found} tall>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={t("score.none")} />
          ) : (
            <Scores items={items} by={by} open={(figure, group) => setOpened({ figure, group })} />
          )
        }
      </Loaded>
      {opened && <Rows wanted={wanted} {...opened} onClose={() => setOpened(null)} />}
    </div>
  );
}

function Scores({
  items,
  by,
  open,
}: {
  items: CaseFigures[];
  by: Group;
  open: (figure: Figure, group: string | null) => void;
}) {
  const { t, p } = useT();
  const organisations = useQuery({ ...organisationsQuery, enabled: by === "organisation" });
  const classes = useQuery({ ...classesQuery, enabled: by === "category" });
  const grids = useQuery({ ...gridsQuery, enabled: by === "grid" });
  const nameOf = (key: string | null) => {
    if (key === null) return t("score.none-key");
    const ofClass = classes.data?.items.find((c) => by === "category" && c.code === key);
    if (ofClass) return classTitle(ofClass, p);
    const grid = grids.data?.items.find((g) => by === "grid" && g.code === key);
    if (grid) return `${grid.name} ${key}`;
    const organisation = organisations.data?.items.find((o) => o.id === key);
    return organisation ? p(organisation.name_zh, organisation.name_en) : key;
  };
  const shown = (item: CaseFigures, figure: Figure): string => {
    switch (figure) {
      case "in_time":
      case "reworked":
        return percent(item[figure]);
      case "closed":
        return `${item.closed} · ${percent(item.closing)}`;
      case "extended":
        return `${item.extended} · ${percent(item.extending)}`;
      case "overdue":
        return String(item.overdue.numerator);
      case "handled":
        return item.handling_s.value === null ? "—" : duration(item.handling_s.value, false, t);
      default:
        return String(item[figure]);
    }
  };
  return (
    <Table
      size="small"
      rowKey={(item) => item.key ?? ""}
      dataSource={items}
      pagination={false}
      className="tabular"
      scroll={{ x: "max-content" }}
      columns={[
        { title: t(`score.${by}`), fixed: "left", width: 150, render: (_, item) => nameOf(item.key) },
        ...FIGURES.map((figure) => ({
          title: t(`figure.${figure}`),
          render: (_: unknown, item: CaseFigures) => (
            <Button type="link" size="small" onClick={() => open(figure, item.key)}>
              {shown(item, figure)}
            </Button>
          ),
        })),
      ]}
    />
  );
}

function Rows({
  wanted,
  figure,
  group,
  onClose,
}: {
  wanted: FiguresAsked;
  figure: Figure;
  group: string | null;
  onClose: () => void;
}) {
  const { t } = useT();
  const found = useQuery(figureRowsQuery(wanted, figure, group));
  return (
    <Drawer
      open
      onClose={onClose}
      title={t("score.rows", { figure: t(`figure.${figure}`), total: found.data?.total ?? "…" })}
    >
      <Loaded query={found}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={t("case.none")} />
          ) : (
            <ul className="card-list">
              {items.map((row) => (
                <li key={`${row.case_id}-${row.at}`}>
                  <Link className="item-card" to={`/cases/${row.case_id}`}>
                    <span className="item-card-head">
                      <code>{row.number}</code> <strong>{row.title}</strong>
                    </span>
                    <span className="quiet">
                      <Time at={row.at} />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Drawer>
  );
}
