/** A roster from a file: choose it, look at whom it would put on duty and what is wrong with it, then import it. */
import { Alert, App, Modal, Table, Tag, Upload } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { DutyImport, DutyPattern } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { SheetMistakes } from "../../ui/sheet-mistakes.tsx";
import { errorText } from "../../ui/states.tsx";
import { importTurns } from "./queries.ts";

/** Lines shown at once; the answer has more. */
const SHOWN_MAX = 200;

type Line = DutyImport["lines"][number];

export function RosterImport({
  organisation,
  patterns,
  changed,
  onClose,
}: {
  organisation: string;
  patterns: DutyPattern[];
  changed: () => unknown;
  onClose: () => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<DutyImport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useFocusBack();
  const good = report !== null && report.mistakes_count === 0;
  const run = async () => {
    if (!file) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await importTurns(organisation, file, !good);
      setReport(answer);
      if (answer.written) {
        message.success(t("duty.turns-added", { count: answer.added }));
        await changed();
        onClose();
      }
    } catch (failure) {
      setReport(null);
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const choose = (chosen: File | null) => {
    setFile(chosen);
    setReport(null);
    setError(null);
  };
  return (
    <Modal
      open
      width={820}
      onCancel={onClose}
      onOk={run}
      closable={!busy}
      keyboard={!busy}
      mask={{ closable: !busy }}
      title={t("duty.roster-import")}
      okText={t(good ? "roster.import" : "roster.check")}
      okButtonProps={{ disabled: file === null, loading: busy, "data-testid": "duty-import" }}
      cancelButtonProps={{ disabled: busy }}
    >
      <div className="stack">
        <p className="quiet">{t("duty.roster-rule")}</p>
        <Upload.Dragger
          accept=".xlsx,.xlsm,.csv"
          maxCount={1}
          disabled={busy}
          beforeUpload={(chosen) => {
            choose(chosen);
            // It is sent by the button, not by choosing it.
            return false;
          }}
          onRemove={() => choose(null)}
        >
          <p>{t("roster.drop")}</p>
        </Upload.Dragger>
        {error !== null && (
          <Alert type="error" showIcon title={t("roster.failed")} description={errorText(error, t)} />
        )}
        {report && <Report report={report} patterns={patterns} />}
      </div>
    </Modal>
  );
}

function Report({ report, patterns }: { report: DutyImport; patterns: DutyPattern[] }) {
  const { t } = useT();
  return (
    <section data-testid="duty-import-report" className="stack">
      <Alert
        type={report.mistakes_count ? "error" : "success"}
        showIcon
        title={
          report.mistakes_count ? t("roster.mistakes", { n: report.mistakes_count }) : t("roster.no-mistakes")
        }
        description={
          <>
            <div>{t("duty.import-counts", { added: report.added, same: report.same })}</div>
            {report.not_read.length > 0 && (
              <div>{t("roster.not-read", { names: report.not_read.join(", ") })}</div>
            )}
          </>
        }
      />
      {report.mistakes.length > 0 ? (
        <SheetMistakes mistakes={report.mistakes} count={report.mistakes_count} />
      ) : (
        <Lines lines={report.lines} patterns={patterns} />
      )}
    </section>
  );
}

function Lines({ lines, patterns }: { lines: Line[]; patterns: DutyPattern[] }) {
  const { t, p } = useT();
  const shift = (id: number) => {
    const found = patterns.find((pattern) => pattern.id === id);
    return found ? p(found.title_zh, found.title_en) : id;
  };
  return (
    <>
      <Table<Line>
        size="small"
        rowKey={(line) => `${line.sheet} ${line.line} ${line.pattern_id} ${line.post} ${line.user_id}`}
        pagination={false}
        scroll={{ x: 460, y: 260 }}
        dataSource={lines.slice(0, SHOWN_MAX)}
        columns={[
          { title: t("duty.day"), dataIndex: "day", width: 110 },
          { title: t("duty.shift"), width: 90, render: (_, line) => shift(line.pattern_id) },
          { title: t("duty.post"), dataIndex: "post", width: 110 },
          { title: t("duty.person"), dataIndex: "user_name" },
          {
            title: t("roster.doing"),
            width: 80,
            render: (_, line) => (
              <Tag color={line.same ? "default" : "green"}>{t(line.same ? "duty.there" : "roster.add")}</Tag>
            ),
          },
        ]}
      />
      {lines.length > SHOWN_MAX && (
        <p className="quiet">{t("roster.more", { n: lines.length - SHOWN_MAX })}</p>
      )}
    </>
  );
}
