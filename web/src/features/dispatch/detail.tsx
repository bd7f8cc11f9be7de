/** One command: what it says, why, every step with who and when, and what this person may say to it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Input, Timeline } from "antd";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { valueText } from "../../lib/format.ts";
import type { CommandDetail } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { type CommandContext, commandActions } from "./actions.tsx";
import { Interlocks, nameOf, Order, StateTag, Why } from "./marks.tsx";
import { commandQuery, judgedQuery } from "./queries.ts";

const NOTE_CHARS_MAX = 500;
/** Who takes the steps that no person takes. */
const PLATFORM = "commands";

/** How the gates or switches stand by the device's answer; null where it says nothing of them. */
export function answeredOf(answer: unknown): string | null {
  const body = (answer as { body?: { gates?: unknown; switches?: unknown } } | null)?.body;
  const stand = body?.gates ?? body?.switches;
  return Array.isArray(stand) ? valueText(stand) : null;
}

export function One({ id }: { id: number }) {
  const query = useQuery(commandQuery(id));
  return <Loaded query={query}>{(command) => <Detail command={command} />}</Loaded>;
}

/** What the interlocks say of it now: whoever decides should not have to find out by sending it. */
function Judged({ command }: { command: CommandDetail }) {
  const { t } = useT();
  const judged = useQuery(judgedQuery(command.entity_id, command.command, String(command.value))).data;
  if (!judged || judged.interlocks.length === 0) return null;
  return (
    <>
      <h3>{t("dispatch.interlocks-now")}</h3>
      <Interlocks interlocks={judged.interlocks} />
    </>
  );
}

function Detail({ command }: { command: CommandDetail }) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const [note, setNote] = useState("");
  const context: CommandContext = {
    command,
    note,
    done: (next) => {
      setNote("");
      queryClient.setQueryData(commandQuery(command.id).queryKey, next);
      void queryClient.invalidateQueries({ queryKey: ["commands"] });
    },
  };
  const answered = answeredOf(command.answer);
  const row = (title: string, value: ReactNode) => (
    <div style={{ display: "contents" }}>
      <dt>{title}</dt>
      <dd style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{value}</dd>
    </div>
  );
  const stepWord = (step: string) => {
    const key = keyOf("dispatch-step", step);
    return key ? t(key) : step;
  };
  return (
    <>
      <h2 className="dispatch-title">
        <Order command={command} /> <StateTag state={command.state} />
      </h2>
      <dl className="problem">
        {row(
          t("dispatch.thing"),
          <Link to={`/entities/${encodeURIComponent(command.entity_id)}`}>{nameOf(command)}</Link>,
        )}
        {row(t("dispatch.reason"), command.reason)}
        {row(t("dispatch.asked-by"), command.asked_by)}
        {row(t("dispatch.asked-at"), <Time at={command.asked_at} />)}
        {command.state === "asked" && row(t("dispatch.expires-at"), <Time at={command.expires_at} />)}
        {command.decided_by && row(t("dispatch.decided-by"), command.decided_by)}
        {answered !== null && row(t("dispatch.answered"), answered)}
      </dl>
      {command.why.length > 0 && (
        <Alert
          type="error"
          showIcon
          className="dispatch-told"
          title={t("dispatch.why")}
          description={<Why why={command.why} />}
        />
      )}
      <h3>{t("dispatch.steps")}</h3>
      <Timeline
        items={command.steps.map((step, n) => ({
          key: n,
          content: (
            <>
              <strong>{stepWord(step.step)}</strong> ·{" "}
              {step.by === PLATFORM ? t("dispatch.platform") : step.by} · <Time at={step.at} />
              {step.note && <div style={{ overflowWrap: "anywhere" }}>{step.note}</div>}
            </>
          ),
        }))}
      />
      {command.state === "asked" && command.may_withdraw && !command.may_decide && (
        <Alert type="info" showIcon className="dispatch-told" title={t("dispatch.own-hint")} />
      )}
      {command.state === "asked" && <Judged command={command} />}
      {command.may_decide && (
        <>
          <p className="quiet">{t("dispatch.decide-hint")}</p>
          <Input.TextArea
            rows={2}
            value={note}
            maxLength={NOTE_CHARS_MAX}
            aria-label={t("dispatch.note")}
            placeholder={t("dispatch.note-hint")}
            style={{ marginBottom: 16 }}
            onChange={(event) => setNote(event.target.value)}
          />
        </>
      )}
      <div className="toolbar">
        <ActionBar actions={commandActions} context={context} />
      </div>
    </>
  );
}
