/** The burden meter (基层填报负担): what towns and villages write in a year, and what the platform writes for them. */
import { useQuery } from "@tanstack/react-query";
import { Button, Card, Table } from "antd";
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { FormBurden, FormBurdenOfDivision, FormBurdenOfForm } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { Bar, percent } from "./marks.tsx";
import { burdenQuery } from "./queries.ts";

export function Burden() {
  const { t } = useT();
  const [town, setTown] = useState<string | null>(null);
  const found = useQuery({ ...burdenQuery(town), placeholderData: (before) => before });
  return (
    <Loaded query={found} tall>
      {(burden) =>
        burden.forms.length === 0 ? (
          <Nothing title={t("fill.none")} mend={t("fill.none-mend")} />
        ) : (
          <Meter burden={burden} town={town} onTown={setTown} />
        )
      }
    </Loaded>
  );
}

function Meter({
  burden,
  town,
  onTown,
}: {
  burden: FormBurden;
  town: string | null;
  onTown: (code: string | null) => void;
}) {
  const { t, p } = useT();
  const name = burden.towns.find(({ code }) => code === town)?.name;
  const villages = useRef<HTMLDivElement>(null);
  // They stand below the towns: whoever picked one is led there.
  useEffect(() => {
    if (!town || burden.villages.length === 0) return;
    villages.current?.scrollIntoView?.({ block: "start" });
    villages.current?.focus({ preventScroll: true });
  }, [town, burden.villages]);
  return (
    <>
      <Card size="small" title={t("fill.year-title")}>
        <p className="fill-figure" data-testid="burden-figure">
          {t("fill.year", { asked: number(burden.asked_a_year) })}
        </p>
        <p className="quiet">
          {t("fill.year-saved", {
            cells: number(burden.cells_a_year),
            filled: number(burden.filled_a_year),
            share: percent(burden.saved),
          })}
        </p>
        <Bar asked={burden.asked_a_year} filled={burden.filled_a_year} most={burden.cells_a_year} />
        <p className="quiet fill-legend">
          <span className="fill-key fill-bar-asked" aria-hidden="true" /> {t("fill.legend-asked")}
          <span className="fill-key fill-bar-filled" aria-hidden="true" /> {t("fill.legend-filled")}
        </p>
      </Card>
      <Card
        size="small"
        title={t("fill.by-town")}
        extra={<span className="quiet">{t("fill.pick-town")}</span>}
      >
        <Divisions rows={burden.towns} title={t("fill.town")} onOpen={(code) => onTown(code)} />
      </Card>
      {town && burden.villages.length > 0 && (
        <Card ref={villages} tabIndex={-1} size="small" title={t("fill.by-village", { town: name ?? town })}>
          <Divisions rows={burden.villages} title={t("fill.village")} />
        </Card>
      )}
      <Card size="small" title={t("fill.by-form")}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <section className="fill-scroll" tabIndex={0} aria-label={t("fill.form")}>
          <Table<FormBurdenOfForm>
            size="small"
            rowKey="id"
            dataSource={burden.forms}
            pagination={false}
            style={{ minWidth: 760 }}
            columns={[
              { title: t("fill.form"), render: (_, row) => p(row.title_zh, row.title_en) },
              { title: t("fill.divisions"), dataIndex: "divisions", width: 110, align: "right" },
              { title: t("fill.fields"), dataIndex: "fields", width: 80, align: "right" },
              { title: t("fill.asked"), dataIndex: "asked", width: 80, align: "right" },
              { title: t("fill.filled"), dataIndex: "filled", width: 90, align: "right" },
              { title: t("fill.asked-year"), dataIndex: "asked_a_year", width: 160, align: "right" },
            ]}
          />
        </section>
      </Card>
    </>
  );
}

function Divisions({
  rows,
  title,
  onOpen,
}: {
  rows: FormBurdenOfDivision[];
  title: string;
  onOpen?: (code: string) => void;
}) {
  const { t } = useT();
  const phone = usePhone();
  const most = Math.max(...rows.map((row) => row.cells_a_year), 0);
  const heaviest = [...rows].sort((a, b) => b.asked_a_year - a.asked_a_year);
  const named = (row: FormBurdenOfDivision) =>
    onOpen ? (
      <Button type="link" className="fill-name" onClick={() => onOpen(row.code)} data-testid="burden-town">
        {row.name}
      </Button>
    ) : (
      row.name
    );
  if (phone) {
    return (
      <ul className="card-list">
        {heaviest.map((row) => (
          <li key={row.code} className="item-card" data-testid="burden-row">
            <span className="item-card-head">
              <strong>{named(row)}</strong>
              <span className="number">{t("fill.year", { asked: row.asked_a_year })}</span>
            </span>
            <Bar asked={row.asked_a_year} filled={row.filled_a_year} most={most} />
            <span className="quiet">
              {t("fill.saved-share")} {percent(row.saved)} · {t("fill.now-handed-in")} {row.handed_in} /{" "}
              {row.due} · {t("fill.now-late")} {row.late}
            </span>
          </li>
        ))}
      </ul>
    );
  }
  const by =
    (key: "asked_a_year" | "filled_a_year" | "saved" | "late" | "unknown_now" | "returns_a_year") =>
    (a: FormBurdenOfDivision, b: FormBurdenOfDivision) =>
      a[key] - b[key];
  return (
    <Table<FormBurdenOfDivision>
      size="small"
      rowKey="code"
      dataSource={rows}
      pagination={rows.length > 60 ? { pageSize: 50, showSizeChanger: false } : false}
      scroll={{ x: 980 }}
      columns={[
        { title, width: 150, render: (_, row) => named(row), sorter: (a, b) => a.code.localeCompare(b.code) },
        {
          title: t("fill.asked-year"),
          width: 260,
          defaultSortOrder: "descend",
          sorter: by("asked_a_year"),
          render: (_, row) => (
            <span className="fill-cells" data-testid="burden-row">
              <span className="number">{row.asked_a_year}</span>
              <Bar asked={row.asked_a_year} filled={row.filled_a_year} most={most} />
            </span>
          ),
        },
        {
          title: t("fill.filled-year"),
          dataIndex: "filled_a_year",
          align: "right",
          width: 120,
          sorter: by("filled_a_year"),
        },
        {
          title: t("fill.saved-share"),
          align: "right",
          width: 90,
          sorter: by("saved"),
          render: (_, row) => percent(row.saved),
        },
        {
          title: t("fill.returns"),
          dataIndex: "returns_a_year",
          align: "right",
          width: 120,
          sorter: by("returns_a_year"),
        },
        {
          title: t("fill.now-unknown"),
          dataIndex: "unknown_now",
          align: "right",
          width: 150,
          sorter: by("unknown_now"),
        },
        {
          title: t("fill.now-handed-in"),
          align: "right",
          width: 110,
          render: (_, row) => `${row.handed_in} / ${row.due}`,
        },
        { title: t("fill.now-late"), dataIndex: "late", align: "right", width: 80, sorter: by("late") },
      ]}
    />
  );
}
