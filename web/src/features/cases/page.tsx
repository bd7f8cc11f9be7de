/** All cases, by state, with who has them and until when. */
import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Select, Switch, Table } from "antd";
import { useMemo, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { type Action, ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { CaseState } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, CaseStateTag, SeverityTag } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { OpenCaseDialog } from "./dialogs.tsx";
import { Due } from "./due.tsx";
import { casesQuery } from "./queries.ts";

const STATES: CaseState[] = [
  "collected",
  "filed",
  "dispatched",
  "handling",
  "handled",
  "verified",
  "closed",
  "cancelled",
];

const listActions: Action<{ open: () => void }>[] = [
  {
    name: "case.open",
    title: "case.new",
    permission: "case.open",
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: () => true,
    perform: ({ open }) => open(),
  },
];

export function Page() {
  const { t, p } = useT();
  const phone = usePhone();
  const navigate = useNavigate();
  const [state, setState] = useState<CaseState | undefined>();
  const [mine, setMine] = useState(false);
  const [opening, setOpening] = useState(false);
  const cases = useInfiniteQuery(casesQuery({ state, mine }));
  const items = useMemo(() => cases.data?.pages.flatMap((page) => page.items) ?? [], [cases.data]);
  const context = { open: () => setOpening(true) };
  useActionKeys(listActions, context);

  const failure = useFailure(cases);
  const list = () => {
    if (failure) return failure;
    if (!cases.data) return <Loading tall />;
    if (items.length === 0) return <Nothing title={t("case.none")} />;
    if (phone) {
      return (
        <ul className="card-list">
          {items.map((item) => (
            <li key={item.id}>
              <Link className="item-card" to={`/cases/${item.id}`}>
                <span className="item-card-head">
                  {item.severity && <SeverityTag severity={item.severity} />}
                  <strong>{item.title}</strong>
                </span>
                <span>
                  <CaseStateTag state={item.state} />{" "}
                  {item.organisation && p(item.organisation.name_zh, item.organisation.name_en)}
                  {item.assignee && ` · ${item.assignee.name}`}
                </span>
                <span className="quiet">
                  {item.number} · <Due item={item} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      );
    }
    return (
      <Table
        size="small"
        rowKey="id"
        dataSource={items}
        pagination={false}
        className="tabular"
        scroll={{ x: 900 }}
        rowClassName="row-link"
        onRow={(item) => ({ onClick: () => navigate(`/cases/${item.id}`) })}
        columns={[
          { title: t("case.number"), width: 150, render: (_, item) => <code>{item.number}</code> },
          {
            title: t("case.subject"),
            render: (_, item) => <Link to={`/cases/${item.id}`}>{item.title}</Link>,
          },
          {
            title: t("severity.title"),
            width: 84,
            render: (_, item) => item.severity && <SeverityTag severity={item.severity} />,
          },
          { title: t("word.state"), width: 100, render: (_, item) => <CaseStateTag state={item.state} /> },
          {
            title: t("case.organisation"),
            width: 200,
            render: (_, item) => (
              <>
                {item.organisation ? p(item.organisation.name_zh, item.organisation.name_en) : "—"}
                {item.assignee && <div className="quiet">{item.assignee.name}</div>}
              </>
            ),
          },
          {
            title: `${t("case.due")} (${ZONE_LABEL})`,
            width: 250,
            render: (_, item) => <Due item={item} bare />,
          },
          { title: t("case.updated"), width: 110, render: (_, item) => <Age at={item.updated_at} /> },
        ]}
      />
    );
  };

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("case.title")}</h1>
        <Select
          allowClear
          value={state}
          onChange={setState}
          placeholder={t("word.state")}
          aria-label={t("word.state")}
          style={{ width: 130 }}
          options={STATES.map((s) => ({ value: s, label: t(`case-state.${s}`) }))}
        />
        <Switch checked={mine} onChange={setMine} aria-label={t("case.mine")} size="small" />
        <span>{t("case.mine")}</span>
        <span className="grow" />
        <ActionBar actions={listActions} context={context} />
      </header>
      {list()}
      {cases.hasNextPage && (
        <div className="more">
          <Button loading={cases.isFetchingNextPage} onClick={() => void cases.fetchNextPage()}>
            {t("list.more")}
          </Button>
        </div>
      )}
      <OpenCaseDialog open={opening} onClose={() => setOpening(false)} initial={{}} />
    </div>
  );
}
