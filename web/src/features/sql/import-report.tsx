/** What a file holds and what is wrong with it, line by line, in the page's language. */
import { Alert, Table } from "antd";
import type { ReactNode } from "react";
import { useT } from "../../i18n/index.tsx";
import { time } from "../../lib/format.ts";
import type { ImportReport, IntakeReport } from "../../lib/types.ts";
import { usePhone } from "../../ui/use-phone.ts";

/** Problems shown at once; the answer has more. */
const SHOWN_MAX = 200;

type Problem = ImportReport["problems"][number];

export function Report({ report, children }: { report: ImportReport | IntakeReport; children: ReactNode }) {
  const { t, p } = useT();
  const said = [report.format, report.encoding, report.sheet].filter((word) => word).join(", ");
  const shown = report.problems.slice(0, SHOWN_MAX);
  return (
    <section data-testid="import-report">
      <p>
        {t("import.rows", {
          n: report.rows_seen.toLocaleString("en-US"),
          good: report.rows_good.toLocaleString("en-US"),
          bad: report.rows_bad.toLocaleString("en-US"),
        })}{" "}
        <span className="quiet">{said}</span>
      </p>
      {"taken" in report && <Taken taken={report.taken} />}
      {report.notes.map((note) => (
        <Alert
          key={note.what_en}
          type="info"
          showIcon
          title={p(note.what_zh, note.what_en)}
          description={p(note.mend_zh, note.mend_en)}
        />
      ))}
      <Table
        size="small"
        rowKey="name"
        pagination={false}
        scroll={{ y: 160 }}
        dataSource={report.columns}
        columns={[
          { title: t("import.column"), dataIndex: "name" },
          { title: t("import.type"), dataIndex: "type" },
          { title: t("import.unit"), dataIndex: "unit" },
          {
            title: t("import.filled"),
            align: "right",
            render: (_, column) => column.filled.toLocaleString("en-US"),
          },
        ]}
      />
      {shown.length > 0 && <Problems problems={shown} />}
      {report.problems_count > shown.length && (
        <p className="quiet">
          {t("import.more", { n: (report.problems_count - shown.length).toLocaleString("en-US") })}
        </p>
      )}
      {children}
    </section>
  );
}

/** What of the values is new, and what is left as it is. */
function Taken({ taken }: { taken: IntakeReport["taken"] }) {
  const { t } = useT();
  const n = (count: number) => count.toLocaleString("en-US");
  const said = [
    t("intake.new", { rows: n(taken.rows_new), values: n(taken.values), entities: n(taken.entities) }),
    taken.from && taken.to && t("intake.span", { from: time(taken.from), to: time(taken.to) }),
    taken.rows_same > 0 && t("intake.same", { rows: n(taken.rows_same) }),
    taken.values_corrected > 0 && t("intake.corrected", { n: n(taken.values_corrected) }),
    taken.values_out_of_range > 0 && t("intake.out-of-range", { n: n(taken.values_out_of_range) }),
  ];
  return <p data-testid="intake-taken">{said.filter(Boolean).join(" ")}</p>;
}

function Problems({ problems }: { problems: Problem[] }) {
  const { t, p } = useT();
  const phone = usePhone();
  const what = (problem: Problem) => (
    <span title={p(problem.place_zh, problem.place_en)}>{p(problem.what_zh, problem.what_en)}</span>
  );
  const mend = (problem: Problem) => p(problem.mend_zh, problem.mend_en);
  const key = (problem: Problem) => `${problem.line} ${problem.column} ${problem.code}`;
  if (phone) {
    // Four columns side by side are one letter wide there.
    return (
      <ul className="plain-list sql-import-problems">
        {problems.map((problem) => (
          <li key={key(problem)}>
            <strong>{p(problem.place_zh, problem.place_en)}</strong> {what(problem)}
            <div className="quiet">{mend(problem)}</div>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table
      size="small"
      rowKey={key}
      pagination={false}
      scroll={{ y: 200 }}
      dataSource={problems}
      columns={[
        { title: t("import.line"), dataIndex: "line", width: 80, align: "right" },
        { title: t("import.column"), dataIndex: "column", width: 120 },
        { title: t("import.what"), render: (_, problem) => what(problem) },
        { title: t("import.mend"), render: (_, problem) => mend(problem) },
      ]}
    />
  );
}
