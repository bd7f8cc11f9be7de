/** Make a department's file a table: choose it, look at what is in it and what is wrong, then import it. */
import { useQueryClient } from "@tanstack/react-query";
import { Alert, App, Checkbox, Form, Input, InputNumber, Modal, Select, Table, Upload } from "antd";
import { type ReactNode, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { ImportReport } from "../../lib/types.ts";
import { errorText } from "../../ui/states.tsx";
import { type ImportWords, importFile } from "./queries.ts";

/** Problems shown at once; the report has more. */
const SHOWN_MAX = 200;

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<ImportWords>();
  const [file, setFile] = useState<File | null>(null);
  const [report, setReport] = useState<ImportReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [skips, setSkips] = useState(false);
  const [busy, setBusy] = useState(false);
  // What was looked at is what is imported: after a change it is looked at again.
  const changed = () => {
    setReport(null);
    setSkips(false);
    setError(null);
  };
  const may = report !== null && (report.problems_count === 0 || skips);
  const run = async () => {
    const words = await form.validateFields().catch(() => null);
    if (!words || !file) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await importFile(file, { ...words, skip: skips }, !may);
      if (!answer.written) {
        setReport(answer);
        return;
      }
      message.success(t("import.done", { n: answer.rows_good.toLocaleString("en-US"), table: answer.table }));
      void queryClient.invalidateQueries({ queryKey: ["tables"] });
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const choose = (chosen: File) => {
    setFile(chosen);
    changed();
    if (!form.getFieldValue("table")) form.setFieldValue("table", tableName(chosen.name));
    // It is sent by the button, not by choosing it.
    return false;
  };
  return (
    <Modal
      open
      width={760}
      onCancel={onClose}
      onOk={run}
      confirmLoading={busy}
      title={t("import.title")}
      okText={t(may ? "import.import" : "import.check")}
      okButtonProps={{ disabled: file === null, "data-testid": "import-submit" }}
    >
      <p className="quiet">{t("import.rule")}</p>
      <Form form={form} layout="vertical" onValuesChange={changed} initialValues={{ merged: "refuse" }}>
        <Form.Item label={t("import.file")}>
          <Upload.Dragger
            accept=".csv,.tsv,.txt,.xlsx,.xlsm,.parquet"
            maxCount={1}
            beforeUpload={choose}
            onRemove={() => {
              setFile(null);
              changed();
            }}
          >
            <p>{t("import.drop")}</p>
          </Upload.Dragger>
        </Form.Item>
        <div className="sql-import-fields">
          <Form.Item
            name="table"
            label={t("import.table")}
            extra={t("import.table-hint")}
            rules={[{ required: true, whitespace: true, message: t("import.table-hint") }]}
          >
            <Input maxLength={63} />
          </Form.Item>
          <Form.Item name="title_zh" label={t("import.title-zh")}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="title_en" label={t("import.title-en")}>
            <Input maxLength={200} />
          </Form.Item>
          <Form.Item name="sheet" label={t("import.sheet")}>
            <Input placeholder={t("import.sheet-first")} />
          </Form.Item>
          <Form.Item name="header_line" label={t("import.header-line")}>
            <InputNumber min={1} style={{ width: "100%" }} placeholder={t("import.header-first")} />
          </Form.Item>
          <Form.Item name="merged" label={t("import.merged")}>
            <Select
              options={[
                { value: "refuse", label: t("import.merged-refuse") },
                { value: "fill", label: t("import.merged-fill") },
                { value: "first", label: t("import.merged-first") },
              ]}
            />
          </Form.Item>
        </div>
        <Form.Item name="replace" valuePropName="checked" noStyle>
          <Checkbox>{t("import.replace")}</Checkbox>
        </Form.Item>
      </Form>
      {error !== null && (
        <Alert type="error" showIcon title={t("import.failed")} description={errorText(error, t)} />
      )}
      {report && (
        <Report report={report}>
          {report.problems_count > 0 && (
            <Checkbox checked={skips} onChange={(e) => setSkips(e.target.checked)}>
              {t("import.skip", { n: report.rows_bad.toLocaleString("en-US") })}
            </Checkbox>
          )}
        </Report>
      )}
    </Modal>
  );
}

function Report({ report, children }: { report: ImportReport; children: ReactNode }) {
  const { t, p } = useT();
  const said = [report.format, report.encoding, report.sheet].filter((word) => word).join(", ");
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
          { title: t("import.filled"), dataIndex: "filled", align: "right" },
        ]}
      />
      {report.problems_count > 0 && (
        <Table
          size="small"
          rowKey={(problem) => `${problem.line} ${problem.column} ${problem.code}`}
          pagination={false}
          scroll={{ y: 200 }}
          dataSource={report.problems.slice(0, SHOWN_MAX)}
          columns={[
            { title: t("import.line"), dataIndex: "line", width: 80, align: "right" },
            { title: t("import.column"), dataIndex: "column", width: 120 },
            {
              title: t("import.what"),
              render: (_, problem) => (
                <span title={p(problem.place_zh, problem.place_en)}>
                  {p(problem.what_zh, problem.what_en)}
                </span>
              ),
            },
            { title: t("import.mend"), render: (_, problem) => p(problem.mend_zh, problem.mend_en) },
          ]}
        />
      )}
      {children}
    </section>
  );
}

/** A name that SQL needs no quotes for, made of a file's name. */
export function tableName(file: string): string {
  const stem = file.replace(/\.[^.]*$/, "").toLowerCase();
  const name = stem.replace(/[^\p{L}\p{N}_]+/gu, "_").replace(/^[^\p{L}]+|_+$/gu, "");
  return [...name].slice(0, 63).join("");
}
