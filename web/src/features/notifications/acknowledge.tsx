/** Where the link out of a message leads when signing in is not needed: one button, so that a scanner of mail takes note of nothing. */
import "./notifications.css";
import { useState } from "react";
import { useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { linkActions } from "./actions.tsx";
import { acknowledge } from "./queries.ts";

export function AcknowledgePage() {
  const { t } = useT();
  const { token = "" } = useParams();
  const [isNew, setIsNew] = useState<boolean | null>(null);
  return (
    <main className="acknowledge">
      <h1>{t("notification.acknowledge-title")}</h1>
      {isNew === null ? (
        <ActionBar
          actions={linkActions}
          context={{ acknowledge: async () => setIsNew((await acknowledge(token)).is_new) }}
        />
      ) : (
        <p role="status">{t(isNew ? "notification.noted" : "notification.noted-before")}</p>
      )}
    </main>
  );
}
