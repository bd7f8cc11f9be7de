/** Puts a tariff in force: its days by periods with their prices, its fees; a day is drawn as it is entered. */
import { useQueryClient } from "@tanstack/react-query";
import { Alert, App, DatePicker, Form, Input, InputNumber, Select, Switch } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { flushSync } from "react-dom";
import { useT } from "../../i18n/index.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingTariff } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { fenOf } from "../projects/money.ts";
import { addTariff, ROOM } from "./queries.ts";
import { dayOf, daysBefore, MINUTE, moment } from "./say.ts";
import { begunWith, drafted, isPlain, type TariffEntered, writtenOf } from "./tariff.ts";
import { Days, daysOfField, HALF_HOURS, Prices, REST } from "./tariff-days.tsx";

const TEXT_CHARS_MAX = 100;
const MINUTES_MAX = 44_640;

type FeeName = "parking" | "idle";

interface Entered extends TariffEntered {
  from: Dayjs;
  station?: string;
  has: Record<FeeName, boolean>;
}

export function TariffDialog({ held, onClose }: { held: ChargingTariff | undefined; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const [refused, setRefused] = useState<unknown>(null);
  const [chosen, setChosen] = useState(REST);
  useFocusBack();
  const today = dayOf(Date.now());
  const written = held && writtenOf(held);
  const [initial] = useState<Entered>(() => {
    const begun = begunWith(written, today);
    return {
      ...begun,
      // The next midnight: a change within a day is seldom meant.
      from: dayjs(daysBefore(today, -1)),
      has: { parking: begun.parking !== undefined, idle: begun.idle !== undefined },
    };
  });
  const perform = async ({ from, station, has, ...entered }: Entered) => {
    setRefused(null);
    const fees = {
      parking: has.parking ? entered.parking : undefined,
      idle: has.idle ? entered.idle : undefined,
    };
    const tariff = drafted({ ...entered, ...fees, change: initial.change }, from.format("YYYY-MM-DD"));
    try {
      await addTariff({ station: station?.trim() || null, from: moment(from), tariff });
    } catch (error) {
      setRefused(error);
      return;
    }
    message.success(t("charging.tariff-done"));
    void queryClient.invalidateQueries({ queryKey: ROOM });
    onClose();
  };
  /** The days in which something is wrong are shown, so that the field can be gone to. */
  const show = (name: (string | number)[]) => {
    const days = daysOfField(name, form.getFieldValue("further"));
    if (days !== null) flushSync(() => setChosen(days));
    // A group of boxes takes no focus itself.
    const field: unknown = form.getFieldInstance(name);
    if (field instanceof HTMLElement) field.querySelector("input")?.focus();
  };
  const needed = [{ required: true, whitespace: true, message: t("charging.form-needed") }];
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      wide
      onWrong={show}
      title={t("charging.tariff-add")}
      okText={t("charging.tariff-add")}
      submitId="charging-tariff-submit"
      initialValues={initial}
      intro={
        <>
          <p className="quiet charging-counted">{t("charging.tariff-about")}</p>
          {initial.change === "at-start" && (
            <p className="quiet charging-counted">{t("charging.tariff-change")}</p>
          )}
          {written && !isPlain(written, today) && (
            <Alert type="info" showIcon title={t("charging.form-simplified")} className="charging-told" />
          )}
        </>
      }
    >
      <div className="charging-fields">
        <Form.Item name="title_zh" label={t("charging.form-title-zh")} rules={needed}>
          <Input maxLength={TEXT_CHARS_MAX} />
        </Form.Item>
        <Form.Item name="title_en" label={t("charging.form-title-en")} rules={needed}>
          <Input maxLength={TEXT_CHARS_MAX} />
        </Form.Item>
        <Form.Item name="id" label={t("charging.form-id")} extra={t("charging.form-id-hint")} rules={needed}>
          <Input maxLength={TEXT_CHARS_MAX} className="mono" spellCheck={false} autoCapitalize="none" />
        </Form.Item>
        <Form.Item name="source" label={`${t("charging.form-source")} (${t("word.optional")})`}>
          <Input maxLength={TEXT_CHARS_MAX} />
        </Form.Item>
        <Form.Item
          name="from"
          label={t("charging.form-from", { zone: ZONE_LABEL })}
          extra={t("charging.form-from-hint")}
          rules={[{ required: true, message: t("charging.form-needed") }]}
        >
          <DatePicker showTime={{ format: "HH:mm" }} format={MINUTE} style={{ width: "100%" }} />
        </Form.Item>
        <Form.Item
          name="station"
          label={`${t("charging.form-station")} (${t("word.optional")})`}
          extra={t("charging.form-station-hint")}
        >
          <Input maxLength={TEXT_CHARS_MAX} spellCheck={false} autoCapitalize="none" />
        </Form.Item>
      </div>
      <Days chosen={chosen} choose={setChosen} />
      <Prices />
      <Fee name="parking" />
      <Fee name="idle" />
      {refused !== null && (
        <Alert
          type="error"
          showIcon
          role="alert"
          data-testid="charging-tariff-refused"
          title={t("charging.tariff-refused")}
          description={errorText(refused, t)}
        />
      )}
    </FormDialog>
  );
}

