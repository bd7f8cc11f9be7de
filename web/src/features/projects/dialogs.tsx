/** What is entered of projects: a part of one, a new one, the month, a reminder, an end. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Select } from "antd";
import { useState } from "react";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import type { ProjectChange, ProjectDetail } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { organisationsQuery } from "../cases/queries.ts";
import { planQuery } from "../plan/queries.ts";
import { type Entered, FIELDS, type Field, part, rowsOf, type Section, STAGES } from "./fields.ts";
import { aboutWord } from "./marks.tsx";
import { fenOf, yuanText } from "./money.ts";
import { PhotoSelect } from "./photos.tsx";
import { add, end, projectQuery, remind, report, save } from "./queries.ts";

const TEXT_CHARS_MAX = 1_000;
const NAME_CHARS_MAX = 120;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

interface Opened {
  project: ProjectDetail;
  onClose: () => void;
}

/** Keeps the answer of a change, so that the page shows it at once. */
function useDone(id: string, onClose: () => void) {
  const queryClient = useQueryClient();
  const { message } = App.useApp();
  const { t } = useT();
  return (next: ProjectDetail) => {
    queryClient.setQueryData(projectQuery(id).queryKey, next);
    void queryClient.invalidateQueries({ queryKey: ["projects"] });
    message.success(t("project.saved"));
    onClose();
  };
}

/** Every organisation that takes work, to choose from. */
function UnitSelect(props: {
  id?: string;
  value?: string;
  onChange?: (id: string) => void;
  allowClear?: boolean;
}) {
  const { p } = useT();
  const units = useQuery(organisationsQuery).data?.items ?? [];
  return (
    <Select
      {...props}
      showSearch={{ optionFilterProp: "label" }}
      options={units.map(({ id, name_zh, name_en }) => ({ value: id, label: p(name_zh, name_en) }))}
    />
  );
}

/** The control of a field; the form gives it its value, so it stands right below. */
function controlOf(field: Field, t: Translate) {
  switch (field.kind) {
    case "long":
      return <Input.TextArea rows={2} maxLength={field.charsMax} />;
    case "day":
      return <Input type="date" />;
    case "yuan":
      return <Input inputMode="decimal" suffix={t("project.yuan")} />;
    case "year":
      return <Input inputMode="numeric" maxLength={4} />;
    case "unit":
      return <UnitSelect />;
    case "choice": {
      const { prefix, values } = field.words ?? { prefix: "", values: [] };
      const word = (value: string) => {
        const key = keyOf(prefix, value);
        return key ? t(key) : value;
      };
      return <Select options={values.map((value) => ({ value, label: word(value) }))} />;
    }
    default:
      return <Input maxLength={field.charsMax} />;
  }
}

