/** A rule of who is told of what, as a form; before it is kept, it says who would be told. */
import { App, Button, Checkbox, Input, InputNumber, Modal, Select, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { NoticeChannel, NoticePreview } from "../../lib/types.ts";
import { errorText } from "../../ui/states.tsx";
import { SEVERITIES } from "../../ui/tags.tsx";
import { previewRule, putRule, type Target, type WrittenLevel, type WrittenRule } from "./queries.ts";

/** Widest dialog, pixels. */
const WIDTH = 760;
const KINDS = [
  "alert.raised",
  "alert.reached",
  "case.*",
  "case.dispatch",
  "case.overdue",
  "duty.plan-suggested",
  "security.session.refused",
];
const TARGETS = ["role:duty", "affected", "responsible", "assignee"];

const LEVEL: WrittenLevel = {
  to: [{ kind: "role", id: "duty" }],
  channels: ["page"],
  channel_minutes: 0,
  answer_minutes: 0,
};
const RULE: WrittenRule = {
  id: "",
  title_zh: "",
  title_en: "",
  enabled: true,
  on: ["alert.raised"],
  severity_min: "major",
  entity_types: [],
  alert_rules: [],
  divisions: [],
  levels: [LEVEL],
  quiet: null,
  expire_minutes: 0,
};

/** `role:duty`, `person:12`, `assignee`: as people type whom they mean. */
export function targetText({ kind, id }: Target): string {
  return id === undefined ? kind : `${kind}:${id}`;
}

export function targetOf(text: string): Target {
  const at = text.indexOf(":");
  if (at < 0) return { kind: text.trim() };
  const kind = text.slice(0, at).trim();
  const id = text.slice(at + 1).trim();
  return { kind, id: kind === "person" ? Number(id) : id };
}

export function RuleDialog({
  rule: given,
  channels,
  onClose,
}: {
  rule: WrittenRule | null;
  channels: NoticeChannel[];
  onClose: (changed: boolean) => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const [rule, setRule] = useState<WrittenRule>({ ...RULE, ...given });
  const [preview, setPreview] = useState<NoticePreview | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<WrittenRule>) => {
    setRule({ ...rule, ...change });
    setPreview(null);
  };
  const setLevel = (n: number, change: Partial<WrittenLevel>) =>
    set({ levels: rule.levels.map((level, at) => (at === n ? { ...level, ...change } : level)) });
  const ask = async (perform: () => Promise<void>) => {
    setBusy(true);
    try {
      await perform();
    } catch (error) {
      message.error(errorText(error, t), 8);
    } finally {
      setBusy(false);
    }
  };
  const words = (value: string[], change: (words: string[]) => void, label: string, offered: string[]) => (
    <Select
      mode="tags"
      value={value}
      onChange={change}
      aria-label={label}
      placeholder={label}
      options={offered.map((word) => ({ value: word, label: word }))}
    />
  );
  return (
    <Modal
      open
      width={WIDTH}
      title={t(given ? "notice-rule.edit" : "notice-rule.add")}
      okText={t("notice-rule.keep")}
      confirmLoading={busy}
      onCancel={() => onClose(false)}
      onOk={() =>
        void ask(async () => {
          await putRule(rule);
          onClose(true);
        })
      }
    >
      <div className="stack">
        <div className="notice-row">
          <Input
            value={rule.id}
            disabled={given !== null}
            placeholder={t("notice-rule.id")}
            aria-label={t("notice-rule.id")}
            onChange={(e) => set({ id: e.target.value })}
          />
          <Input
            value={rule.title_zh}
            placeholder={t("notice-rule.title-zh")}
            aria-label={t("notice-rule.title-zh")}
            onChange={(e) => set({ title_zh: e.target.value })}
          />
          <Input
            value={rule.title_en}
            placeholder={t("notice-rule.title-en")}
            aria-label={t("notice-rule.title-en")}
            onChange={(e) => set({ title_en: e.target.value })}
          />
        </div>
        <div className="notice-row">
          {words(rule.on, (on) => set({ on }), t("notice-rule.on"), KINDS)}
          <Select
            value={rule.severity_min || undefined}
            allowClear
            placeholder={t("notice-rule.severity")}
            aria-label={t("notice-rule.severity")}
            onChange={(severity) => set({ severity_min: severity ?? "" })}
            options={SEVERITIES.map((s) => ({ value: s, label: t(`severity.${s}`) }))}
          />
        </div>
        <div className="notice-row">
          {words(rule.entity_types, (entity_types) => set({ entity_types }), t("notice-rule.types"), [])}
          {words(rule.divisions, (divisions) => set({ divisions }), t("notice-rule.divisions"), [])}
          {words(rule.alert_rules, (alert_rules) => set({ alert_rules }), t("notice-rule.rules"), [])}
        </div>
        <div className="notice-row">
          <Input
            type="time"
            value={rule.quiet?.from ?? ""}
            aria-label={t("contact.quiet-from")}
            onChange={(e) => set({ quiet: quietOf(e.target.value, rule.quiet?.until ?? "") })}
          />
          <Input
            type="time"
            value={rule.quiet?.until ?? ""}
            aria-label={t("contact.quiet-until")}
            onChange={(e) => set({ quiet: quietOf(rule.quiet?.from ?? "", e.target.value) })}
          />
          <Checkbox checked={rule.enabled} onChange={(e) => set({ enabled: e.target.checked })}>
            {t("notice-rule.enabled")}
          </Checkbox>
        </div>
        {rule.levels.map((level, n) => (
          <fieldset className="notice-level" key={n}>
            <legend>{t("notice-rule.level", { n: n + 1 })}</legend>
            {words(
              level.to.map(targetText),
              (to) => setLevel(n, { to: to.map(targetOf) }),
              t("notice-rule.to"),
              TARGETS,
            )}
            <Select
              mode="multiple"
              value={level.channels}
              aria-label={t("notice-rule.channels")}
              placeholder={t("notice-rule.channels")}
              onChange={(chosen) => setLevel(n, { channels: chosen })}
              options={channels.map((c) => ({ value: c.id, label: p(c.title_zh, c.title_en) }))}
            />
            <div className="notice-row">
              <InputNumber
                min={0}
                value={level.channel_minutes}
                prefix={t("notice-rule.channel-minutes")}
                aria-label={t("notice-rule.channel-minutes")}
                onChange={(minutes) => setLevel(n, { channel_minutes: minutes ?? 0 })}
              />
              <InputNumber
                min={0}
                value={level.answer_minutes}
                prefix={t("notice-rule.answer-minutes")}
                aria-label={t("notice-rule.answer-minutes")}
                onChange={(minutes) => setLevel(n, { answer_minutes: minutes ?? 0 })}
              />
            </div>
          </fieldset>
        ))}
        <div className="toolbar">
          <Button onClick={() => set({ levels: [...rule.levels, LEVEL] })}>
            {t("notice-rule.add-level")}
          </Button>
          {rule.levels.length > 1 && (
            <Button onClick={() => set({ levels: rule.levels.slice(0, -1) })}>
              {t("notice-rule.remove-level")}
            </Button>
          )}
          <Button
            data-testid="notice-preview"
            onClick={() => void ask(async () => setPreview(await previewRule(rule)))}
          >
            {t("notice-rule.preview")}
          </Button>
        </div>
        {preview && <Preview preview={preview} />}
      </div>
    </Modal>
  );
}

function quietOf(from: string, until: string) {
  return from || until ? { from, until } : null;
}

function Preview({ preview }: { preview: NoticePreview }) {
  const { t, p } = useT();
  const event = p(preview.event_zh, preview.event_en);
  return (
    <section aria-label={t("notice-rule.preview")}>
      {event && (
        <p>
          {t("notice-rule.preview-event", { event })}{" "}
          {!preview.matches && <Tag color="orange">{t("notice-rule.preview-no-match")}</Tag>}
        </p>
      )}
      {preview.levels.map((level, n) => (
        <div key={n}>
          <strong>{t("notice-rule.level", { n: n + 1 })}</strong>{" "}
          {level.people.length === 0 && <span className="quiet">{t("notice-rule.preview-nobody")}</span>}
          {level.people.map((person, at) => (
            <Tag key={at} color={person.sees ? undefined : "error"}>
              {person.name}
              {!person.sees && ` · ${t("notice-rule.preview-blind")}`}
              {person.sees && !person.has_email && !person.has_phone && ` · ${t("notice-rule.preview-page")}`}
            </Tag>
          ))}
        </div>
      ))}
    </section>
  );
}
