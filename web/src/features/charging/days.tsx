/** The days of which charging is told, kept in the address: spans that end today, or two days of one's own. */
import { DatePicker, Segmented } from "antd";
import dayjs from "dayjs";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { usePhone } from "../../ui/use-phone.ts";
import { CHOICES, type Choice, type Span } from "./say.ts";

const DAY = "YYYY-MM-DD";

export function ChosenDays({ span, today }: { span: Span; today: string }) {
  const { t } = useT();
  const [, set] = useAddress();
  const choose = (choice: Choice) =>
    choice === "own"
      ? set({ days: undefined, from: span.from, to: span.to })
      : set({ days: choice === "today" ? undefined : choice, from: undefined, to: undefined });
  return (
    <div className="charging-span">
      <Segmented<Choice>
        aria-label={t("charging.days")}
        value={span.choice}
        onChange={choose}
        options={CHOICES.map((value) => ({ value, label: t(`charging-days.${value}`) }))}
      />
      <Days span={span} today={today} choose={(from, to) => set({ days: undefined, from, to })} />
    </div>
  );
}

/** The first and the last day; a phone has no room for two months side by side. */
function Days({
  span,
  today,
  choose,
}: {
  span: Span;
  today: string;
  choose: (from: string, to: string) => void;
}) {
  const { t } = useT();
  const phone = usePhone();
  if (!phone) {
    return (
      <DatePicker.RangePicker
        allowClear={false}
        aria-label={t("charging.days")}
        value={[dayjs(span.from), dayjs(span.to)]}
        maxDate={dayjs(today)}
        onChange={(range) => {
          const [from, to] = range ?? [];
          if (from && to) choose(from.format(DAY), to.format(DAY));
        }}
      />
    );
  }
  return (
    <span className="charging-days">
      <DatePicker
        allowClear={false}
        inputReadOnly
        aria-label={t("charging.first-day")}
        value={dayjs(span.from)}
        maxDate={dayjs(span.to)}
        onChange={(day) => day && choose(day.format(DAY), span.to)}
      />
      –
      <DatePicker
        allowClear={false}
        inputReadOnly
        aria-label={t("charging.last-day")}
        value={dayjs(span.to)}
        minDate={dayjs(span.from)}
        maxDate={dayjs(today)}
        onChange={(day) => day && choose(span.from, day.format(DAY))}
      />
    </span>
  );
}
