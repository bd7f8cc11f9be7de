/** The dialogs of duty: shifts, turns, hand-over, signature, plans, contacts. Each sends, says so, and asks anew. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Checkbox, DatePicker, Form, Input, Radio, Select, TimePicker } from "antd";
import type { Dayjs } from "dayjs";
import type { ReactNode } from "react";
import { useT } from "../../i18n/index.tsx";
import type { DutyPattern } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import type { Dialog } from "./actions.tsx";
import {
  addContact,
  addTurns,
  endPlan,
  handOver,
  peopleQuery,
  plansQuery,
  putPattern,
  ROOM,
  removeTurn,
  signHandOver,
  startPlan,
  swapTurn,
  tickStep,
} from "./queries.ts";
import { turnsOf } from "./rotation.ts";

const DAY = "YYYY-MM-DD";
const CLOCK = "HH:mm";
const TEXT_CHARS_MAX = 200;
const NOTES_CHARS_MAX = 5000;

interface Entered {
  title_zh: string;
  title_en: string;
  from: Dayjs;
  until: Dayjs;
  pattern_id: number;
  days: [Dayjs, Dayjs];
  day: Dayjs;
  post: string;
  user_id: number;
  user_ids: number[];
  reason: string;
  notes: string;
  remark: string;
  plan: string;
  drill: boolean;
  open_case: boolean;
  note: string;
  summary: string;
  name: string;
  unit: string;
  title: string;
  phone: string;
}

export interface StartFor {
  alertId: number | null;
  rule: string | null;
}

/** Whichever dialog is open. */
export function DutyDialog({
  dialog,
  organisation,
  patterns,
  startFor,
  onClose,
  started,
}: {
  dialog: Exclude<Dialog, { kind: "import" }>;
  organisation: string;
  patterns: DutyPattern[];
  startFor: StartFor;
  onClose: () => void;
  started: (id: number) => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const wantsPeople = dialog.kind === "turns" || dialog.kind === "swap";
  const people = useQuery({ ...peopleQuery(organisation), enabled: wantsPeople });
  const plans = useQuery({ ...plansQuery, enabled: dialog.kind === "start" });
  const must = [{ required: true, message: t("duty.needed") }];
  const persons = (people.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const shifts = patterns
    .filter((pattern) => pattern.organisation === organisation && !pattern.disabled)
    .map((pattern) => ({
      value: pattern.id,
      label: `${p(pattern.title_zh, pattern.title_en)} ${pattern.from}–${pattern.until}`,
    }));
  const saved = async (said: string = t("duty.saved")) => {
    message.success(said);
    await client.invalidateQueries({ queryKey: ROOM });
    onClose();
  };
  const field = (name: keyof Entered, label: string, input: ReactNode, optional = false) => (
    <Form.Item name={name} label={label} rules={optional ? undefined : must}>
      {input}
    </Form.Item>
  );
  const line = (max = TEXT_CHARS_MAX) => <Input maxLength={max} />;
  const area = (max: number) => <Input.TextArea rows={4} maxLength={max} />;
  const shift = field("pattern_id", t("duty.shift"), <Select options={shifts} />);
  const common = { form, onClose };

  switch (dialog.kind) {
    case "pattern":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.pattern-add")}
          okText={t("duty.pattern-add")}
          submitId="duty-pattern"
          intro={<p className="quiet">{t("duty.over-midnight")}</p>}
          perform={async ({ title_zh, title_en, from, until }) => {
            const times = { from: from.format(CLOCK), until: until.format(CLOCK) };
            await putPattern({ organisation, title_zh, title_en, ...times, disabled: false });
            await saved();
          }}
        >
          {field("title_zh", t("duty.pattern-title-zh"), line())}
          {field("title_en", t("duty.pattern-title-en"), line())}
          {field("from", t("duty.from"), <TimePicker format={CLOCK} />)}
          {field("until", t("duty.until"), <TimePicker format={CLOCK} />)}
        </FormDialog>
      );
    case "turns":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.turns-add")}
          okText={t("duty.turns-add")}
          submitId="duty-turns"
          perform={async ({ pattern_id, days, post, user_ids }) => {
            const [first, last] = days.map((day) => day.format(DAY)) as [string, string];
            const turns = turnsOf(first, last, user_ids, { pattern_id, post });
            const made = await addTurns({ organisation, turns });
            await saved(t("duty.turns-added", { count: made.length }));
          }}
        >
          {shift}
          {field("days", t("duty.days"), <DatePicker.RangePicker />)}
          {field(
            "post",
            t("duty.post"),
            <Input maxLength={TEXT_CHARS_MAX} placeholder={t("duty.post-example")} />,
          )}
          {field(
            "user_ids",
            t("duty.people"),
            <Select mode="multiple" options={persons} optionFilterProp="label" />,
          )}
        </FormDialog>
      );
    case "swap":
      return (
        <FormDialog<Entered>
          {...common}
          title={`${t("duty.turn-swap")}: ${dialog.turn.day} ${dialog.turn.user_name}`}
          okText={t("duty.turn-swap")}
          submitId="duty-swap"
          perform={async ({ user_id, reason }) => {
            await swapTurn(dialog.turn.id, user_id, reason);
            await saved();
          }}
        >
          {field(
            "user_id",
            t("duty.person"),
            <Select options={persons} showSearch optionFilterProp="label" />,
          )}
          {field("reason", t("duty.reason"), line())}
        </FormDialog>
      );
    case "remove":
      return (
        <FormDialog<Entered>
          {...common}
          danger
          title={`${t("duty.turn-remove")}: ${dialog.turn.day} ${dialog.turn.user_name}`}
          okText={t("duty.turn-remove")}
          submitId="duty-remove"
          perform={async ({ reason }) => {
            await removeTurn(dialog.turn.id, reason);
            await saved();
          }}
        >
          {field("reason", t("duty.reason"), line())}
        </FormDialog>
      );
    case "hand-over":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.hand-over")}
          okText={t("duty.hand-over")}
          submitId="duty-hand-over"
          intro={<p className="quiet">{t("duty.hand-over-about")}</p>}
          perform={async ({ pattern_id, day, notes }) => {
            await handOver({ pattern_id, day: day.format(DAY), notes });
            await saved();
          }}
        >
          {shift}
          {field("day", t("duty.day"), <DatePicker />)}
          {field("notes", t("duty.notes"), area(NOTES_CHARS_MAX))}
        </FormDialog>
      );
    case "sign":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.sign")}
          okText={t("duty.sign")}
          submitId="duty-sign"
          intro={<p>{dialog.handOver.notes}</p>}
          perform={async ({ remark }) => {
            await signHandOver(dialog.handOver.id, remark ?? "");
            await saved();
          }}
        >
          {field("remark", t("duty.remark"), area(500), true)}
        </FormDialog>
      );
    case "start": {
      const all = plans.data?.items ?? [];
      const fitting = all.filter((plan) => startFor.rule && plan.alert_rules.includes(startFor.rule));
      const offered = fitting.length > 0 && !dialog.plan ? fitting : all;
      const options = offered.map((plan) => ({
        value: plan.id,
        label: p(plan.title_zh, plan.title_en),
      }));
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.plan-start")}
          okText={t("duty.plan-start")}
          submitId="duty-start"
          initialValues={{ drill: false, open_case: true, plan: dialog.plan }}
          intro={
            <p className="quiet">
              {startFor.alertId !== null && `${t("duty.for-alert", { id: startFor.alertId })} · `}
              {t("duty.drill-about")}
            </p>
          }
          perform={async ({ plan, drill, open_case }) => {
            const of = { plan, organisation, drill, open_case, alert_id: startFor.alertId };
            const made = await startPlan(of);
            await saved();
            started(made.id);
          }}
        >
          {field("plan", t("duty.plan"), <Select loading={plans.isPending} options={options} />)}
          {field(
            "drill",
            t("duty.drill"),
            <Radio.Group
              optionType="button"
              options={[
                { value: false, label: t("duty.in-earnest") },
                { value: true, label: t("duty.drill") },
              ]}
            />,
          )}
          <Form.Item name="open_case" valuePropName="checked">
            <Checkbox>{t("duty.open-case")}</Checkbox>
          </Form.Item>
        </FormDialog>
      );
    }
    case "skip":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.step-skip")}
          okText={t("duty.step-skip")}
          submitId="duty-skip"
          perform={async ({ note }) => {
            await tickStep(dialog.activation.id, dialog.step, true, note);
            await saved();
          }}
        >
          {field("note", t("duty.reason"), area(2000))}
        </FormDialog>
      );
    case "end":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.plan-end")}
          okText={t("duty.plan-end")}
          submitId="duty-end"
          perform={async ({ summary }) => {
            await endPlan(dialog.activation.id, summary);
            await saved();
          }}
        >
          {field("summary", t("duty.summary"), area(2000))}
        </FormDialog>
      );
    case "contact":
      return (
        <FormDialog<Entered>
          {...common}
          title={t("duty.contact-add")}
          okText={t("duty.contact-add")}
          submitId="duty-contact"
          perform={async ({ name, unit, title, phone }) => {
            await addContact({ organisation, name, unit, title: title ?? "", phone });
            await saved();
          }}
        >
          {field("name", t("duty.name"), line())}
          {field("unit", t("duty.unit"), line())}
          {field("title", t("duty.job"), line(), true)}
          {field("phone", t("duty.phone"), <Input type="tel" maxLength={40} />)}
        </FormDialog>
      );
  }
}
