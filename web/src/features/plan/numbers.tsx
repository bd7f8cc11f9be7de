/** The register of the plan office's numbers (发文登记): each number with its document and files, what is void, what is missing. */
import { DownloadOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Drawer, Form, Input, InputNumber, Segmented, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import type { PlanNumber, PlanNumbers } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { type NumberContext, numberActions } from "./actions.tsx";
import { numberedFile, numbersQuery, voidNumber } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 640;
/** Longest reason, in characters; the server's own. */
const TEXT_CHARS_MAX = 500;
/** Characters of a SHA-256 that are shown; the whole one is its title. */
const SHA_CHARS = 12;

export function Numbers({ onClose }: { onClose: () => void }) {
  const { t } = useT();
  const [year, setYear] = useState<number | null>(null);
  const found = useQuery(numbersQuery(year));
  return (
    <Drawer open onClose={onClose} title={t("document.numbers")} size={DRAWER_WIDTH}>
      <Loaded query={found}>
        {(register) => <Register key={register.year} register={register} onYear={setYear} />}
      </Loaded>
    </Drawer>
  );
}

function Register({ register, onYear }: { register: PlanNumbers; onYear: (year: number) => void }) {
  const { t } = useT();
  const queryClient = useQueryClient();
  /** The number that is being made void; 0 while it is asked which. */
  const [voiding, setVoiding] = useState<number | null>(null);
  const context = (number: PlanNumber | null): NumberContext => ({
    mayGive: register.may_give,
    number,
    isMissing: number === null && register.gaps.length > 0,
    makeVoid: () => setVoiding(number?.number ?? 0),
  });
  const missing = register.gaps.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`));
  return (
    <div className="document-numbers" data-testid="document-numbers">
      {register.years.length > 1 && (
        <Segmented<number>
          aria-label={t("document.year")}
          value={register.year}
          onChange={onYear}
          options={register.years.map((value) => ({ value, label: `${value}` }))}
        />
      )}
      <p className="quiet">{t("document.next", { name: register.next_name })}</p>
      {missing.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("document.gaps", { numbers: missing.join(t("document.comma")) })}
          action={<ActionBar actions={numberActions} context={context(null)} />}
        />
      )}
      {register.items.length === 0 ? (
        <Nothing title={t("document.numbers-none")} mend={t("document.numbers-none-mend")} />
      ) : (
        <ul className="plain-list">
          {register.items.map((item) => (
            <Item key={item.number} item={item} context={context(item)} />
          ))}
        </ul>
      )}
      {voiding !== null && (
        <VoidDialog
          number={voiding}
          onClose={() => setVoiding(null)}
          perform={async (number, reason) => {
            await voidNumber(register.year, number, reason);
            void queryClient.invalidateQueries({ queryKey: ["plan", "numbers"] });
            setVoiding(null);
          }}
        />
      )}
    </div>
  );
}

function Item({ item, context }: { item: PlanNumber; context: NumberContext }) {
  const { t } = useT();
  return (
    <li className="document-number" data-testid={`number-${item.number}`}>
      <div>
        <strong>{item.name}</strong> {item.voided_at && <Tag color="error">{t("document.void")}</Tag>}
      </div>
      <div>
        {item.kind ? `${t(`document.kind-${item.kind}`)} · ${item.period}` : t("document.unused")}
        {item.title && ` · ${item.title}`}
      </div>
      <div className="quiet">
        {item.by} · {time(item.at)}
      </div>
      {item.voided_at && (
        <div>
          {t("document.voided", {
            by: item.voided_by ?? "",
            time: time(item.voided_at),
            why: item.voided_why ?? "",
          })}
        </div>
      )}
      {item.files.map((file) => (
        <div key={file.format}>
          <a href={numberedFile(item, file.format)} download>
            <DownloadOutlined /> {file.format.toUpperCase()}
          </a>{" "}
          <span className="quiet" title={file.sha256}>
            SHA-256 {file.sha256.slice(0, SHA_CHARS)}…
          </span>
        </div>
      ))}
      <ActionBar actions={numberActions} context={context} />
    </li>
  );
}

function VoidDialog({
  number,
  onClose,
  perform,
}: {
  number: number;
  onClose: () => void;
  perform: (number: number, reason: string) => Promise<void>;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ number?: number; reason: string }>();
  useFocusBack();
  return (
    <FormDialog<{ number?: number; reason: string }>
      form={form}
      perform={(entered) => perform(entered.number ?? number, entered.reason.trim())}
      onClose={onClose}
      title={number > 0 ? `${t("document.make-void")} ${number}` : t("document.make-void")}
      okText={t("document.make-void")}
      submitId="number-void"
      danger
      intro={<p className="quiet">{t("document.void-rule")}</p>}
    >
      {number === 0 && (
        <Form.Item
          name="number"
          label={t("document.number")}
          rules={[{ required: true, message: t("plan.report-missing") }]}
        >
          <InputNumber min={1} precision={0} style={{ width: "100%" }} />
        </Form.Item>
      )}
      <Form.Item
        name="reason"
        label={t("document.void-why")}
        rules={[{ required: true, whitespace: true, message: t("plan.report-missing") }]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
