/** Import organisations, posts and people: choose a file, look at what it would do and what is wrong, then import it. */
import { Alert, Button, Modal, Table, Tag, Upload } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { RosterReport } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { SheetMistakes } from "../../ui/sheet-mistakes.tsx";
import { errorText } from "../../ui/states.tsx";
import { importRoster } from "./queries.ts";
import { download, signInsCsv } from "./sign-ins.ts";

/** Lines shown at once; the answer has more. */
const SHOWN_MAX = 200;

type Line = RosterReport["lines"][number];

export function RosterDialog({ changed, onClose }: { changed: () => void; onClose: () => void }) {
  const { t } = useT();
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<RosterReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useFocusBack();
  const good = report !== null && report.mistakes_count === 0;
  const run = async () => {
    if (!file) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await importRoster(file, !good);
      setReport(answer);
      if (answer.written) changed();
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
  if (report?.written) return <Written report={report} onClose={onClose} />;
  return (
    <Modal
      open
      width={820}
      onCancel={onClose}
      onOk={run}
      closable={!busy}
      keyboard={!busy}
      mask={{ closable: !busy }}
      title={t("roster.title")}
      okText={t(good ? "roster.import" : "roster.check")}
      okButtonProps={{ disabled: file === null, loading: busy, "data-testid": "roster-submit" }}
      cancelButtonProps={{ disabled: busy }}
    >
      <div className="stack">
        <p className="quiet">{t("roster.rule")}</p>
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
        {report && <Report report={report} />}
      </div>
    </Modal>
  );
}

function Report({ report }: { report: RosterReport }) {
  const { t } = useT();
  const kinds = ["organisations", "posts", "people"] as const;
  return (
    <section data-testid="roster-report" className="stack">
      <Alert
        type={report.mistakes_count ? "error" : "success"}
        showIcon
        title={
          report.mistakes_count ? t("roster.mistakes", { n: report.mistakes_count }) : t("roster.no-mistakes")
        }
        description={
          <>
            {kinds.map((kind) => (
              <div key={kind}>
                {t(`roster.${kind}`, {
                  added: report[kind].added,
                  changed: report[kind].changed,
                  same: report[kind].same,
                })}
              </div>
            ))}
            <div>{t("roster.holders", { n: report.holders })}</div>
            {report.not_read.length > 0 && (
              <div>{t("roster.not-read", { names: report.not_read.join(", ") })}</div>
            )}
          </>
        }
      />
      {report.mistakes.length > 0 ? (
        <SheetMistakes mistakes={report.mistakes} count={report.mistakes_count} />
      ) : (
        <Lines lines={report.lines.filter((line) => line.doing !== "same").slice(0, SHOWN_MAX)} />
      )}
    </section>
  );
}

function Lines({ lines }: { lines: Line[] }) {
  const { t } = useT();
  if (lines.length === 0) return <p className="quiet">{t("roster.nothing")}</p>;
  return (
    <Table<Line>
      size="small"
      rowKey={(line) => `${line.sheet} ${line.line}`}
      pagination={false}
      scroll={{ y: 260 }}
      dataSource={lines}
      columns={[
        {
          title: t("roster.doing"),
          width: 90,
          render: (_, line) => (
            <Tag color={line.doing === "add" ? "green" : "blue"}>
              {t(line.doing === "add" ? "roster.add" : "roster.change")}
            </Tag>
          ),
        },
        { title: t("roster.sheet"), dataIndex: "sheet", width: 110 },
        { title: t("organisation.id"), width: 220, render: (_, line) => <code>{line.id}</code> },
        { title: t("word.name"), dataIndex: "name" },
      ]}
    />
  );
}

/** What was done, and the passwords of new people, which are shown once. */
function Written({ report, onClose }: { report: RosterReport; onClose: () => void }) {
  const { t } = useT();
  const made = report.sign_ins;
  const [saved, setSaved] = useState(made.length === 0);
  const save = () => {
    const names = [
      t("organisation.person-name"),
      t("organisation.username"),
      t("organisation.of"),
      t("roster.password"),
    ];
    download("sign-ins.csv", signInsCsv(made, names));
    setSaved(true);
  };
  return (
    <Modal
      open
      title={t("roster.done")}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" disabled={!saved} onClick={onClose} data-testid="roster-close">
          {t("word.close")}
        </Button>
      }
    >
      <div className="stack">
        <p>{t("roster.people", { ...report.people })}</p>
        {report.approval && (
          <Alert
            type="info"
            showIcon
            data-testid="roster-approval"
            title={t("roster.roles-asked")}
            description={
              <Link to={`/approvals?which=mine&id=${report.approval.id}`} onClick={onClose}>
                {t("approval.number", { id: report.approval.id })}
              </Link>
            }
          />
        )}
        {made.length > 0 && (
          <>
            <Alert type="warning" showIcon title={t("roster.sign-ins-once", { n: made.length })} />
            <Button onClick={save} data-testid="roster-sign-ins">
              {t("roster.sign-ins")}
            </Button>
          </>
        )}
      </div>
    </Modal>
  );
}
