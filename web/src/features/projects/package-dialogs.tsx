/** A package for investors is written, published and withdrawn here. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Radio, Select } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { InvestmentPackage, PackageContent } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Package as Preview } from "../portal/opportunities.tsx";
import { packagesQuery, projectsQuery, publishPackage, savePackage, withdrawPackage } from "./queries.ts";

const TITLE_CHARS_MAX = 120;
const WORDS_CHARS_MAX = 2_000;
const REASON_CHARS_MAX = 1_000;
const SOUGHT = ["capital", "technology", "operator", "site"] as const;
const EVERY = { plan_box: "", organisation: "", status: "", indicator: "", q: "" };

type Entered = Omit<PackageContent, "entries"> & { entries: Partial<PackageContent["entries"][number]>[] };

/** What is entered, as it is sent: a project has no names of its own, a scenario no project and no money. */
export function contentOf(entered: Entered): PackageContent {
  const isProjects = entered.kind === "projects";
  const text = (words: string | null | undefined) => words?.trim() ?? "";
  return {
    kind: entered.kind,
    title_zh: text(entered.title_zh),
    title_en: text(entered.title_en),
    summary_zh: text(entered.summary_zh),
    summary_en: text(entered.summary_en),
    contact_zh: text(entered.contact_zh),
    contact_en: text(entered.contact_en),
    valid_until: entered.valid_until || null,
    entries: entered.entries.map((entry) => ({
      project: isProjects ? (entry.project ?? null) : null,
      name_zh: isProjects ? "" : text(entry.name_zh),
      name_en: isProjects ? "" : text(entry.name_en),
      sought: entry.sought ?? [],
      words_zh: text(entry.words_zh),
      words_en: text(entry.words_en),
      with_money: isProjects && entry.with_money === true,
    })),
  };
}

function useDone(onClose: () => void) {
  const queryClient = useQueryClient();
  const { message } = App.useApp();
  const { t } = useT();
  return async () => {
    await queryClient.invalidateQueries({ queryKey: packagesQuery.queryKey });
    message.success(t("project.saved"));
    onClose();
  };
}

