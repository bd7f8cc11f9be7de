/** What the server said no to, in its own words, with what helps; and where to look when it said nothing. */
import { Alert } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ApiError } from "../../lib/api.ts";
import { To } from "./marks.tsx";
import { isOpen } from "./use-key.ts";

export function Refused({ error, look }: { error: unknown; look: string }) {
  const { t } = useT();
  const known = error instanceof ApiError ? error : null;
  const said = known?.in(t.language);
  const isLost = isOpen(error);
  return (
    <Alert
      type={isLost ? "warning" : "error"}
      showIcon
      role="alert"
      title={isLost ? t("charge.lost") : said?.detail}
      description={
        <>
          {isLost && <div>{t("charge.lost-mend")}</div>}
          {isLost && known !== null && known.status > 0 && <div className="quiet">{said?.detail}</div>}
          {!isLost && said?.place && <div className="quiet">{said.place}</div>}
          {said?.mend && <div>{said.mend}</div>}
          {(isLost || known?.status === 409) && <To to={look}>{t("charge.look")}</To>}
        </>
      }
      data-testid="charge-refused"
    />
  );
}
