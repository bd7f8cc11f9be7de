/** The dialogs of a case: open one, and give an action what it needs. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, DatePicker, Form, Input, InputNumber, Select, Upload } from "antd";
import type { Dayjs } from "dayjs";
import { useEffect } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { CaseActionName, CaseDetail, CaseDraft } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { SEVERITIES } from "../../ui/tags.tsx";
import { EnclosureList, LIMITS } from "../field/enclosures.tsx";
import type { Enclosure } from "../field/outbox.ts";
import { SignaturePad } from "../field/signature.tsx";
import { classOptions } from "./classes.ts";
import {
  attach,
  caseLimitsQuery,
  classesQuery,
  fieldWorkersQuery,
  keepCase,
  openCase,
  organisationsQuery,
  performOnCase,
  similarQuery,
  townsQuery,
} from "./queries.ts";

/** Longest title and note, characters. */
const TITLE_LENGTH_MAX = 120;
const NOTE_LENGTH_MAX = 2_000;

export function OpenCaseDialog({
  open,
  onClose,
  initial,
}: {
  open: boolean;
  onClose: () => void;
  initial: Partial<CaseDraft>;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const classes = useQuery({ ...classesQuery, enabled: open });
  const [form] = Form.useForm<CaseDraft>();
  const towns = useQuery({ ...townsQuery, enabled: open });
  const perform = async (entered: CaseDraft) => {
    const made = await openCase({
      ...initial,
      ...entered,
      title: (entered.title ?? initial.title ?? "").trim(),
    });
    keepCase(queryClient, made);
    message.success(t("case.opened", { number: made.number }));
    onClose();
    navigate(`/cases/${made.id}`);
  };
  return (
    <FormDialog
      open={open}
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(initial.alert_id ? "alert.open-case" : "case.new")}
      okText={t("case-action.open")}
      submitId="case-submit"
      initialValues={{ severity: "minor", ...initial }}
    >
      <Form.Item
        name="title"
        label={t("case.subject")}
        rules={[{ required: true, whitespace: true, message: t("case.subject-missing") }]}
      >
        <Input autoFocus maxLength={TITLE_LENGTH_MAX} />
      </Form.Item>
      <Form.Item name="severity" label={t("severity.title")}>
        <Select options={SEVERITIES.map((s) => ({ value: s, label: t(`severity.${s}`) }))} />
      </Form.Item>
      <Form.Item name="category" label={t("case.class")}>
        <Select
          allowClear
          loading={classes.isPending}
          showSearch={{ optionFilterProp: "label" }}
          options={classOptions(classes.data?.items ?? [], p)}
        />
      </Form.Item>
      <Form.Item name="town" label={`${t("case.town")} (${t("word.optional")})`}>
        <Select
          allowClear
          loading={towns.isPending}
          status={towns.error ? "error" : undefined}
          placeholder={t("case.town-any")}
          notFoundContent={towns.error ? errorText(towns.error, t) : undefined}
          showSearch={{ optionFilterProp: "label" }}
          options={towns.data}
        />
      </Form.Item>
      <Form.Item name="description" label={t("case.description")}>
        <Input.TextArea rows={4} maxLength={NOTE_LENGTH_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** A signature as a field of a form. */
function Signature({
  value,
  onChange,
}: {
  value?: Enclosure;
  onChange?: (made: Enclosure | undefined) => void;
}) {
  const limits = useQuery(caseLimitsQuery).data ?? LIMITS;
  return value ? (
    <EnclosureList enclosures={[value]} onRemove={() => () => onChange?.(undefined)} />
  ) : (
    <SignaturePad limits={limits} onDone={(made) => onChange?.(made)} />
  );
}

interface Entered {
  note?: string;
  organisation?: string;
  assignee?: number;
  files?: { originFileObj?: File }[];
  signature?: Enclosure;
  minutes?: number;
  until?: Dayjs;
  case?: number;
  parts?: string[];
}

export function CaseActionDialog({
  item,
  action,
  onClose,
  onDone,
}: {
  item: CaseDetail;
  action: CaseActionName;
  onClose: () => void;
  onDone: (item: CaseDetail, action: CaseActionName) => void;
}) {
  const { t, p } = useT();
  const [form] = Form.useForm<Entered>();
  const needs = item.allowed.find((allowed) => allowed.action === action)?.needs ?? [];
  const dispatching = action === "dispatch";
  useFocusBack();
  const splitting = needs.includes("parts");
  const repeating = needs.includes("case");
  const organisations = useQuery({ ...organisationsQuery, enabled: dispatching || splitting });
  const similar = useQuery({ ...similarQuery(item.id), enabled: repeating });
  const people = useQuery({ ...fieldWorkersQuery, enabled: dispatching });
  const classes = useQuery({ ...classesQuery, enabled: dispatching && item.category !== null });
  const ofClass = classes.data?.items.find((c) => c.code === item.category)?.organisation;
  useEffect(() => {
    // The department that answers for the class is the one to dispatch to, until somebody chooses another.
    if (dispatching && ofClass && !form.getFieldValue("organisation"))
      form.setFieldValue("organisation", ofClass);
  }, [dispatching, ofClass, form]);
  const organisation = Form.useWatch("organisation", form);

  const perform = async (entered: Entered) => {
    const attachment_ids: number[] = [];
    for (const { originFileObj: file } of entered.files ?? []) {
      if (file) attachment_ids.push((await attach(item.id, file, file.name)).id);
    }
    const { signature } = entered;
    if (signature) {
      const kept = await attach(item.id, signature.blob, signature.name, signature);
      attachment_ids.push(kept.id);
    }
    const changed = await performOnCase(item.id, {
      action,
      note: entered.note?.trim() || undefined,
      organisation: entered.organisation,
      assignee: entered.assignee,
      attachment_ids: attachment_ids.length > 0 ? attachment_ids : undefined,
      minutes: entered.minutes,
      until: entered.until?.toISOString(),
      case: entered.case,
      parts: entered.parts?.map((organisation) => ({ organisation, assignee: null, title: "" })),
      version: action === "comment" ? undefined : item.version,
    });
    onDone(changed, action);
    onClose();
  };

  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t(`case-action.${action}`)} · ${item.number}`}
      okText={t(`case-action.${action}`)}
      submitId="case-action-submit"
      danger={action === "cancel" || action === "reject" || action === "refuse-extension"}
      initialValues={{ organisation: item.organisation?.id }}
    >
      {dispatching && (
        <>
          <Form.Item
            name="organisation"
            label={t("case.organisation")}
            rules={[{ required: true, message: t("case.organisation-missing") }]}
          >
            <Select
              onChange={() => form.setFieldValue("assignee", undefined)}
              loading={organisations.isPending}
              showSearch={{ optionFilterProp: "label" }}
              status={organisations.error ? "error" : undefined}
              notFoundContent={organisations.error ? errorText(organisations.error, t) : undefined}
              options={organisations.data?.items.map((o) => ({
                value: o.id,
                label: p(o.name_zh, o.name_en),
              }))}
            />
          </Form.Item>
          <Form.Item name="assignee" label={`${t("case.assignee")} (${t("word.optional")})`}>
            <Select
              allowClear
              loading={people.isPending}
              placeholder={t("case.assignee-any")}
              options={people.data?.items
                .filter((person) => person.organisation === organisation)
                .map((person) => ({ value: person.id, label: person.name }))}
            />
          </Form.Item>
        </>
      )}
      {splitting && (
        <Form.Item
          name="parts"
          label={t("case.parts-wanted")}
          rules={[{ required: true, message: t("case.parts-missing") }]}
        >
          <Select
            mode="multiple"
            loading={organisations.isPending}
            showSearch={{ optionFilterProp: "label" }}
            options={organisations.data?.items.map((o) => ({ value: o.id, label: p(o.name_zh, o.name_en) }))}
          />
        </Form.Item>
      )}
      {repeating && (
        <Form.Item
          name="case"
          label={t("case.other")}
          rules={[{ required: true, message: t("case.other-missing") }]}
        >
          <Select
            loading={similar.isPending}
            notFoundContent={similar.error ? errorText(similar.error, t) : t("case.similar-none")}
            options={similar.data?.items.map((other) => ({
              value: other.id,
              label: `${other.number} · ${other.title} · ${t("case.metres", { metres: Math.round(other.metres) })}`,
            }))}
          />
        </Form.Item>
      )}
      {needs.includes("minutes") && (
        <Form.Item
          name="minutes"
          label={t("case.minutes-wanted")}
          rules={[{ required: true, message: t("case.minutes-missing") }]}
        >
          <InputNumber min={1} precision={0} autoFocus />
        </Form.Item>
      )}
      {needs.includes("until") && (
        <Form.Item
          name="until"
          label={t("case.until")}
          rules={[{ required: true, message: t("case.until-missing") }]}
        >
          <DatePicker showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" />
        </Form.Item>
      )}
      <Form.Item
        name="note"
        label={t("word.note")}
        rules={
          needs.includes("note")
            ? [{ required: true, whitespace: true, message: t("case.note-missing") }]
            : []
        }
      >
        <Input.TextArea autoFocus={!dispatching} rows={4} maxLength={NOTE_LENGTH_MAX} />
      </Form.Item>
      {(action === "finish" || needs.includes("photo")) && (
        <Form.Item
          name="files"
          label={t("case.attachments")}
          rules={needs.includes("photo") ? [{ required: true, message: t("field.photo-missing") }] : []}
          valuePropName="fileList"
          getValueFromEvent={(event: { fileList: unknown[] }) => event.fileList}
        >
          <Upload listType="picture-card" beforeUpload={() => false} accept="image/*" multiple>
            {t("field.photo")}
          </Upload>
        </Form.Item>
      )}
      {needs.includes("signature") && (
        <Form.Item
          name="signature"
          label={t("case.signature")}
          rules={[{ required: true, message: t("field.signature-missing") }]}
        >
          <Signature />
        </Form.Item>
      )}
    </FormDialog>
  );
}