export function PackageDialog({ one, onClose }: { one?: InvestmentPackage; onClose: () => void }) {
  const { t, p } = useT();
  const [form] = Form.useForm<Entered>();
  const done = useDone(onClose);
  const projects = useQuery(projectsQuery(EVERY)).data?.items ?? [];
  const kind = Form.useWatch("kind", form) ?? one?.content.kind ?? "projects";
  const required = { required: true, whitespace: true, message: t("project.missing") };
  useFocusBack();
  const perform = async (entered: Entered) => {
    await savePackage(one?.id ?? null, one?.version ?? 0, contentOf(entered));
    await done();
  };
  const line = (name: keyof Entered & string) => (
    <Form.Item name={name} label={t(`package.${name}` as "package.title_zh")} rules={[required]}>
      <Input maxLength={TITLE_CHARS_MAX} />
    </Form.Item>
  );
  const words = (name: (string | number)[], label: string) => (
    <Form.Item name={name} label={label} rules={[required]}>
      <Input.TextArea rows={2} maxLength={WORDS_CHARS_MAX} />
    </Form.Item>
  );
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(one ? "package.edit" : "package.add")}
      okText={t("project.save")}
      submitId="package-save"
      initialValues={one?.content ?? { kind: "projects", entries: [{}] }}
      intro={<p className="quiet">{t("package.rule")}</p>}
    >
      <Form.Item name="kind" label={t("package.kind")}>
        <Radio.Group
          options={[
            { value: "projects", label: t("portal.kind-projects") },
            { value: "scenarios", label: t("portal.kind-scenarios") },
          ]}
        />
      </Form.Item>
      {line("title_zh")}
      {line("title_en")}
      {words(["summary_zh"], t("package.summary_zh"))}
      {words(["summary_en"], t("package.summary_en"))}
      <Form.List name="entries">
        {(rows, { add, remove }) => (
          <>
            {rows.map((row, n) => (
              <div key={row.key} className="project-entry" data-testid="package-entry">
                <div className="project-entry-head">
                  <span className="quiet">{t("package.entry", { n: n + 1 })}</span>
                  <Button
                    size="small"
                    icon={<DeleteOutlined />}
                    aria-label={t("package.entry-remove", { n: n + 1 })}
                    onClick={() => remove(row.name)}
                  />
                </div>
                {kind === "projects" ? (
                  <>
                    <Form.Item
                      name={[row.name, "project"]}
                      label={t("project.name")}
                      rules={[{ required: true, message: t("project.missing") }]}
                    >
                      <Select
                        showSearch={{ optionFilterProp: "label" }}
                        options={projects
                          .filter(({ ended_at }) => ended_at === null)
                          .map(({ id, name_zh, name_en }) => ({ value: id, label: p(name_zh, name_en) }))}
                      />
                    </Form.Item>
                    <Form.Item name={[row.name, "with_money"]} valuePropName="checked">
                      <Checkbox>{t("package.with-money")}</Checkbox>
                    </Form.Item>
                  </>
                ) : (
                  <>
                    <Form.Item name={[row.name, "name_zh"]} label={t("project.name-zh")} rules={[required]}>
                      <Input maxLength={TITLE_CHARS_MAX} />
                    </Form.Item>
                    <Form.Item name={[row.name, "name_en"]} label={t("project.name-en")} rules={[required]}>
                      <Input maxLength={TITLE_CHARS_MAX} />
                    </Form.Item>
                  </>
                )}
                <Form.Item
                  name={[row.name, "sought"]}
                  label={t("portal.sought")}
                  rules={[
                    {
                      validator: async (_, chosen?: string[]) => {
                        if (!chosen?.length) throw new Error(t("project.missing"));
                      },
                    },
                  ]}
                >
                  <Checkbox.Group
                    options={SOUGHT.map((value) => ({ value, label: t(`portal.sought-${value}`) }))}
                  />
                </Form.Item>
                {words([row.name, "words_zh"], t("package.words_zh"))}
                {words([row.name, "words_en"], t("package.words_en"))}
              </div>
            ))}
            <Button icon={<PlusOutlined />} onClick={() => add({})} data-testid="package-more">
              {t("package.entry-add")}
            </Button>
          </>
        )}
      </Form.List>
      {line("contact_zh")}
      {line("contact_en")}
      <Form.Item
        name="valid_until"
        label={t("package.valid_until")}
        rules={[{ required: true, message: t("project.day-wrong") }]}
      >
        <Input type="date" />
      </Form.Item>
    </FormDialog>
  );
}

interface Opened {
  one: InvestmentPackage;
  onClose: () => void;
}

/** What everybody is going to see, before they do. */
export function PublishDialog({ one, onClose }: Opened) {
  const { t, p } = useT();
  const [form] = Form.useForm<Record<string, never>>();
  const done = useDone(onClose);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async () => {
        await publishPackage(one.id, one.version);
        await done();
      }}
      onClose={onClose}
      title={t("package.publish")}
      okText={t("package.publish")}
      submitId="package-publish"
      intro={<p className="quiet">{t("package.publish-rule", { n: one.edition + 1 })}</p>}
    >
      <div className="portal portal-preview">
        <Preview shown={one.preview} speech={{ t, p }} />
      </div>
    </FormDialog>
  );
}

export function WithdrawDialog({ one, onClose }: Opened) {
  const { t } = useT();
  const [form] = Form.useForm<{ reason: string }>();
  const done = useDone(onClose);
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={async ({ reason }) => {
        await withdrawPackage(one.id, reason);
        await done();
      }}
      onClose={onClose}
      title={t("package.withdraw")}
      okText={t("package.withdraw")}
      submitId="package-withdraw"
      danger
      intro={<p className="quiet">{t("package.withdraw-rule")}</p>}
    >
      <Form.Item
        name="reason"
        label={t("project.reason")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={2} maxLength={REASON_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
