/** Who sells (销售方): name, taxpayer's number, and how each fee is taxed, for one operator. Nothing is filled in that nobody wrote. */
import { useQuery } from "@tanstack/react-query";
import { App, AutoComplete, Form, Input, InputNumber } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { ChargingSeller, ChargingSellers } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loading, useFailure } from "../../ui/states.tsx";
import { putSeller, sellersQuery } from "./queries.ts";

export const KINDS = ["energy", "service", "parking", "idle"] as const;
type Kind = (typeof KINDS)[number];
const NAME_CHARS_MAX = 100;
const RATE_MAX = 99;

interface Entered {
  operator: string;
  name: string;
  tax_number: string;
  taxed: Partial<Record<Kind, { code?: string; rate?: number | null }>>;
}

const entered = ({ operator, name, tax_number, taxed }: ChargingSeller): Entered => ({
  operator,
  name,
  tax_number,
  taxed: Object.fromEntries(
    taxed.map(({ kind, code, rate_percent }) => [kind, { code, rate: rate_percent }]),
  ) as Entered["taxed"],
});

export function SellerDialog({ onClose }: { onClose: () => void }) {
  const sellers = useQuery(sellersQuery);
  const failure = useFailure(sellers);
  if (!sellers.data) return failure ?? <Loading />;
  return <SellerForm sellers={sellers.data} onClose={onClose} />;
}

function SellerForm({ sellers, onClose }: { sellers: ChargingSellers; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const [form] = Form.useForm<Entered>();
  useFocusBack();
  const known = (operator: string) => sellers.items.find((one) => one.operator === operator);
  const first = known(sellers.operator) ?? sellers.items[0];
  const choose = (operator: string) => {
    const found = known(operator);
    if (found) form.setFieldsValue(entered(found));
  };
  const perform = async (now: Entered) => {
    const taxed = KINDS.flatMap((kind) => {
      const { code, rate } = now.taxed?.[kind] ?? {};
      return code?.trim() && rate !== null && rate !== undefined
        ? [{ kind, code: code.trim(), rate_percent: rate }]
        : [];
    });
    await putSeller({
      operator: now.operator.trim(),
      name: now.name.trim(),
      tax_number: now.tax_number.trim(),
      taxed,
    });
    message.success(t("invoice.seller-done"));
    onClose();
  };
  const operators = [...new Set([sellers.operator, ...sellers.items.map(({ operator }) => operator)])];
  const needed = { required: true, whitespace: true, message: t("charging.form-needed") };
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      wide
      title={t("invoice.seller")}
      okText={t("invoice.seller-save")}
      submitId="invoice-seller-submit"
      initialValues={first ? entered(first) : { operator: sellers.operator }}
      intro={<p className="quiet">{t("invoice.seller-about")}</p>}
    >
      <Form.Item
        name="operator"
        label={t("charging.operator")}
        extra={t("invoice.operator-hint")}
        rules={[needed]}
      >
        <AutoComplete options={operators.map((value) => ({ value }))} onSelect={choose} />
      </Form.Item>
      <Form.Item name="name" label={t("invoice.seller-name")} rules={[needed]}>
        <Input maxLength={NAME_CHARS_MAX} autoFocus />
      </Form.Item>
      <Form.Item
        name="tax_number"
        label={t("invoice.tax-number")}
        rules={[needed, { pattern: /^\s*[0-9A-Z]{15,20}\s*$/, message: t("invoice.tax-number-wrong") }]}
      >
        <Input autoComplete="off" spellCheck={false} maxLength={24} />
      </Form.Item>
      {KINDS.map((kind) => (
        <fieldset key={kind} className="charging-taxed">
          <legend>{t(`invoice-kind.${kind}`)}</legend>
          <Form.Item
            name={["taxed", kind, "code"]}
            label={t("invoice.code")}
            dependencies={[["taxed", kind, "rate"]]}
            rules={[
              { pattern: /^\s*\d{19}\s*$/, message: t("invoice.code-wrong") },
              ({ getFieldValue }) => ({
                required: typeof getFieldValue(["taxed", kind, "rate"]) === "number",
                message: t("charging.form-needed"),
              }),
            ]}
          >
            <Input autoComplete="off" inputMode="numeric" maxLength={24} />
          </Form.Item>
          <Form.Item
            name={["taxed", kind, "rate"]}
            label={t("invoice.rate")}
            dependencies={[["taxed", kind, "code"]]}
            rules={[
              ({ getFieldValue }) => ({
                type: "number",
                required: Boolean(getFieldValue(["taxed", kind, "code"])),
                message: t("charging.form-needed"),
              }),
            ]}
          >
            <InputNumber min={0} max={RATE_MAX} precision={0} suffix="%" />
          </Form.Item>
        </fieldset>
      ))}
    </FormDialog>
  );
}
