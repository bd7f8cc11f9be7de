/** A case that is also a request of another Open311 endpoint: how it stands there, and what a person decides where the platform cannot. */
import { CheckOutlined, RedoOutlined, StopOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Card, Form, Input, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { type Action, ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import type { CaseDetail, CaseOpen311Decide, CaseOpen311Link, CaseStep } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { decideOnLink, linksQuery } from "./queries.ts";

const COLOURS: Record<string, string> = {
  held: "red",
  refused: "red",
  unsure: "gold",
  closed: "green",
  done: "default",
  dropped: "default",
};

interface LinkContext {
  link: CaseOpen311Link;
  /** Asks first, then decides. */
  confirm: (act: "send" | "drop") => void;
  /** Asks for the id that it has there. */
  askId: () => void;
}

const decision = (act: CaseOpen311Decide["act"]) => ({
  name: `link.${act}`,
  title: `link.${act}` as const,
  permission: "case.dispatch",
  predicate: ({ link }: LinkContext) => link.decisions.includes(act),
});

const linkActions: Action<LinkContext>[] = [
  { ...decision("found"), icon: <CheckOutlined />, perform: ({ askId }) => askId() },
  { ...decision("send"), icon: <RedoOutlined />, danger: true, perform: ({ confirm }) => confirm("send") },
  { ...decision("drop"), icon: <StopOutlined />, danger: true, perform: ({ confirm }) => confirm("drop") },
];

/** The other platforms that have this case; nothing is shown of most cases, which none has. */
export function OtherPlatforms({ item }: { item: CaseDetail }) {
  const { t } = useT();
  const found = useQuery(linksQuery(item.id));
  if (!found.data || found.data.items.length === 0) return null;
  return (
    <Card size="small" title={t("link.title")}>
      <ul className="card-list">
        {found.data.items.map((link) => (
          <li key={link.id}>
            <OtherPlatform item={item} link={link} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function OtherPlatform({ item, link }: { item: CaseDetail; link: CaseOpen311Link }) {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const decide = async (decided: CaseOpen311Decide) => {
    const links = await decideOnLink(item.id, link.id, decided);
    queryClient.setQueryData(linksQuery(item.id).queryKey, links);
    message.success(t("link.decided"));
  };
  const context: LinkContext = {
    link,
    confirm: (act) => modal.confirm({ title: t(`link.${act}-confirm`), onOk: () => decide({ act }) }),
    askId: () => setAsking(true),
  };
  const word = keyOf("link-state", link.state);
  const facts = [
    link.remote_id && t("link.remote-id", { id: link.remote_id }),
    link.asked_at && t("link.asked", { time: time(link.asked_at) }),
    link.attempts > 1 && t("link.attempts", { count: link.attempts }),
  ].filter(Boolean);
  const isUntold = link.way === "from" && item.closed_at !== null && link.remote_status === "open";
  return (
    <div className="item-card">
      <span className="item-card-head">
        <Tag color={COLOURS[link.state] ?? "blue"}>{word ? t(word) : link.state}</Tag>
        <strong>{t(link.way === "to" ? "link.to" : "link.from", { peer: link.peer })}</strong>
      </span>
      {facts.length > 0 && <span className="quiet">{facts.join(" · ")}</span>}
      {link.remote_notes && <p className="prose">{link.remote_notes}</p>}
      {link.problem && <p className="prose quiet">{link.problem}</p>}
      {isUntold && <p className="prose">{t("link.not-told")}</p>}
      {link.decisions.length > 0 && (
        <div className="toolbar">
          <ActionBar actions={linkActions} context={context} size="small" />
        </div>
      )}
      {asking && <IdDialog decide={decide} onClose={() => setAsking(false)} />}
    </div>
  );
}

function IdDialog({
  decide,
  onClose,
}: {
  decide: (decided: CaseOpen311Decide) => Promise<void>;
  onClose: () => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ id: string }>();
  return (
    <FormDialog
      form={form}
      title={t("link.found")}
      okText={t("link.found")}
      submitId="link-found-submit"
      onClose={onClose}
      perform={async ({ id }) => {
        await decide({ act: "found", remote_id: id.trim() });
        onClose();
      }}
    >
      <Form.Item
        name="id"
        label={t("link.id-wanted")}
        rules={[{ required: true, whitespace: true, message: t("link.id-missing") }]}
      >
        <Input maxLength={200} autoFocus />
      </Form.Item>
    </FormDialog>
  );
}

/** The step that what another platform did suggests. */
export function Suggested({ step }: { step: CaseStep }) {
  const { t } = useT();
  const { suggest } = (step.detail ?? {}) as { suggest?: string };
  if (!suggest) return null;
  const word = keyOf("case-action", suggest);
  return <Tag color="gold">{t("link.suggested", { action: word ? t(word) : suggest })}</Tag>;
}
