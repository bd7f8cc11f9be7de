/** The days of a tariff in its form: one list of hours for all days, and further ones for those that differ, each with its day drawn. */
import { ArrowLeftOutlined, DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox, Form, Input, Select, Switch, Tabs } from "antd";
import { useMemo } from "react";
import { useT } from "../../i18n/index.tsx";
import { DayBar, planWord } from "./marks.tsx";
import {
  clockOf,
  DAY_KINDS,
  DAY_MINUTES,
  type DaysEntered,
  type HourEntered,
  MONTHS,
  minuteOf,
  PERIODS,
  type Period,
  type PricesEntered,
  shared,
  stretchesEntered,
  usedOf,
} from "./tariff.ts";

const HALF_HOUR = 30;
/** As many as charging piles take. */
const PERIODS_MAX = 48;
/** As many as the server takes; one of them is that of all other days. */
const PLANS_MAX = 48;
const PRICE = /^\s*(?:100(?:\.0{1,4})?|\d{1,2}(?:\.\d{1,4})?)\s*$/;

/** Every half hour; the last of them is midnight. */
export const HALF_HOURS = Array.from({ length: DAY_MINUTES / HALF_HOUR + 1 }, (_, n) =>
  clockOf(n * HALF_HOUR),
);

/** The days that are none of the further ones. */
export const REST = "rest";

type Path = (string | number)[];

const useHours = (path: Path) => Form.useWatch<HourEntered[] | undefined>(path) ?? [];

/** All of them, with what has no field of its own. */
const useFurther = () => {
  const form = Form.useFormInstance();
  return Form.useWatch<DaysEntered[] | undefined>("further", { form, preserve: true }) ?? [];
};

/** The key of the days to which a field belongs. */
export function daysOfField(name: Path, further: readonly DaysEntered[] | undefined): string | null {
  if (name[0] === "hours") return REST;
  const row = name[0] === "further" && typeof name[1] === "number" ? further?.[name[1]] : undefined;
  return row ? String(row.key) : null;
}

/** Which days there are; those that are chosen are drawn and can be written. */
export function Days({ chosen, choose }: { chosen: string; choose: (key: string) => void }) {
  const { t } = useT();
  const form = Form.useFormInstance();
  const further = useFurther();
  const now = () => (form.getFieldValue("further") as DaysEntered[] | undefined) ?? [];
  const set = (rows: DaysEntered[]) => form.setFieldValue("further", rows);
  const add = () => {
    const rows = now();
    const key = Math.max(-1, ...rows.map((row) => row.key)) + 1;
    const hours = (form.getFieldValue("hours") as HourEntered[]).map((row) => ({ ...row }));
    set([...rows, { key, months: [], kinds: [], hours, priced: false }]);
    choose(String(key));
  };
  const remove = (n: number) => {
    set(now().filter((_, at) => at !== n));
    choose(REST);
  };
  const before = (n: number) => {
    const rows = now();
    set([...rows.slice(0, n - 1), ...rows.slice(n, n + 1), ...rows.slice(n - 1, n), ...rows.slice(n + 1)]);
  };
  const word = (row: DaysEntered) =>
    row.months?.length || row.kinds?.length ? planWord(row, 0, 1, t) : t("charging.form-days-new");
  return (
    <section className="charging-form-part">
      <h3>{t("charging.form-hours")}</h3>
      <Tabs
        size="small"
        activeKey={chosen}
        onChange={choose}
        items={[
          ...further.map((row, n) => ({
            key: String(row.key),
            label: word(row),
            // What is not seen is sent all the same.
            forceRender: true,
            children: <Differing n={n} word={word(row)} remove={() => remove(n)} before={() => before(n)} />,
          })),
          {
            key: REST,
            label: t(further.length > 0 ? "charging.plan-rest" : "charging.plan-all"),
            forceRender: true,
            children: (
              <>
                {shared(further).left === 0 && <p className="quiet">{t("charging.form-days-none-left")}</p>}
                <Hours path={["hours"]} />
              </>
            ),
          },
        ]}
      />
      <div className="charging-days-add">
        <Button
          icon={<PlusOutlined />}
          disabled={further.length >= PLANS_MAX - 1}
          data-testid="charging-days-add"
          onClick={add}
        >
          {t("charging.form-days-add")}
        </Button>
        <span className="quiet hint">{t("charging.form-days-hint")}</span>
      </div>
    </section>
  );
}

