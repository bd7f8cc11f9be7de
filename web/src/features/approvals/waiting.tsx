/** What a page says when something dangerous was asked for and not done: it waits for a second person, and here it is. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input } from "antd";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { askedOf } from "./queries.ts";

/** Longest reason, in characters. */
const REASON_CHARS_MAX = 500;
const SHOWN_S = 8;

/** Tells that an answer was "asked for" and where it waits; answers whether it was. */
export function useTellAsked() {
  const { t, p } = useT();
  const { notification } = App.useApp();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return (answer: unknown): boolean => {
    const approval = askedOf(answer);
    if (!approval) return false;
    void queryClient.invalidateQueries({ queryKey: ["approvals"] });
    const key = `approval-${approval.id}`;
    notification.info({
      key,
      title: t("approval.asked"),
      description: t("approval.asked-text", {
        act: p(approval.title_zh, approval.title_en) || approval.act,
        id: approval.id,
      }),
      duration: SHOWN_S,
      actions: (
        <Button
          size="small"
          data-testid="approval-open"
          onClick={() => {
            notification.destroy(key);
            navigate(`/approvals?which=mine&id=${approval.id}`);
          }}
        >
          {t("word.details")}
        </Button>
      ),
    });
    return true;
  };
}

/** Asks why, for the second person to read. */
export function ReasonField({ onChange }: { onChange: (reason: string) => void }) {
  const { t } = useT();
  return (
    <Input.TextArea
      rows={2}
      maxLength={REASON_CHARS_MAX}
      aria-label={t("approval.reason")}
      placeholder={t("approval.reason-hint")}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
