/** Invoices of charging (发票): what drivers asked for, their data for the tax administration's platform, the numbers that it gave, and who sells. */
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Checkbox, Form, Input, Select, Table, Tag, Tooltip } from "antd";
import { useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { download } from "../../lib/download.ts";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingInvoice } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { yuan } from "../projects/money.ts";
import { InvoiceTag, money, operatorWord } from "./marks.tsx";
import { type InvoiceStep, invoiceActions, invoicesActions } from "./money-actions.tsx";
import { invoiceExportPath, invoicesQuery, ROOM, stepInvoice } from "./queries.ts";
import { SellerDialog } from "./seller-dialog.tsx";

const NOTE_CHARS_MAX = 1_000;
export const INVOICE_STATES = ["asked", "issued", "declined", "reversed"] as const;

export function Invoices() {
  const { t } = useT();
  const [parameters, set] = useAddress();
  const queryClient = useQueryClient();
  const state = INVOICE_STATES.find((one) => one === parameters.get("state"));
  const changed = parameters.get("changed") === "1";
  const invoices = useInfiniteQuery({
    ...invoicesQuery(state, changed),
    placeholderData: keepPreviousData,
  });
  const items = useMemo(() => invoices.data?.pages.flatMap((page) => page.items) ?? [], [invoices.data]);
  const [open, setOpen] = useState<{ invoice: ChargingInvoice; step: InvoiceStep } | "seller" | null>(null);
  const failure = useFailure(invoices);
  const context = {
    download: (what: "asked" | "red", format: "json" | "csv") => download(invoiceExportPath(what, format)),
    seller: () => setOpen("seller"),
  };
  useActionKeys(invoicesActions, open ? null : context);
  const step = (invoice: ChargingInvoice, step: InvoiceStep) => setOpen({ invoice, step });
  const close = () => {
    setOpen(null);
    void queryClient.invalidateQueries({ queryKey: ROOM });
  };
  const shown = () => {
    if (failure) return failure;
    if (!invoices.data) return <Loading tall />;
    if (items.length === 0) return <Nothing title={t("invoice.none")} mend={t("invoice.none-mend")} />;
    return <List items={items} step={step} />;
  };
  return (
    <>
      <div className="toolbar charging-line-bar charging-filters">
        <Select
          allowClear
          aria-label={t("word.state")}
          placeholder={t("invoice.any-state")}
          value={state}
          onChange={(value) => set({ state: value })}
          options={INVOICE_STATES.map((value) => ({ value, label: t(`invoice-state.${value}`) }))}
        />
        <Checkbox
          checked={changed}
          onChange={({ target }) => set({ changed: target.checked ? "1" : undefined })}
        >
          {t("invoice.only-changed")}
        </Checkbox>
        <span className="charging-grow" />
        <ActionBar actions={invoicesActions} context={context} />
      </div>
      {invoices.data?.pages[0]?.is_sandbox && (
        <Alert type="warning" showIcon title={t("invoice.sandbox")} data-testid="invoice-sandbox" />
      )}
      {shown()}
      <More list={invoices} />
      {open === "seller" && <SellerDialog onClose={close} />}
      {open && open !== "seller" && <StepDialog invoice={open.invoice} step={open.step} onClose={close} />}
    </>
  );
}

/** That another sum is left of an invoice's bills than it stands for. */
function Changed({ invoice }: { invoice: ChargingInvoice }) {
  const { t } = useT();
  if (!invoice.is_changed) return null;
  const key = invoice.state === "issued" ? "invoice.changed-issued" : "invoice.changed-asked";
  return (
    <Tooltip title={t(key, { amount: money(invoice.left_fen ?? 0, t) })}>
      <Tag color="orange" style={{ marginInlineEnd: 0 }}>
        {t("invoice.changed")}
      </Tag>
    </Tooltip>
  );
}

/** An invoice's items: what for, and what of it is tax. */
function Items({ invoice }: { invoice: ChargingInvoice }) {
  const { t } = useT();
  const { seller, seller_tax_number, bills } = invoice;
  return (
    <>
      <p className="quiet">
        {t("invoice.sold-by", {
          seller,
          number: seller_tax_number,
          bills: bills.join(t("charging.between")),
        })}
      </p>
      <ItemTable invoice={invoice} />
    </>
  );
}

function ItemTable({ invoice }: { invoice: ChargingInvoice }) {
  const { t } = useT();
  return (
    <Table
      size="small"
      rowKey="kind"
      pagination={false}
      dataSource={invoice.items}
      scroll={{ x: "max-content" }}
      columns={[
        {
          title: t("invoice.item"),
          render: (_, { kind }) => {
            const key = keyOf("invoice-kind", kind);
            return key ? t(key) : kind;
          },
        },
        { title: t("invoice.code"), dataIndex: "code" },
        { title: t("invoice.rate"), align: "right", render: (_, { rate_percent }) => `${rate_percent} %` },
        { title: t("invoice.net"), align: "right", render: (_, { net_fen }) => yuan(net_fen) },
        { title: t("invoice.tax"), align: "right", render: (_, { tax_fen }) => yuan(tax_fen) },
        { title: t("invoice.gross"), align: "right", render: (_, { gross_fen }) => yuan(gross_fen) },
      ]}
    />
  );
}