/** A part that is a list: its rows, each with its fields; rows are added and taken away. */
export function SectionDialog({ project, onClose, section }: Opened & { section: Section }) {
  const { t } = useT();
  const [form] = Form.useForm<{ rows: Entered[] }>();
  const done = useDone(project.item.id, onClose);
  const fields = FIELDS[section];
  useFocusBack();
  const rulesOf = (field: Field) => [
    ...(field.required ? [{ required: true, message: t("project.missing") }] : []),
    ...(field.kind === "yuan"
      ? [
          {
            validator: async (_: unknown, value?: string) => {
              if (value && fenOf(value) === null) throw new Error(t("project.yuan-wrong"));
            },
          },
        ]
      : []),
    ...(field.kind === "year" ? [{ pattern: /^\d{4}$/, message: t("project.year-wrong") }] : []),
    ...(field.kind === "day" ? [{ pattern: DAY, message: t("project.day-wrong") }] : []),
  ];
  return (
    <FormDialog<{ rows: Entered[] }>
      form={form}
      perform={async ({ rows }) =>
        done(await save(project.item.id, part(section, rows ?? [], project.version)))
      }
      onClose={onClose}
      title={t(`project-section.${section}`)}
      okText={t("project.save")}
      submitId="project-save"
      initialValues={{ rows: rowsOf(section, project.kept) }}
    >
      <Form.List name="rows">
        {(rows, { add: more, remove }) => (
          <>
            {rows.map((row, n) => (
              <div key={row.key} className="project-entry" data-testid="project-entry">
                <div className="project-entry-head">
                  <span className="quiet">{t("project.row", { n: n + 1 })}</span>
                  <Button
                    size="small"
                    icon={<DeleteOutlined />}
                    aria-label={t("project.row-remove", { n: n + 1 })}
                    onClick={() => remove(row.name)}
                  />
                </div>
                {fields.map((field) =>
                  field.kind === "yes" ? (
                    <Form.Item key={field.name} name={[row.name, field.name]} valuePropName="checked">
                      <Checkbox>
                        {t(`project-field.${section}-${field.name}` as "project-field.risks-over")}
                      </Checkbox>
                    </Form.Item>
                  ) : (
                    <Form.Item
                      key={field.name}
                      name={[row.name, field.name]}
                      label={t(`project-field.${section}-${field.name}` as "project-field.risks-over")}
                      rules={rulesOf(field)}
                    >
                      {field.kind === "photo" ? (
                        <PhotoSelect project={project.item.id} />
                      ) : (
                        controlOf(field, t)
                      )}
                    </Form.Item>
                  ),
                )}
              </div>
            ))}
            <Button icon={<PlusOutlined />} onClick={() => more({})} data-testid="project-more">
              {t("project.row-add")}
            </Button>
          </>
        )}
      </Form.List>
    </FormDialog>
  );
}

interface ProfileEntered {
  organisation?: string;
  start?: string;
  end?: string;
  total?: string;
  note?: string;
}

/** Who answers for it, from when to when, for how much. */
export function ProfileDialog({ project, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<ProfileEntered>();
  const done = useDone(project.item.id, onClose);
  const { profile } = project.kept;
  useFocusBack();
  const perform = async (of: ProfileEntered) => {
    const change: ProjectChange = {
      version: project.version,
      section: "profile",
      profile: {
        organisation: of.organisation || null,
        start: of.start || null,
        end: of.end || null,
        total_fen: of.total ? fenOf(of.total) : null,
        note: of.note?.trim() ?? "",
      },
    };
    done(await save(project.item.id, change));
  };
  return (
    <FormDialog<ProfileEntered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("project-section.profile")}
      okText={t("project.save")}
      submitId="project-save"
      initialValues={{
        organisation: profile.organisation ?? undefined,
        start: profile.start ?? undefined,
        end: profile.end ?? undefined,
        total: typeof profile.total_fen === "number" ? yuanText(profile.total_fen) : undefined,
        note: profile.note,
      }}
    >
      <Form.Item name="organisation" label={t("project.unit")}>
        <UnitSelect allowClear />
      </Form.Item>
      <Form.Item name="start" label={t("project.start")}>
        <Input type="date" />
      </Form.Item>
      <Form.Item
        name="end"
        label={t("project.end-day")}
        dependencies={["start"]}
        rules={[
          ({ getFieldValue }) => ({
            validator: async (_, value?: string) => {
              const start: string | undefined = getFieldValue("start");
              if (start && value && value < start) throw new Error(t("project.end-before"));
            },
          }),
        ]}
      >
        <Input type="date" />
      </Form.Item>
      <Form.Item
        name="total"
        label={t("project.total")}
        rules={[
          {
            validator: async (_, value?: string) => {
              if (value && fenOf(value) === null) throw new Error(t("project.yuan-wrong"));
            },
          },
        ]}
      >
        <Input inputMode="decimal" suffix={t("project.yuan")} />
      </Form.Item>
      <Form.Item name="note" label={t("project.note")}>
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

export function StageDialog({ project, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<{ stage: (typeof STAGES)[number] }>();
  const done = useDone(project.item.id, onClose);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ stage }) =>
        done(await save(project.item.id, { version: project.version, section: "stage", stage }))
      }
      onClose={onClose}
      title={t("project.stage")}
      okText={t("project.save")}
      submitId="project-save"
      initialValues={{ stage: project.kept.stage }}
    >
      <Form.Item name="stage" label={t("project.stage")}>
        <Select options={STAGES.map((value) => ({ value, label: t(`project-stage.${value}`) }))} />
      </Form.Item>
    </FormDialog>
  );
}