/** Days that differ: which, their hours, and their prices where these differ too. */
function Differing({
  n,
  word,
  remove,
  before,
}: {
  n: number;
  word: string;
  remove: () => void;
  before: () => void;
}) {
  const { t } = useT();
  const form = Form.useFormInstance();
  const path: Path = ["further", n];
  const priced = Form.useWatch<boolean | undefined>([...path, "priced"]);
  const used = usedOf(useHours([...path, "hours"]));
  /** What is asked for begins with what held until now. */
  const price = (isOwn: boolean) => {
    if (!isOwn) return;
    const held = form.getFieldValue("prices") as PricesEntered | undefined;
    const own = form.getFieldValue([...path, "prices"]) as PricesEntered | undefined;
    form.setFieldValue([...path, "prices"], structuredClone({ ...held, ...own }));
  };
  return (
    <>
      <Form.Item
        name={[...path, "months"]}
        label={t("charging.form-months")}
        dependencies={[[...path, "kinds"]]}
        rules={[
          {
            validator: async () => {
              const rows = form.getFieldValue("further") as DaysEntered[];
              const { months = [], kinds = [] } = rows[n] ?? {};
              if (months.length + kinds.length === 0) throw new Error(t("charging.form-days-choose"));
              if (shared(rows).own[n] === 0) throw new Error(t("charging.form-days-taken"));
            },
          },
        ]}
      >
        <Checkbox.Group
          className="charging-months"
          options={MONTHS.map((value) => ({ value, label: String(value) }))}
        />
      </Form.Item>
      <Form.Item
        name={[...path, "kinds"]}
        label={t("charging.form-kinds")}
        extra={t("charging.form-kinds-hint")}
      >
        <Checkbox.Group options={DAY_KINDS.map((value) => ({ value, label: t(`charging-kind.${value}`) }))} />
      </Form.Item>
      <Hours path={[...path, "hours"]} />
      <p className="charging-days-priced">
        <Form.Item name={[...path, "priced"]} valuePropName="checked" noStyle>
          <Switch size="small" aria-label={`${word}: ${t("charging.form-priced")}`} onChange={price} />
        </Form.Item>{" "}
        {t("charging.form-priced")}
      </p>
      {priced && <PriceRows path={[...path, "prices"]} used={used} days={word} />}
      <div className="charging-days-add">
        <Button icon={<ArrowLeftOutlined />} disabled={n === 0} onClick={before}>
          {t("charging.form-days-before")}
        </Button>
        <Button danger icon={<DeleteOutlined />} onClick={remove}>
          {t("charging.form-days-remove")}
        </Button>
      </div>
    </>
  );
}

/** When each period begins, and the day that comes of it. */
function Hours({ path }: { path: Path }) {
  const { t } = useT();
  const form = Form.useFormInstance();
  const hours = useHours(path);
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
    const rows = [...(form.getFieldValue(path) as HourEntered[]), another()];
    rows.sort((one, other) => (minuteOf(one.from) ?? 0) - (minuteOf(other.from) ?? 0));
    form.setFieldValue(path, rows);
  };
  return (
    <>
      <DayBar stretches={stretches} />
      <p className="quiet hint">{t("charging.form-hours-hint")}</p>
      <Form.List
        name={path}
        rules={[
          {
            validator: async (_, rows: HourEntered[]) => {
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
    </>
  );
}

/** The prices that all days share which have none of their own. */
export function Prices() {
  const { t } = useT();
  const further = useFurther();
  const hours = useHours(["hours"]);
  const used = usedOf([...hours, ...further.flatMap((row) => (row.priced ? [] : row.hours))]);
  return (
    <section className="charging-form-part">
      <h3>{t("charging.form-prices")}</h3>
      <PriceRows path={["prices"]} used={used} />
    </section>
  );
}

function PriceRows({ path, used, days }: { path: Path; used: Period[]; days?: string }) {
  const { t } = useT();
  const wrong = { pattern: PRICE, message: t("charging.form-price-wrong") };
  const field = (kind: Period, name: "energy" | "service") => {
    const [period, part] = [t(`charging-period.${kind}`), t(`charging.form-${name}`)];
    return (
      <Form.Item
        name={[...path, kind, name]}
        rules={name === "energy" ? [{ required: true, message: t("charging.form-needed") }, wrong] : [wrong]}
      >
        <Input
          inputMode="decimal"
          aria-label={days ? t("charging.form-price-of", { days, period, part }) : `${period} ${part}`}
          placeholder={name === "service" ? "0" : undefined}
        />
      </Form.Item>
    );
  };
  return (
    <>
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
    </>
  );
}