/** The numbers, and why it is as it is. */
function Facts({ invoice }: { invoice: ChargingInvoice }) {
  const { t } = useT();
  const { number, red_number, note, replaces } = invoice;
  return (
    <>
      {number && <div className="number">{t("invoice.number-of", { number })}</div>}
      {red_number && <div className="number">{t("invoice.red-of", { number: red_number })}</div>}
      {replaces !== null && <div className="quiet">{t("invoice.replaces", { id: replaces })}</div>}
      {note && <div className="prose quiet">{note}</div>}
    </>
  );
}

function List({
  items,
  step,
}: {
  items: ChargingInvoice[];
  step: (invoice: ChargingInvoice, step: InvoiceStep) => void;
}) {
  const { t } = useT();
  const phone = usePhone();
  const bar = (invoice: ChargingInvoice) => (
    <ActionBar actions={invoiceActions} context={{ invoice, step }} size="small" />
  );
  if (phone) {
    return (
      <ul className="card-list">
        {items.map((invoice) => (
          <li key={invoice.id} className="item-card charging-plain" data-testid="charging-invoice">
            <span className="item-card-head">
              <strong>{invoice.title}</strong>
              <InvoiceTag state={invoice.state} />
            </span>
            {invoice.tax_number && <span className="number">{invoice.tax_number}</span>}
            <span>
              {money(invoice.gross_fen, t)} · {t("invoice.tax")} {yuan(invoice.tax_fen)}{" "}
              <Changed invoice={invoice} />
            </span>
            <span className="quiet">
              {operatorWord(invoice.operator, t)} · <Time at={invoice.asked_at} />
            </span>
            <Facts invoice={invoice} />
            <span className="charging-orders">{bar(invoice)}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<ChargingInvoice>
      size="small"
      rowKey="id"
      dataSource={items}
      pagination={false}
      className="tabular"
      scroll={{ x: 1_110 }}
      expandable={{ expandedRowRender: (invoice) => <Items invoice={invoice} /> }}
      onRow={() => ({ "data-testid": "charging-invoice" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        { title: "#", dataIndex: "id", width: 50 },
        {
          title: t("word.state"),
          width: 150,
          render: (_, invoice) => (
            <span className="charging-orders">
              <InvoiceTag state={invoice.state} /> <Changed invoice={invoice} />
            </span>
          ),
        },
        {
          title: t("invoice.buyer"),
          width: 200,
          render: (_, { title, tax_number }) => (
            <>
              {title}
              {tax_number && <div className="quiet number">{tax_number}</div>}
            </>
          ),
        },
        { title: t("charging.operator"), width: 110, render: (_, { operator }) => operatorWord(operator, t) },
        {
          title: t("invoice.gross"),
          width: 130,
          align: "right",
          render: (_, { gross_fen }) => yuan(gross_fen),
        },
        {
          title: t("invoice.numbers"),
          width: 230,
          render: (_, invoice) => <Facts invoice={invoice} />,
        },
        {
          title: `${t("invoice.asked")} (${ZONE_LABEL})`,
          width: 170,
          render: (_, { asked_at }) => <Time at={asked_at} bare />,
        },
        {
          title: t("word.operations"),
          width: 210,
          render: (_, invoice) => <span className="charging-orders">{bar(invoice)}</span>,
        },
      ]}
    />
  );
}

interface Entered {
  number?: string;
  note?: string;
}

/** A step of an invoice: its number, why not, or the red one's. */
function StepDialog({
  invoice,
  step,
  onClose,
}: {
  invoice: ChargingInvoice;
  step: InvoiceStep;
  onClose: () => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const [form] = Form.useForm<Entered>();
  useFocusBack();
  const perform = async ({ number, note }: Entered) => {
    await stepInvoice(invoice.id, { step, number: number?.trim() || null, note: note?.trim() || null });
    message.success(t("invoice.step-done"));
    onClose();
  };
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      danger={step !== "issue"}
      title={t(`invoice.${step}-title`, { id: invoice.id })}
      okText={t(`invoice.${step}`)}
      submitId="invoice-step-submit"
      intro={
        <p className="quiet">
          {invoice.title} · {money(invoice.gross_fen, t)}. {t(`invoice.${step}-about`)}
        </p>
      }
    >
      {step !== "decline" && (
        <Form.Item
          name="number"
          label={t(step === "issue" ? "invoice.number" : "invoice.red-number")}
          rules={[
            { required: true, message: t("charging.form-needed") },
            { pattern: /^\s*\d{20}\s*$/, message: t("invoice.number-wrong") },
          ]}
        >
          <Input autoFocus autoComplete="off" inputMode="numeric" maxLength={24} />
        </Form.Item>
      )}
      {step !== "issue" && (
        <Form.Item
          name="note"
          label={t("invoice.note")}
          rules={[{ required: true, whitespace: true, message: t("charging.form-needed") }]}
        >
          <Input.TextArea rows={2} maxLength={NOTE_CHARS_MAX} autoFocus={step === "decline"} />
        </Form.Item>
      )}
    </FormDialog>
  );
}
