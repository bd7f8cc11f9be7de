/** All cases, filtered, as a list or a board, with who has them and until when. */
import { PlusOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Segmented, Table } from "antd";
import { useMemo, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { type Action, ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, CaseStateTag, SeverityTag } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { Board } from "./board.tsx";
import { OpenCaseDialog } from "./dialogs.tsx";
import { Due } from "./due.tsx";
import { Filters, useCaseFilter } from "./filters.tsx";
import { casesQuery } from "./queries.ts";

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
  const { filter, view, set, clear } = useCaseFilter();
  const board = view === "board";
  const [opening, setOpening] = useState(false);
  const cases = useInfiniteQuery({ ...casesQuery(filter), enabled: !board });
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
        <Segmented
          value={view}
          onChange={(next) => set({ view: next === "board" ? "board" : undefined })}
          aria-label={t("case.title")}
          options={[
            { value: "list", label: t("case.list") },
            { value: "board", label: t("case.board") },
          ]}
        />
        <Link to="/cases/scores">{t("case.scores")}</Link>
        <span className="grow" />
        <ActionBar actions={listActions} context={context} />
      </header>
      <Filters filter={filter} set={set} clear={clear} board={board} />
      {board ? <Board filter={filter} onWorkflow={(next) => set({ workflow: next })} /> : list()}
      {!board && <More list={cases} />}
      <OpenCaseDialog open={opening} onClose={() => setOpening(false)} initial={{}} />
    </div>
  );
}