/** A fee by time, where the tariff has one. */
function Fee({ name }: { name: FeeName }) {
  const { t } = useT();
  const has = Form.useWatch(["has", name]) as boolean | undefined;
  const needed = { required: true, message: t("charging.form-needed") };
  const yuan = {
    validator: async (_: unknown, text: string | undefined) => {
      if (text && fenOf(text) === null) throw new Error(t("charging.form-yuan-wrong"));
    },
  };
  const minutes = (field: string, label: string, min: number) => (
    <Form.Item name={[name, field]} label={label} rules={[needed]}>
      <InputNumber min={min} max={MINUTES_MAX} precision={0} style={{ width: "100%" }} />
    </Form.Item>
  );
  const amount = (field: string, label: string, isNeeded: boolean) => (
    <Form.Item
      name={[name, field]}
      label={isNeeded ? label : `${label} (${t("word.optional")})`}
      rules={isNeeded ? [needed, yuan] : [yuan]}
    >
      <Input inputMode="decimal" />
    </Form.Item>
  );
  const hour = (field: "from" | "until", label: string, other: "from" | "until") => (
    <Form.Item
      name={[name, field]}
      label={`${label} (${t("word.optional")})`}
      dependencies={[[name, other]]}
      rules={[
        ({ getFieldValue }) => ({
          validator: async () => {
            const [from, until] = [getFieldValue([name, "from"]), getFieldValue([name, "until"])];
            if (!from && !until) return;
            if (!from || !until || from >= until) throw new Error(t("charging.form-fee-hours"));
          },
        }),
      ]}
    >
      <Select allowClear options={HALF_HOURS.map((value) => ({ value, label: value }))} />
    </Form.Item>
  );
  return (
    <section className="charging-form-part">
      <h3>
        <Form.Item name={["has", name]} valuePropName="checked" noStyle>
          <Switch size="small" aria-label={t(`charging.fee-${name}`)} />
        </Form.Item>{" "}
        {t(`charging.fee-${name}`)}
      </h3>
      {has && (
        <div className="charging-fields charging-fields-three">
          {minutes("free", t("charging.form-free"), 0)}
          {minutes("unit", t("charging.form-unit"), 1)}
          {amount("amount", t("charging.form-amount"), true)}
          {amount("dayCap", t("charging.form-day-cap"), false)}
          {amount("cap", t("charging.form-cap"), false)}
          <span />
          {hour("from", t("charging.form-fee-from"), "until")}
          {hour("until", t("charging.form-fee-until"), "from")}
        </div>
      )}
    </section>
  );
}
