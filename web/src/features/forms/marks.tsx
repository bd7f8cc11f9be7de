/** Small things that the pages of forms share: a state, a bar, a share. */
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";

const COLOURS: Record<string, string> = {
  none: "default",
  draft: "processing",
  submitted: "success",
  returned: "volcano",
  replaced: "default",
};

export function StateTag({ state, late }: { state: string; late?: boolean }) {
  const { t } = useT();
  const key = keyOf("fill-state", state);
  return (
    <span className="fill-state">
      <Tag color={COLOURS[state]}>{key ? t(key) : state}</Tag>
      {late && <Tag color="error">{t("fill.late")}</Tag>}
    </span>
  );
}

/** A share as a whole number of hundredths. */
export const percent = (share: number) => `${Math.round(share * 100)}%`;

/** A bar of which a part is filled in by the platform, the rest written by people. */
export function Bar({ asked, filled, most }: { asked: number; filled: number; most: number }) {
  const width = (n: number) => `${most > 0 ? (n / most) * 100 : 0}%`;
  return (
    <span className="fill-bar" aria-hidden="true">
      <span className="fill-bar-asked" style={{ width: width(asked) }} />
      <span className="fill-bar-filled" style={{ width: width(filled) }} />
    </span>
  );
}
