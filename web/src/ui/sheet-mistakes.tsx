/** What is wrong with a file of sheets, by sheet, line and column, with how to mend it. */
import { Table } from "antd";
import { useT } from "../i18n/index.tsx";
import type { SheetMistake } from "../lib/types.ts";
import { usePhone } from "./use-phone.ts";

/** Mistakes shown at once; the answer has more. */
const SHOWN_MAX = 200;

export function SheetMistakes({ mistakes, count }: { mistakes: SheetMistake[]; count: number }) {
  const { t } = useT();
  const shown = mistakes.slice(0, SHOWN_MAX);
  return (
    <>
      <List mistakes={shown} />
      {count > shown.length && <p className="quiet">{t("roster.more", { n: count - shown.length })}</p>}
    </>
  );
}

function List({ mistakes }: { mistakes: SheetMistake[] }) {
  const { t, p } = useT();
  const phone = usePhone();
  const place = (one: SheetMistake) =>
    [one.sheet, one.line && t("roster.line", { n: one.line }), one.column].filter(Boolean).join(" · ");
  const key = (one: SheetMistake) => `${one.sheet} ${one.line} ${one.column} ${one.code} ${one.value}`;
  if (phone) {
    return (
      <ul className="plain-list">
        {mistakes.map((one) => (
          <li key={key(one)}>
            <strong>{place(one)}</strong> {p(one.what_zh, one.what_en)}
            <div className="quiet">{p(one.mend_zh, one.mend_en)}</div>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<SheetMistake>
      size="small"
      rowKey={key}
      pagination={false}
      scroll={{ y: 260 }}
      dataSource={mistakes}
      columns={[
        { title: t("roster.place"), width: 200, render: (_, one) => place(one) },
        { title: t("roster.what"), render: (_, one) => p(one.what_zh, one.what_en) },
        { title: t("roster.mend"), render: (_, one) => p(one.mend_zh, one.mend_en) },
      ]}
    />
  );
}
