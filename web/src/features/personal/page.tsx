/** A person's own data: what is held, as a table and as a file, and who looked at it. */
import "./personal.css";
import { Alert, Card, Form, Input, Select, Table, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { quantity, time, ZONE_LABEL } from "../../lib/format.ts";
import { useCity } from "../../lib/session.ts";
import type { SubjectData, SubjectEntity, Viewer, Viewers } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { AttributeName } from "../entity/attribute-name.tsx";
import { type PersonalContext, personalActions } from "./actions.tsx";
import { subjectData, viewersOf } from "./queries.ts";

interface Asked {
  subject: string;
  purpose: string;
}

/** What is held, as a file of this device; its name says nothing of the person. */
function save(data: SubjectData) {
  const link = document.createElement("a");
  const blob = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
  link.href = URL.createObjectURL(blob);
  link.download = `personal-data-${data.exported_at.slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function Page() {
  const { t, p } = useT();
  const [form] = Form.useForm<Asked>();
  const [data, setData] = useState<SubjectData | null>(null);
  const [viewers, setViewers] = useState<Viewers | null>(null);
  const purposes = useCity()?.purposes ?? [];
  // Answers are kept here alone, and are gone with the page: no cache holds anybody's data.
  const context: PersonalContext = {
    data,
    save,
    find: async () => {
      const entered = await form.validateFields().catch(() => null);
      if (!entered) return;
      setData(await subjectData(entered.subject.trim(), entered.purpose));
    },
    viewers: async () => {
      const entered = await form.validateFields(["subject"]).catch(() => null);
      if (!entered) return;
      setViewers(await viewersOf(form.getFieldValue("subject").trim()));
    },
  };
  useActionKeys(personalActions, context);
  const forget = () => {
    setData(null);
    setViewers(null);
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("personal.title")}</h1>
        <span className="quiet">{t("personal.about")}</span>
      </header>
      <Form form={form} layout="inline" className="personal-form" onValuesChange={forget}>
        <Form.Item
          name="subject"
          label={t("personal.subject")}
          rules={[{ required: true, whitespace: true, message: t("personal.subject-missing") }]}
        >
          <Input autoComplete="off" allowClear data-testid="personal-subject" maxLength={200} />
        </Form.Item>
        <Form.Item
          name="purpose"
          label={t("personal.purpose")}
          rules={[{ required: true, message: t("personal.purpose-missing") }]}
        >
          <Select
            className="personal-purpose"
            data-testid="personal-purpose"
            options={purposes.map(({ id, title_zh, title_en }) => ({
              value: id,
              label: p(title_zh, title_en),
            }))}
          />
        </Form.Item>
        <div className="toolbar">
          <ActionBar actions={personalActions} context={context} />
        </div>
      </Form>
      {!data && !viewers && <Nothing title={t("personal.nothing-asked")} />}
      {(data?.truncated || viewers?.truncated) && (
        <Alert type="warning" showIcon title={t("personal.truncated")} />
      )}
      {data && <Held data={data} />}
      {viewers && <Looked viewers={viewers} />}
    </div>
  );
}

function Held({ data }: { data: SubjectData }) {
  const { t } = useT();
  return (
    <Card size="small" title={t("personal.held")} data-testid="personal-held">
      {data.entities.length === 0 ? (
        <Nothing title={t("personal.none")} />
      ) : (
        data.entities.map((entity) => <HeldIn key={entity.id} entity={entity} />)
      )}
    </Card>
  );
}

function HeldIn({ entity }: { entity: SubjectEntity }) {
  const { t } = useT();
  return (
    <section className="personal-entity">
      <h3>
        <Link to={`/entities/${encodeURIComponent(entity.id)}`}>{entity.name || entity.id}</Link>{" "}
        <Tag color={entity.is_current ? "processing" : "default"}>
          {t(entity.is_current ? "personal.current" : "personal.former")}
        </Tag>
      </h3>
      <Table
        size="small"
        className="tabular"
        pagination={false}
        rowKey={(row) => `${row.position} ${row.attribute} ${row.observed_at}`}
        dataSource={entity.values}
        columns={[
          {
            title: t("entity.attribute"),
            render: (_, row) => <AttributeName type={entity.type} name={row.attribute} />,
          },
          { title: t("word.value"), render: (_, row) => <strong>{quantity(row.value, null)}</strong> },
          {
            title: `${t("entity.observed")} (${ZONE_LABEL})`,
            render: (_, row) => <time dateTime={row.observed_at}>{time(row.observed_at)}</time>,
          },
        ]}
      />
    </section>
  );
}

function Looked({ viewers }: { viewers: Viewers }) {
  const { t, p } = useT();
  const phone = usePhone();
  const purposes = new Map(useCity()?.purposes.map((one) => [one.id, p(one.title_zh, one.title_en)]));
  const who = (viewer: Viewer) => {
    const key = keyOf("audit-kind", viewer.actor_kind);
    return `${viewer.actor || "—"}${key ? ` · ${t(key)}` : ""}`;
  };
  const what = (viewer: Viewer) => (
    <ul className="plain-list">
      {Object.entries(viewer.entities).map(([id, names]) => (
        <li key={id}>
          <code>{id}</code> {names.join(", ")}
        </li>
      ))}
    </ul>
  );
  const purpose = (viewer: Viewer) => purposes.get(viewer.purpose) ?? viewer.purpose;
  return (
    <Card size="small" title={t("personal.looked")} data-testid="personal-viewers">
      <Table
        size="small"
        rowKey="act"
        pagination={false}
        dataSource={viewers.items}
        locale={{ emptyText: <Nothing title={t("personal.no-viewers")} /> }}
        columns={
          phone
            ? [
                {
                  title: t("personal.who"),
                  render: (_, viewer) => (
                    <>
                      <strong>{who(viewer)}</strong> · {purpose(viewer)}
                      <div className="quiet">
                        <Time at={viewer.at} /> · {viewer.peer || "—"}
                      </div>
                      {what(viewer)}
                    </>
                  ),
                },
              ]
            : [
                { title: t("audit.at"), width: 180, render: (_, viewer) => <Time at={viewer.at} /> },
                { title: t("personal.who"), render: (_, viewer) => who(viewer) },
                { title: t("audit.peer"), render: (_, viewer) => viewer.peer || "—" },
                { title: t("personal.purpose"), render: (_, viewer) => purpose(viewer) },
                { title: t("personal.what"), render: (_, viewer) => what(viewer) },
                { title: t("personal.act"), width: 100, dataIndex: "act" },
              ]
        }
      />
    </Card>
  );
}
