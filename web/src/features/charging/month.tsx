/** The month of which money is told, kept in the address; the month before this one when none is: that is the one to be settled. */
import { DatePicker } from "antd";
import dayjs from "dayjs";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { dayOf } from "./say.ts";

const MONTH = "YYYY-MM";

/** The month that an address asks for. */
export function monthOf(text: string | null, now: number): string {
  if (text && /^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  return dayjs(dayOf(now)).subtract(1, "month").format(MONTH);
}

export function useMonth(): string {
  const [parameters] = useAddress();
  return monthOf(parameters.get("month"), Date.now());
}

export function ChosenMonth({ month }: { month: string }) {
  const { t } = useT();
  const [, set] = useAddress();
  return (
    <DatePicker
      picker="month"
      allowClear={false}
      aria-label={t("settlement.month")}
      value={dayjs(month)}
      maxDate={dayjs(dayOf(Date.now()))}
      onChange={(value) => value && set({ month: value.format(MONTH) })}
    />
  );
}
