/** Approvals: what somebody asked for that one person may not do alone, shown exactly, and decided on by another. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Drawer, Input, Segmented, Tag } from "antd";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { Approval } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, CopyButton, Time } from "../../ui/tags.tsx";
import { type ApprovalContext, approvalActions } from "./actions.tsx";
import { approvalQuery, approvalsQuery, WHICH, type Which } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 620;
const NOTE_CHARS_MAX = 500;

const COLOURS: Record<string, string> = {
  pending: "gold",
  approved: "processing",
  done: "success",
  failed: "error",
  refused: "volcano",
};

export function Page() {
  const { t, p } = useT();
  const user = useUser();
  const [parameters, setParameters] = useSearchParams();
  const mayDecide = can(user, "approval.decide");
  const offered = WHICH.filter((which) => which === "mine" || mayDecide);
  const asked = parameters.get("which");
  const which: Which = offered.find((one) => one === asked) ?? (mayDecide ? "decide" : "mine");
  const opened = Number(parameters.get("id")) || null;
  const go = (next: Which, id?: number) =>
    setParameters(id === undefined ? { which: next } : { which: next, id: String(id) }, { replace: true });
  const list = useInfiniteQuery(approvalsQuery(which));
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const failure = useFailure(list);
  const titleOf = (one: Approval) => p(one.title_zh, one.title_en) || one.act;
  const rows = () => {
    if (failure) return failure;
    if (!list.data) return <Loading tall />;
    if (items.length === 0) return <Nothing title={t(`approval.none-${which}`)} />;
    return (
      <ul className="card-list">
        {items.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              className="item-card"
              data-testid="approval-row"
              onClick={() => go(which, one.id)}
            >
              <strong>
                {titleOf(one)} <Status status={one.status} />
              </strong>
              <span className="ellipsis">
                <code>{one.target}</code>
              </span>
              <span className="quiet">
                {t("approval.by", { name: one.asked_by_name })} · <Age at={one.asked_at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    );
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("approval.title")}</h1>
        <span className="quiet">{t("approval.about")}</span>
      </header>
      {offered.length > 1 && (
        <Segmented<Which>
          value={which}
          onChange={(next) => go(next)}
          aria-label={t("approval.filter")}
          options={offered.map((value) => ({ value, label: t(`approval.which-${value}`) }))}
        />
      )}
      {rows()}
      <More list={list} />
      <Drawer
        open={opened !== null}
        onClose={() => go(which)}
        size={Math.min(DRAWER_WIDTH, window.innerWidth)}
        title={opened !== null && t("approval.number", { id: opened })}
        destroyOnHidden
      >
        {opened !== null && <One key={opened} id={opened} />}
      </Drawer>
    </div>
  );
}

function Status({ status }: { status: string }) {
  const { t } = useT();
  const key = keyOf("approval-status", status);
  return <Tag color={COLOURS[status]}>{key ? t(key) : status}</Tag>;
}

function One({ id }: { id: number }) {
  const query = useQuery(approvalQuery(id));
  return <Loaded query={query}>{(approval) => <Detail approval={approval} />}</Loaded>;
}

/** A value as people read it: text as it is, lists line by line, the rest as JSON. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return "—";
  if (typeof value === "string") return value || "—";
  if (Array.isArray(value)) return value.map(textOf).join("\n");
  return JSON.stringify(value, null, 2);
}

/** What exactly is asked, by whom and why, and what this person may say to it. */
function Detail({ approval }: { approval: Approval }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const [note, setNote] = useState("");
  const [told, setTold] = useState<unknown>(null);
  const context: ApprovalContext = {
    approval,
    note,
    done: (next, said) => {
      setTold(said);
      if (next) queryClient.setQueryData(approvalQuery(approval.id).queryKey, next);
      void queryClient.invalidateQueries({ queryKey: ["approvals"] });
    },
  };
  const word = (prefix: string, value: string) => {
    const key = keyOf(prefix, value);
    return key ? t(key) : value;
  };
  const row = (title: string, value: React.ReactNode) => (
    <div key={title} style={{ display: "contents" }}>
      <dt>{title}</dt>
      <dd style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{value}</dd>
    </div>
  );
  const body = approval.body;
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const content = isObject ? Object.entries(body as Record<string, unknown>) : [["", body] as const];
  const part = (told as { password_part?: string } | null)?.password_part;
  return (
    <>
      <h2>{p(approval.title_zh, approval.title_en) || approval.act}</h2>
      <dl className="problem">
        {row(t("word.state"), <Status status={approval.status} />)}
        {row(t("approval.target"), <code>{approval.target}</code>)}
        {row(t("approval.asker"), approval.asked_by_name)}
        {row(t("approval.reason"), approval.reason || t("approval.no-reason"))}
        {row(t("approval.asked-at"), <Time at={approval.asked_at} />)}
        {row(t("approval.expires-at"), <Time at={approval.expires_at} />)}
        {row(t("approval.deciders"), approval.decides.map((role) => word("role", role)).join("、"))}
      </dl>
      <h3>{t("approval.content")}</h3>
      <dl className="problem" data-testid="approval-content">
        {content.map(([name, value]) =>
          row(
            word("approval-field", name),
            name === "role" || name === "role_now" ? (
              word("role", textOf(value))
            ) : (
              <code>{textOf(value)}</code>
            ),
          ),
        )}
        {row(
          t("approval.digest"),
          <>
            <code>{approval.digest}</code>{" "}
            <CopyButton text={approval.digest} label={t("approval.digest-copy")} />
          </>,
        )}
      </dl>
      {approval.decided_at && (
        <dl className="problem">
          {approval.decided_by_name && row(t("approval.decider"), approval.decided_by_name)}
          {row(t("approval.decided-at"), <Time at={approval.decided_at} />)}
          {approval.note && row(t("approval.note"), approval.note)}
          {approval.outcome && row(t("approval.outcome"), approval.outcome)}
        </dl>
      )}
      {part !== undefined && (
        <Alert
          type="success"
          showIcon
          data-testid="approval-part"
          title={t("approval.part")}
          description={
            <>
              <code>{part}</code> <CopyButton text={part} label={t("approval.part-copy")} />
            </>
          }
        />
      )}
      {approval.can_decide && (
        <Input.TextArea
          rows={2}
          value={note}
          maxLength={NOTE_CHARS_MAX}
          aria-label={t("approval.note")}
          placeholder={t("approval.note-hint")}
          style={{ marginBlock: 16 }}
          onChange={(event) => setNote(event.target.value)}
        />
      )}
      <div className="toolbar">
        <ActionBar actions={approvalActions} context={context} />
      </div>
    </>
  );
}
