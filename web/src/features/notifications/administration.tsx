/** For who administers it: who is told of what, whether the channels work, and what could not be sent. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Segmented, Table, Tag } from "antd";
import { useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import type { NoticeRule } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Failed, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { messageActions, ruleActions, rulesActions } from "./actions.tsx";
import { messagesQuery, removeRule, rulesQuery, type WrittenRule } from "./queries.ts";
import { RuleDialog } from "./rule-dialog.tsx";

export function NoticeAdministration() {
  const { t, p } = useT();
  const { message, modal } = App.useApp();
  const queryClient = useQueryClient();
  const rules = useQuery(rulesQuery);
  const [editing, setEditing] = useState<WrittenRule | "new" | null>(null);
  const fresh = () => void queryClient.invalidateQueries({ queryKey: rulesQuery.queryKey });
  if (rules.error) return <Failed error={rules.error} retry={() => void rules.refetch()} />;
  if (!rules.data) return <Loading tall />;
  const { items, channels } = rules.data;
  const written = (rule: NoticeRule) => rule.rule as unknown as WrittenRule;
  const remove = (rule: NoticeRule) =>
    modal.confirm({
      title: t("notice-rule.remove-confirm", { name: p(written(rule).title_zh, written(rule).title_en) }),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await removeRule(rule.id);
          fresh();
        } catch (error) {
          message.error(errorText(error, t));
        }
      },
    });
  return (
    <>
      <h2>{t("notice-channel.title")}</h2>
      <ul className="notice-channels">
        {channels.map((channel) => (
          <li key={channel.id} data-testid="notice-channel">
            <strong>{p(channel.title_zh, channel.title_en)}</strong> <code>{channel.id}</code>
            <div className="quiet">
              {t("notice-channel.counts", { sent: channel.sent, waiting: channel.waiting })}
            </div>
            {channel.failed > 0 && (
              <Tag color="error">{t("notice-channel.failed", { n: channel.failed })}</Tag>
            )}
          </li>
        ))}
      </ul>
      <div className="page-head">
        <h2>{t("notice-rule.title")}</h2>
        <ActionBar actions={rulesActions} context={{ add: () => setEditing("new") }} />
      </div>
      {items.length === 0 ? (
        <Nothing title={t("notice-rule.none")} mend={t("notice-rule.none-text")} />
      ) : (
        <Table
          size="small"
          rowKey="id"
          dataSource={items}
          pagination={false}
          scroll={{ x: 640 }}
          columns={[
            {
              title: t("notice-rule.name"),
              render: (_, rule) => (
                <>
                  {p(written(rule).title_zh, written(rule).title_en)}{" "}
                  {!written(rule).enabled && <Tag>{t("notice-rule.off")}</Tag>}
                </>
              ),
            },
            { title: t("notice-rule.on"), render: (_, rule) => written(rule).on.join(" · ") },
            {
              title: t("notice-rule.levels"),
              render: (_, rule) =>
                written(rule)
                  .levels.map((l) => l.channels.join("、"))
                  .join(" → "),
            },
            {
              title: "",
              render: (_, rule) => (
                <ActionBar
                  actions={ruleActions}
                  context={{ rule, edit: () => setEditing(written(rule)), remove }}
                  size="small"
                />
              ),
            },
          ]}
        />
      )}
      <Outbox />
      {editing && (
        <RuleDialog
          rule={editing === "new" ? null : editing}
          channels={channels}
          onClose={(changed) => {
            setEditing(null);
            if (changed) fresh();
          }}
        />
      )}
    </>
  );
}

const STATES = ["failed", "queued", "all"] as const;

function Outbox() {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const [state, setState] = useState<(typeof STATES)[number]>("failed");
  const list = useInfiniteQuery(messagesQuery(state === "all" ? null : state));
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const failure = useFailure(list);
  const stateOf = (word: string) => {
    const key = keyOf("notice-state", word);
    return key ? t(key) : word;
  };
  return (
    <>
      <div className="page-head">
        <h2>{t("notice-message.title")}</h2>
        <Segmented
          value={state}
          onChange={setState}
          aria-label={t("word.state")}
          options={STATES.map((s) => ({ value: s, label: s === "all" ? t("list.all") : stateOf(s) }))}
        />
      </div>
      {failure}
      {list.data && items.length === 0 && <Nothing title={t("notice-message.none")} />}
      {items.length > 0 && (
        <Table
          size="small"
          rowKey="id"
          dataSource={items}
          pagination={false}
          scroll={{ x: 760 }}
          columns={[
            {
              title: t("notice-message.what"),
              render: (_, m) =>
                m.title_zh === null ? t("notice-message.hidden") : p(m.title_zh, m.title_en ?? ""),
            },
            { title: t("notice-message.channel"), dataIndex: "channel" },
            { title: t("notice-message.person"), render: (_, m) => m.person ?? "—" },
            {
              title: t("word.state"),
              render: (_, m) => (
                <>
                  {stateOf(m.state)}
                  {m.attempts > 1 && ` · ${t("notice-message.attempts", { n: m.attempts })}`}
                  {m.error && <div className="quiet">{m.error}</div>}
                </>
              ),
            },
            { title: t("notice-message.created"), render: (_, m) => <Time at={m.created_at} /> },
            {
              title: "",
              render: (_, message) => (
                <ActionBar
                  actions={messageActions}
                  context={{
                    message,
                    done: () => void queryClient.invalidateQueries({ queryKey: ["notice-messages"] }),
                  }}
                  size="small"
                />
              ),
            },
          ]}
        />
      )}
      <More list={list} />
    </>
  );
}