/** What is stated of a project for a month. */
export function ReportDialog({ project, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<{ month: string; progress: string; problems?: string }>();
  const done = useDone(project.item.id, onClose);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ month, progress, problems }) =>
        done(await report(project.item.id, { month, progress, problems: problems ?? "" }))
      }
      onClose={onClose}
      title={t("project.report")}
      okText={t("project.report-send")}
      submitId="project-report"
      initialValues={{ month: project.month }}
      intro={<p className="quiet">{t("project.report-rule")}</p>}
    >
      <Form.Item
        name="month"
        label={t("project.month")}
        rules={[{ required: true, pattern: /^\d{4}-\d{2}$/, message: t("project.month-wrong") }]}
      >
        <Input type="month" />
      </Form.Item>
      <Form.Item
        name="progress"
        label={t("project.progress")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={3} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="problems" label={t("project.problems")}>
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** A reminder: what is due by rule is offered first. */
export function RemindDialog({ project, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<{ about: string; note: string }>();
  // Sent twice for want of an answer, one case is opened.
  const [request_id] = useState(uuid);
  const done = useDone(project.item.id, onClose);
  useFocusBack();
  const offered = [...project.reminders_due, "other"];
  return (
    <FormDialog
      form={form}
      perform={async ({ about, note }) => done(await remind(project.item.id, { about, note, request_id }))}
      onClose={onClose}
      title={t("project.remind")}
      okText={t("project.remind-send")}
      submitId="project-remind"
      initialValues={{ about: offered[0] }}
      intro={<p className="quiet">{t("project.remind-rule")}</p>}
    >
      <Form.Item name="about" label={t("project.about")}>
        <Select options={offered.map((value) => ({ value, label: aboutWord(value, t) }))} />
      </Form.Item>
      <Form.Item
        name="note"
        label={t("project.remind-note")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={3} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

export function EndDialog({ project, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<{ reason: string }>();
  const done = useDone(project.item.id, onClose);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ reason }) => done(await end(project.item.id, reason))}
      onClose={onClose}
      title={t("project.end")}
      okText={t("project.end")}
      submitId="project-end"
      danger
      intro={<p className="quiet">{t("project.end-rule")}</p>}
    >
      <Form.Item
        name="reason"
        label={t("project.reason")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

interface AddEntered {
  id: string;
  name_zh: string;
  name_en: string;
  reason: string;
  indicators?: string[];
}

/** A project that the plan does not list. */
export function AddDialog({ onClose, onAdded }: { onClose: () => void; onAdded: (id: string) => void }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<AddEntered>();
  const indicators = useQuery(planQuery).data?.indicators ?? [];
  const required = { required: true, whitespace: true, message: t("project.missing") };
  useFocusBack();
  const perform = async (of: AddEntered) => {
    await add({ ...of, indicators: of.indicators ?? [], system: "" });
    void queryClient.invalidateQueries({ queryKey: ["projects"] });
    onClose();
    onAdded(of.id);
  };
  return (
    <FormDialog<AddEntered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("project.add")}
      okText={t("project.add")}
      submitId="project-add"
    >
      <Form.Item
        name="id"
        label={t("project.id")}
        extra={t("project.id-hint")}
        rules={[{ required: true, pattern: /^[a-z][a-z0-9-]{0,59}$/, message: t("project.id-hint") }]}
      >
        <Input maxLength={60} autoFocus />
      </Form.Item>
      <Form.Item name="name_zh" label={t("project.name-zh")} rules={[required]}>
        <Input maxLength={NAME_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="name_en" label={t("project.name-en")} rules={[required]}>
        <Input maxLength={NAME_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="reason" label={t("project.add-reason")} rules={[required]}>
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="indicators" label={t("project.goals")}>
        <Select
          mode="multiple"
          showSearch={{ optionFilterProp: "label" }}
          options={indicators.map(({ id, name_zh, name_en }) => ({ value: id, label: p(name_zh, name_en) }))}
        />
      </Form.Item>
    </FormDialog>
  );
}
