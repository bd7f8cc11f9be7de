/** What became of what was handed over: always visible until the worker has seen it, never only a passing message. */
import { Alert, App, Button } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { time } from "../../lib/format.ts";
import { CaseStateTag, useNow } from "../../ui/tags.tsx";
import { EnclosureList } from "./enclosures.tsx";
import type { Answer, Outbox, Step } from "./outbox.ts";

export function Steps({ steps, outbox, named }: { steps: Step[]; outbox: Outbox; named?: boolean }) {
  if (steps.length === 0) return null;
  return (
    <ul className="plain-list task-steps">
      {steps.map((step) => (
        <li key={step.requestId} data-step={step.action} data-answer={step.answer?.kind ?? "none"}>
          {named && (
            <strong>
              {step.title} <span className="quiet">{step.number}</span>
            </strong>
          )}
          <StepView step={step} outbox={outbox} />
        </li>
      ))}
    </ul>
  );
}

function StepView({ step, outbox }: { step: Step; outbox: Outbox }) {
  const { t } = useT();
  const now = useNow(1_000);
  const state = outbox.state(step);
  const word = keyOf("case-action", step.action);
  const what = `${word ? t(word) : step.action} · ${time(step.doneAt)}`;
  if (state.kind === "sending") {
    return (
      <p className="task-state" role="status">
        {what} · {t("field.sending")}
      </p>
    );
  }
  if (state.kind === "queued") {
    return (
      <p className="task-state quiet">
        {what} · {t("field.behind")}
      </p>
    );
  }
  if (state.kind === "held") {
    return (
      <Alert type="warning" banner title={`${what} · ${t("field.queued")}`} description={t("field.held")} />
    );
  }
  if (state.kind === "waiting") {
    const seconds = Math.max(0, Math.ceil((state.nextAt - now) / 1_000));
    return (
      <Alert
        type="warning"
        banner
        title={`${what} · ${t("field.queued")}`}
        description={t("field.waiting", { seconds, n: state.attempts + 1 })}
        action={
          <Button size="small" onClick={() => outbox.retryNow()}>
            {t("field.retry")}
          </Button>
        }
      />
    );
  }
  return state.answer.kind === "done" ? (
    <Done step={step} answer={state.answer} what={what} outbox={outbox} />
  ) : (
    <Refused step={step} answer={state.answer} what={what} outbox={outbox} />
  );
}

interface Answered {
  step: Step;
  answer: Answer;
  what: string;
  outbox: Outbox;
}

function Done({ step, answer, what, outbox }: Answered) {
  const { t } = useT();
  return (
    <Alert
      type="success"
      banner
      title={`${what} · ${t("field.arrived", { time: time(answer.at) })}`}
      description={<StandsNow answer={answer} />}
      action={
        <Button size="small" onClick={() => void outbox.seen(step.requestId)} data-testid="field-seen">
          {t("field.seen")}
        </Button>
      }
    />
  );
}

function Refused({ step, answer, what, outbox }: Answered) {
  const { t } = useT();
  const { modal } = App.useApp();
  const said = (t.language === "zh" && answer.chinese) || answer.said;
  const reason = [said?.detail, said?.mend].filter(Boolean).join(" ");
  const remark = () => {
    const word = keyOf("case-action", step.action);
    const begin = t("field.remark-begin", {
      action: word ? t(word) : step.action,
      time: time(step.doneAt),
    });
    return outbox.remark(step.requestId, [begin, step.note].filter(Boolean).join("\n"));
  };
  const discard = () =>
    modal.confirm({
      title: t("field.discard-sure"),
      okText: t("field.discard"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: () => outbox.seen(step.requestId),
    });
  const holds = step.note.trim() !== "" || step.enclosures.length > 0;
  return (
    <Alert
      type="error"
      banner
      title={`${what} · ${t("field.not-done")}`}
      description={
        <div className="task-refused">
          <span>{answer.now ? reason : t("field.gone")}</span>
          <StandsNow answer={answer} />
          {step.note && <p className="prose">{step.note}</p>}
          <EnclosureList enclosures={step.enclosures} saves />
          <div className="field-row">
            {answer.now?.takesRemarks && holds && (
              <Button size="small" type="primary" onClick={() => void remark()} data-testid="field-remark">
                {t("field.hand-in")}
              </Button>
            )}
            {answer.now && !answer.now.closedAt && (
              <Button size="small" onClick={() => void outbox.takeBack(step.requestId)}>
                {t("field.mend")}
              </Button>
            )}
            {holds ? (
              <Button size="small" danger onClick={discard}>
                {t("field.discard")}
              </Button>
            ) : (
              <Button size="small" onClick={() => void outbox.seen(step.requestId)} data-testid="field-seen">
                {t("field.seen")}
              </Button>
            )}
          </div>
        </div>
      }
    />
  );
}

/** How the case stands, who has it, and who did what last. */
function StandsNow({ answer }: { answer: Answer }) {
  const { t, p } = useT();
  const { now } = answer;
  if (!now) return <span>{answer.kind === "done" ? t("field.gone-since") : null}</span>;
  const word = now.last && keyOf("case-action", now.last.action);
  return (
    <span className="field-now">
      <CaseStateTag state={now.state} />{" "}
      {[now.organisation && p(now.organisation.zh, now.organisation.en), now.assignee]
        .filter(Boolean)
        .join(" · ")}
      {now.last && (
        <span className="quiet">
          {" "}
          {t("field.last-step", {
            actor: now.last.actor === "system" ? t("case.platform") : now.last.actor,
            action: word ? t(word) : now.last.action,
            time: time(now.last.at),
          })}
        </span>
      )}
    </span>
  );
}
