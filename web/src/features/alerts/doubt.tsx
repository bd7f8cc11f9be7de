/** The doubt that arose about an alert after it was raised: what is doubted, and since when. */
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { AlertDoubt } from "../../lib/types.ts";
import { Time } from "../../ui/tags.tsx";

/** Of most alerts nothing is shown. */
export function Doubt({ doubt }: { doubt: AlertDoubt | null }) {
  const { t, p } = useT();
  if (!doubt) return null;
  return (
    <span data-testid="alert-doubt">
      <Tag color="warning">{t("alert.doubt")}</Tag>
      {p(doubt.zh, doubt.en)}{" "}
      <span className="quiet">
        {t("alert.doubt-since")} <Time at={doubt.since} />
      </span>
    </span>
  );
}
