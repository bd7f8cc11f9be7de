/** Fill once (一表同享): what is due of the reader's towns and villages, every form with who handed it in, the burden, and what is disputed. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Card, Drawer, Input, Segmented, Table, Tag } from "antd";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { useLive } from "../../lib/live.ts";
import type { FormDue, FormItem, Forms } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Burden } from "./burden.tsx";
import { Disputes } from "./dispute.tsx";
import { StateTag } from "./marks.tsx";
import { formPath, formsQuery, returnsQuery } from "./queries.ts";
import "./forms.css";

const VIEWS = ["fill", "burden", "disputes"] as const;
type View = (typeof VIEWS)[number];
/** Widest drawer, pixels. */
const DRAWER_WIDTH = 560;

export function Page() {
  const { t } = useT();
  const [parameters, setParameters] = useSearchParams();
  const view = VIEWS.find((one) => one === parameters.get("view")) ?? "fill";
  const queryClient = useQueryClient();
  useLive("form", () => {
    void queryClient.invalidateQueries({ queryKey: ["forms", "list"] });
    void queryClient.invalidateQueries({ queryKey: ["forms", "disputes"] });
  });
  const found = useQuery(formsQuery);
  return (
    <div className="page" data-testid="forms">
      <header className="page-head">
        <h1>{t("fill.title")}</h1>
        <span className="quiet">{t("fill.lead")}</span>
      </header>
      <Segmented<View>
        aria-label={t("fill.views")}
        value={view}
        onChange={(next) => setParameters(next === "fill" ? {} : { view: next }, { replace: true })}
        options={VIEWS.map((value) => ({ value, label: t(`fill-view.${value}`) }))}
        style={{ alignSelf: "flex-start" }}
      />
      {view === "burden" && <Burden />}
      {view === "disputes" && <Disputes />}
      {view === "fill" && (
        <Loaded query={found} tall>
          {(forms) => <Fill forms={forms} />}
        </Loaded>
      )}
    </div>
  );
}

function Fill({ forms }: { forms: Forms }) {
  const { t } = useT();
  const [open, setOpen] = useState<FormItem | null>(null);
  if (forms.items.length === 0) return <Nothing title={t("fill.none")} mend={t("fill.none-mend")} />;
  const isDue = forms.may_fill && !forms.reaches_all;
  return (
    <>
      {isDue && (
        <Card size="small" title={t("fill.due", { n: forms.due.length })}>
          {forms.due.length === 0 ? (
            <Nothing title={t("fill.due-none")} mend={t("fill.due-none-mend")} />
          ) : (
            <ul className="card-list">
              {forms.due.map((due) => (
                <Due key={`${due.form} ${due.division.code}`} due={due} />
              ))}
            </ul>
          )}
        </Card>
      )}
      <Card size="small" title={t("fill.all", { n: forms.items.length })}>
        <ul className="card-list">
          {forms.items.map((item) => (
            <Item key={item.id} item={item} onOpen={() => setOpen(item)} />
          ))}
        </ul>
      </Card>
      {open && <Standing item={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function Due({ due }: { due: FormDue }) {
  const { t, p } = useT();
  const to = formPath({ id: due.form, division: due.division.code, period: due.period });
  return (
    <li>
      <Link to={to} className="item-card" data-testid="form-due">
        <span className="item-card-head">
          <strong>
            {due.division.name} · {p(due.title_zh, due.title_en)}
          </strong>
          <StateTag state={due.state} late={due.is_late} />
        </span>
        <span>
          {due.period} · {t("fill.by", { day: due.due_on })} ·{" "}
          {t("fill.counts", { asked: due.asked, filled: due.filled })}
        </span>
        {due.returned_why && <span className="fill-why">{due.returned_why}</span>}
      </Link>
    </li>
  );
}

function Item({ item, onOpen }: { item: FormItem; onOpen: () => void }) {
  const { t, p } = useT();
  const every = keyOf("fill-every", item.every);
  const of = keyOf("fill-of", item.of);
  const counts = { n: item.handed_in, all: item.expected, late: item.late };
  return (
    <li>
      <button type="button" className="item-card" onClick={onOpen} data-testid="form-item">
        <span className="item-card-head">
          <strong>{p(item.title_zh, item.title_en)}</strong>
          {item.late > 0 && <Tag color="error">{t("fill.late")}</Tag>}
        </span>
        <span>
          {every && t(every)} · {of && t(of)} · {t("fill.counts", { asked: item.asked, filled: item.filled })}
        </span>
        <span>
          {item.period
            ? `${item.period}${t("word.colon")}${t(item.late > 0 ? "fill.handed-in-late" : "fill.handed-in", counts)}`
            : t("fill.no-period")}
        </span>
        <span className="quiet">
          {t("fill.asked-by")}
          {t("word.colon")}
          {p(item.asked_by.name_zh, item.asked_by.name_en)} · {t("fill.basis")}
          {t("word.colon")}
          {p(item.basis_zh, item.basis_en)}
        </span>
      </button>
    </li>
  );
}

/** Who handed a form in, and who has not. */
function Standing({ item, onClose }: { item: FormItem; onClose: () => void }) {
  const { t, p } = useT();
  const [q, setQ] = useState("");
  const found = useQuery(returnsQuery(item.id));
  return (
    <Drawer open onClose={onClose} title={p(item.title_zh, item.title_en)} size={DRAWER_WIDTH}>
      <Loaded query={found}>
        {({ items, period }) => {
          const shown = items.filter(({ division }) =>
            [division.name, division.town ?? "", division.code].some((text) => text.includes(q.trim())),
          );
          return (
            <>
              <Input.Search
                allowClear
                aria-label={t("fill.find")}
                placeholder={t("fill.find")}
                onChange={(event) => setQ(event.target.value)}
              />
              <Table
                size="small"
                rowKey={({ division }) => division.code}
                dataSource={shown}
                pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
                columns={[
                  {
                    title: t("fill.division"),
                    render: (_, { division }) => {
                      const name = division.town ? `${division.town} ${division.name}` : division.name;
                      return period ? (
                        <Link to={formPath({ id: item.id, division: division.code, period })}>{name}</Link>
                      ) : (
                        name
                      );
                    },
                  },
                  {
                    title: `${t("fill.state")} ${period ?? ""}`,
                    render: (_, { state, is_late }) => <StateTag state={state} late={is_late} />,
                  },
                ]}
              />
            </>
          );
        }}
      </Loaded>
    </Drawer>
  );
}
