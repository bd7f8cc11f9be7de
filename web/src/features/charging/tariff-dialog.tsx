/** Puts a tariff in force that is alike every day: its periods with their prices, its fees; the day is drawn as it is entered. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, DatePicker, Form, Input, InputNumber, Select, Switch } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingTariff } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { fenOf } from "../projects/money.ts";
import { DayBar } from "./marks.tsx";
import { addTariff, ROOM } from "./queries.ts";
import { dayOf, daysBefore, MINUTE, moment } from "./say.ts";
import {
  begunWith,
  clockOf,
  DAY_MINUTES,
  drafted,
  isPlain,
  minuteOf,
  PERIODS,
  type Period,
  stretchesEntered,
  type TariffEntered,
  writtenOf,
} from "./tariff.ts";

const TEXT_CHARS_MAX = 100;
const HALF_HOUR = 30;
const MINUTES_MAX = 44_640;
/** As many as charging piles take. */
const PERIODS_MAX = 48;
const PRICE = /^\s*(?:100(?:\.0{1,4})?|\d{1,2}(?:\.\d{1,4})?)\s*$/;

/** Every half hour; the last of them is midnight. */
const HALF_HOURS = Array.from({ length: DAY_MINUTES / HALF_HOUR + 1 }, (_, n) => clockOf(n * HALF_HOUR));

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
    const tariff = drafted({ ...entered, ...fees }, from.format("YYYY-MM-DD"));
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
  const needed = [{ required: true, whitespace: true, message: t("charging.form-needed") }];
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      wide
      title={t("charging.tariff-add")}
      okText={t("charging.tariff-add")}
      submitId="charging-tariff-submit"
      initialValues={initial}
      intro={
        <>
          <p className="quiet charging-counted">{t("charging.tariff-about")}</p>
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
      <Hours />
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

const useHours = () => Form.useWatch<Entered["hours"] | undefined>("hours") ?? [];

/** When each period begins, and the day that comes of it. */
function Hours() {
  const { t } = useT();
  const form = Form.useFormInstance<Entered>();
  const hours = useHours();
  const stretches = useMemo(() => stretchesEntered(hours.filter((row) => row?.from && row.kind)), [hours]);
  const taken = new Set(hours.map((row) => row?.from));
  const untilOf = (from: string | undefined) => {
    const found = stretches.find((stretch) => clockOf(stretch.from) === from);
    return found ? clockOf(found.until) : "—";
  };
  /** A new one begins in the midst of the longest. */
  const another = () => {
    const longest = [...stretches].sort((one, other) => other.until - other.from - (one.until - one.from))[0];
    if (!longest) return { from: "00:00", kind: "flat" as Period };
    const middle = (longest.from + longest.until) / 2;
    return { from: clockOf(Math.round(middle / HALF_HOUR) * HALF_HOUR), kind: longest.kind };
  };
  const insert = () => {
    const rows = [...(form.getFieldValue("hours") as Entered["hours"]), another()];
    rows.sort((one, other) => (minuteOf(one.from) ?? 0) - (minuteOf(other.from) ?? 0));
    form.setFieldValue("hours", rows);
  };
  return (
    <section className="charging-form-part">
      <h3>{t("charging.form-hours")}</h3>
      <DayBar stretches={stretches} />
      <p className="quiet hint">{t("charging.form-hours-hint")}</p>
      <Form.List
        name="hours"
        rules={[
          {
            validator: async (_, rows: Entered["hours"]) => {
              const begun = new Set(rows.map(({ from }) => from));
              if (begun.size < rows.length) throw new Error(t("charging.form-hours-twice"));
            },
          },
        ]}
      >
        {(fields, { remove }, { errors }) => (
          <>
            <ol className="charging-hours">
              {fields.map(({ key, name }) => (
                <li key={key}>
                  <Form.Item name={[name, "from"]} noStyle>
                    <Select
                      disabled={name === 0}
                      aria-label={t("charging.form-hour-from", { n: name + 1 })}
                      options={HALF_HOURS.slice(0, -1).map((value) => ({
                        value,
                        label: value,
                        disabled: taken.has(value),
                      }))}
                    />
                  </Form.Item>
                  <span className="quiet number">
                    {t("charging.form-hour-until", { until: untilOf(hours[name]?.from) })}
                  </span>
                  <Form.Item name={[name, "kind"]} noStyle>
                    <Select
                      aria-label={t("charging.form-hour-kind", { n: name + 1 })}
                      options={PERIODS.map((value) => ({ value, label: t(`charging-period.${value}`) }))}
                    />
                  </Form.Item>
                  <Button
                    type="text"
                    icon={<DeleteOutlined />}
                    disabled={name === 0}
                    aria-label={t("charging.form-hour-remove", { n: name + 1 })}
                    onClick={() => remove(name)}
                  />
                </li>
              ))}
            </ol>
            <Form.ErrorList errors={errors} />
            <Button
              icon={<PlusOutlined />}
              disabled={fields.length >= PERIODS_MAX}
              data-testid="charging-hour-add"
              onClick={insert}
            >
              {t("charging.form-hour-add")}
            </Button>
          </>
        )}
      </Form.List>
    </section>
  );
}

/** The prices of the periods that the day has. */
function Prices() {
  const { t } = useT();
  const hours = useHours();
  const used = PERIODS.filter((kind) => hours.some((row) => row?.kind === kind));
  const wrong = { pattern: PRICE, message: t("charging.form-price-wrong") };
  const field = (kind: Period, name: "energy" | "service") => (
    <Form.Item
      name={["prices", kind, name]}
      rules={name === "energy" ? [{ required: true, message: t("charging.form-needed") }, wrong] : [wrong]}
    >
      <Input
        inputMode="decimal"
        aria-label={`${t(`charging-period.${kind}`)} ${t(`charging.form-${name}`)}`}
        placeholder={name === "service" ? "0" : undefined}
      />
    </Form.Item>
  );
  return (
    <section className="charging-form-part">
      <h3>{t("charging.form-prices")}</h3>
      <div className="charging-price-row quiet" aria-hidden="true">
        <span className="charging-period-word" />
        <span>{t("charging.form-energy")}</span>
        <span>{t("charging.form-service")}</span>
      </div>
      {used.map((kind) => (
        <div key={kind} className="charging-price-row">
          <span className="charging-period-word">
            <span className={`charging-dot charging-period-${kind}`} aria-hidden="true" />
            {t(`charging-period.${kind}`)}
          </span>
          {field(kind, "energy")}
          {field(kind, "service")}
        </div>
      ))}
    </section>
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
