/** Invoices of one's own charges (申请发票): choose those that are paid, say for whom, and see what became of each invoice. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Radio, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { InvoiceTag, operatorWord } from "../charging/marks.tsx";
import { energy } from "../charging/say.ts";
import { AsOf, money } from "./marks.tsx";
import { askInvoice, mineQuery, myInvoicesQuery, ROOM } from "./queries.ts";
import type { Order } from "./types.ts";
import { useKeyed } from "./use-key.ts";
import { useWhere } from "./use-where.ts";

const TITLE_CHARS_MAX = 100;

export function Invoices() {
  const { t } = useT();
  const invoices = useInfiniteQuery(myInvoicesQuery);
  const failure = useFailure(invoices);
  const items = invoices.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <AsOf query={invoices} />
      {invoices.data?.pages[0]?.is_sandbox && (
        <Tag color="purple" className="charge-sandbox">
          {t("charge.sandbox")}
        </Tag>
      )}
      <Choose />
      <section className="charge-section charge-invoices" aria-label={t("charge.invoices-mine")}>
        <h2>{t("charge.invoices-mine")}</h2>
        {!invoices.data && (failure ?? <Loading />)}
        {invoices.data && items.length === 0 && <p className="quiet">{t("charge.invoices-none")}</p>}
        {items.length > 0 && (
          <ul className="card-list">
            {items.map((one) => (
              <li key={one.id} className="item-card charge-order" data-testid="charge-invoice">
                <span className="item-card-head">
                  <strong>{one.title}</strong>
                  <InvoiceTag state={one.state} />
                </span>
                {one.tax_number && <span className="number">{one.tax_number}</span>}
                <span className="charge-card-line">
                  <Time at={one.asked_at} />
                  <span className="number">
                    {t("charge.invoice-of", { n: one.bills.length })} · {money(one.gross_fen, t)}
                  </span>
                </span>
                {one.number && (
                  <span className="number">
                    {t("invoice.number-of", { number: one.number })} <CopyButton text={one.number} />
                  </span>
                )}
                {one.red_number && (
                  <span className="number">{t("invoice.red-of", { number: one.red_number })}</span>
                )}
                {one.note && <span className="charge-why">{one.note}</span>}
              </li>
            ))}
          </ul>
        )}
        <More list={invoices} />
      </section>
    </>
  );
}

/** The charges that can be invoiced, and those chosen: all of one operator. */
function Choose() {
  const { t } = useT();
  const whereWord = useWhere();
  const mine = useInfiniteQuery(mineQuery);
  const failure = useFailure(mine);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [asking, setAsking] = useState(false);
  const all = (mine.data?.pages.flatMap((page) => page.items) ?? []).filter((one) => one.may_invoice);
  // What was refunded or invoiced meanwhile is not there any more.
  const picked = all.filter(({ id }) => chosen.includes(id));
  const operator = picked[0]?.operator ?? null;
  const fits = (one: Order) => operator === null || one.operator === operator;
  const sum = picked.reduce((fen, one) => fen + one.paid_fen - one.refunded_fen, 0);
  const rest = all.filter((one) => (operator ?? all[0]?.operator) === one.operator);
  const isAll = rest.length > 0 && rest.every(({ id }) => chosen.includes(id));
  return (
    <section className="charge-section charge-invoices" aria-label={t("charge.invoice-choose")}>
      <h2>{t("charge.invoice-choose")}</h2>
      {!mine.data && (failure ?? <Loading />)}
      {mine.data && all.length === 0 && (
        <Nothing title={t("charge.invoice-none")} mend={t("charge.invoice-none-mend")} />
      )}
      {all.length > 0 && (
        <>
          <div className="charge-bar">
            <Checkbox
              checked={isAll}
              indeterminate={picked.length > 0 && !isAll}
              onChange={() => setChosen(isAll ? [] : rest.map(({ id }) => id))}
            >
              {t("charge.invoice-all")}
            </Checkbox>
            <span className="charge-grow" />
            <Button type="primary" disabled={picked.length === 0} onClick={() => setAsking(true)}>
              {t("charge.invoice-ask", { n: picked.length, amount: money(sum, t) })}
            </Button>
          </div>
          {operator !== null && !all.every(fits) && (
            <p className="quiet">{t("charge.invoice-operators", { operator: operatorWord(operator, t) })}</p>
          )}
          <ul className="card-list">
            {all.map((one) => (
              <li key={one.id} className="item-card charge-order" data-testid="charge-invoiceable">
                <Checkbox
                  checked={chosen.includes(one.id)}
                  disabled={!fits(one)}
                  onChange={({ target }) =>
                    setChosen(target.checked ? [...chosen, one.id] : chosen.filter((id) => id !== one.id))
                  }
                >
                  <strong>{whereWord(one)}</strong>
                </Checkbox>
                <span className="charge-card-line">
                  <Time at={one.started_at ?? one.asked_at} />
                  <span className="number">
                    {one.energy_wh === null ? null : `${energy(one.energy_wh)} · `}
                    {money(one.paid_fen - one.refunded_fen, t)}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {mine.hasNextPage && (
        <Button loading={mine.isFetchingNextPage} onClick={() => void mine.fetchNextPage()}>
          {t("charge.invoice-more")}
        </Button>
      )}
      {asking && (
        <AskDialog
          charges={picked.map(({ id }) => id)}
          onClose={() => setAsking(false)}
          onAsked={() => setChosen([])}
        />
      )}
    </section>
  );
}

interface Entered {
  kind: "person" | "unit";
  title: string;
  number?: string;
}

function AskDialog({
  charges,
  onClose,
  onAsked,
}: {
  charges: string[];
  onClose: () => void;
  onAsked: () => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const kind = Form.useWatch("kind", form) ?? "person";
  // Sent again without an answer it is the same request: one invoice.
  const send = useKeyed(charges.join(" "));
  return (
    <FormDialog<Entered>
      form={form}
      title={t("charge.invoice-title")}
      okText={t("charge.invoice-send")}
      submitId="charge-invoice-send"
      initialValues={{ kind: "person" }}
      onClose={onClose}
      intro={<p className="quiet">{t("charge.invoice-about")}</p>}
      perform={async ({ kind, title, number }) => {
        const tax_number = kind === "unit" ? (number?.trim() ?? null) : null;
        await send((key) => askInvoice({ charges, title: title.trim(), tax_number, key }));
        message.success(t("charge.invoice-asked"));
        onAsked();
        onClose();
        void queryClient.invalidateQueries({ queryKey: ROOM });
      }}
    >
      <Form.Item name="kind" label={t("charge.invoice-kind")}>
        <Radio.Group
          options={[
            { value: "person", label: t("charge.invoice-person") },
            { value: "unit", label: t("charge.invoice-unit") },
          ]}
        />
      </Form.Item>
      <Form.Item
        name="title"
        label={t("charge.invoice-name")}
        rules={[{ required: true, whitespace: true, message: t("charge.invoice-needed") }]}
      >
        <Input maxLength={TITLE_CHARS_MAX} autoFocus />
      </Form.Item>
      {kind === "unit" && (
        <Form.Item
          name="number"
          label={t("charge.invoice-number")}
          rules={[
            { required: true, whitespace: true, message: t("charge.invoice-needed") },
            { pattern: /^\s*[0-9A-Z]{15,20}\s*$/, message: t("charge.invoice-number-wrong") },
          ]}
        >
          <Input autoComplete="off" spellCheck={false} maxLength={24} />
        </Form.Item>
      )}
    </FormDialog>
  );
}
