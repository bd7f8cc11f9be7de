/** Add and change an organisation, a post or a person; give a post. */
import { useQuery } from "@tanstack/react-query";
import { DatePicker, Form, Input, Select, Switch } from "antd";
import type { Dayjs } from "dayjs";
import { useT } from "../../i18n/index.tsx";
import type { OrganisationUnit, PersonDetail, PersonMade, Post } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { useTellAsked } from "../approvals/waiting.tsx";
import { PersonSelect } from "./person-select.tsx";
import {
  addOrganisation,
  addPerson,
  addPost,
  changeOrganisation,
  changePerson,
  changePost,
  givePost,
  treeQuery,
} from "./queries.ts";
import { roleOptions } from "./roles.ts";
import { ORGANISATION_KINDS } from "./tree.ts";

interface Closing {
  changed: () => void;
  onClose: () => void;
}

/** Text, or nothing to take away what is there. */
const text = (given: string | null | undefined) => given?.trim() ?? "";

export function useUnitOptions(units: OrganisationUnit[]) {
  const { p } = useT();
  return units
    .filter((unit) => !unit.disabled)
    .map((unit) => ({ value: unit.id, label: p(unit.name_zh, unit.name_en) }));
}

interface OrganisationEntered {
  id: string;
  name_zh: string;
  name_en?: string;
  kind: string;
  parent?: string;
  credit_code?: string;
  division?: string;
  disabled?: boolean;
}

export function OrganisationDialog({
  unit,
  units,
  changed,
  onClose,
}: Closing & { unit?: OrganisationUnit; units: OrganisationUnit[] }) {
  const { t } = useT();
  const [form] = Form.useForm<OrganisationEntered>();
  const options = useUnitOptions(units.filter((u) => u.id !== unit?.id));
  useFocusBack();
  const profile = unit?.of_profile ?? false;
  const perform = async (entered: OrganisationEntered) => {
    const rest = {
      parent: text(entered.parent),
      credit_code: text(entered.credit_code),
      division: text(entered.division),
    };
    if (!unit) {
      const { id, name_zh, name_en, kind } = entered;
      await addOrganisation({ id: id.trim(), name_zh, name_en: text(name_en), kind, ...rest });
    } else if (profile) {
      await changeOrganisation(unit.id, { ...rest, disabled: entered.disabled });
    } else {
      const { name_zh, name_en, kind, disabled } = entered;
      await changeOrganisation(unit.id, { name_zh, name_en: text(name_en), kind, disabled, ...rest });
    }
    changed();
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(unit ? "organisation.change" : "organisation.add")}
      okText={t("organisation.save")}
      submitId="organisation-submit"
      initialValues={
        unit
          ? {
              ...unit,
              parent: unit.parent ?? undefined,
              credit_code: unit.credit_code ?? undefined,
              division: unit.division ?? undefined,
            }
          : { kind: "department" }
      }
      intro={profile && <p className="quiet">{t("organisation.of-profile-hint")}</p>}
    >
      {!unit && (
        <Form.Item
          name="id"
          label={t("organisation.id")}
          extra={t("organisation.id-hint")}
          rules={[{ required: true, pattern: /^[a-z0-9-]+$/, message: t("organisation.id-hint") }]}
        >
          <Input autoFocus className="mono" maxLength={64} spellCheck={false} autoCapitalize="none" />
        </Form.Item>
      )}
      <Form.Item
        name="name_zh"
        label={t("organisation.name-zh")}
        rules={[{ required: true, whitespace: true, message: t("organisation.name-missing") }]}
      >
        <Input maxLength={128} disabled={profile} />
      </Form.Item>
      <Form.Item name="name_en" label={`${t("organisation.name-en")} (${t("word.optional")})`}>
        <Input maxLength={128} disabled={profile} />
      </Form.Item>
      <Form.Item name="kind" label={t("organisation.kind")}>
        <Select
          disabled={profile}
          options={ORGANISATION_KINDS.map((kind) => ({
            value: kind,
            label: t(`organisation-kind.${kind}`),
          }))}
        />
      </Form.Item>
      <Form.Item name="parent" label={`${t("organisation.parent")} (${t("word.optional")})`}>
        <Select allowClear showSearch={{ optionFilterProp: "label" }} options={options} />
      </Form.Item>
      <Form.Item name="credit_code" label={`${t("organisation.credit-code")} (${t("word.optional")})`}>
        <Input className="mono" maxLength={24} spellCheck={false} />
      </Form.Item>
      <Form.Item
        name="division"
        label={`${t("organisation.division")} (${t("word.optional")})`}
        extra={t("organisation.division-hint")}
      >
        <Input className="mono" maxLength={12} inputMode="numeric" />
      </Form.Item>
      {unit && (
        <Form.Item name="disabled" label={t("organisation.closed")} valuePropName="checked">
          <Switch />
        </Form.Item>
      )}
    </FormDialog>
  );
}

interface PostEntered {
  title_zh: string;
  title_en?: string;
  duty?: string;
  role: string;
  division?: string;
  disabled?: boolean;
}

export function PostDialog({
  organisation,
  post,
  changed,
  onClose,
}: Closing & { organisation: string; post?: Post }) {
  const { t } = useT();
  const [form] = Form.useForm<PostEntered>();
  useFocusBack();
  const perform = async (entered: PostEntered) => {
    const fields = {
      title_zh: entered.title_zh,
      title_en: text(entered.title_en),
      duty: text(entered.duty),
      role: entered.role,
      division: text(entered.division),
    };
    if (post) await changePost(post.id, { ...fields, disabled: entered.disabled });
    else await addPost({ organisation, ...fields });
    changed();
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(post ? "organisation.post-change" : "organisation.post-add")}
      okText={t("organisation.save")}
      submitId="post-submit"
      initialValues={post ? { ...post, division: post.division ?? undefined } : { role: "operator" }}
    >
      <Form.Item
        name="title_zh"
        label={t("organisation.post-title")}
        rules={[{ required: true, whitespace: true, message: t("organisation.name-missing") }]}
      >
        <Input autoFocus maxLength={128} />
      </Form.Item>
      <Form.Item name="title_en" label={`${t("organisation.name-en")} (${t("word.optional")})`}>
        <Input maxLength={128} />
      </Form.Item>
      <Form.Item name="role" label={t("organisation.role")} extra={t("organisation.post-role-hint")}>
        <Select options={roleOptions(t, "post")} />
      </Form.Item>
      <Form.Item name="duty" label={`${t("organisation.duty")} (${t("word.optional")})`}>
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
      <Form.Item
        name="division"
        label={`${t("organisation.division")} (${t("word.optional")})`}
        extra={t("organisation.division-hint")}
      >
        <Input className="mono" maxLength={12} inputMode="numeric" />
      </Form.Item>
      {post && (
        <Form.Item name="disabled" label={t("organisation.closed")} valuePropName="checked">
          <Switch />
        </Form.Item>
      )}
    </FormDialog>
  );
}

interface GiveEntered {
  user_id: number;
  times?: [Dayjs | null, Dayjs | null];
}

export function GiveDialog({ post, changed, onClose }: Closing & { post: Post }) {
  const { t, p } = useT();
  const [form] = Form.useForm<GiveEntered>();
  useFocusBack();
  const perform = async ({ user_id, times }: GiveEntered) => {
    await givePost(post.id, user_id, times?.[0]?.toISOString(), times?.[1]?.toISOString());
    changed();
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("organisation.post-give-title", { title: p(post.title_zh, post.title_en) })}
      okText={t("organisation.post-give")}
      submitId="give-submit"
    >
      <Form.Item
        name="user_id"
        label={t("organisation.person")}
        rules={[{ required: true, message: t("organisation.person-missing") }]}
      >
        <PersonSelect />
      </Form.Item>
      <Form.Item name="times" label={t("organisation.times")} extra={t("organisation.times-hint")}>
        <DatePicker.RangePicker showTime={{ format: "HH:mm" }} allowEmpty={[true, true]} />
      </Form.Item>
    </FormDialog>
  );
}

interface PersonEntered {
  username: string;
  name: string;
  organisation?: string;
  phone?: string;
}

export function PersonDialog({
  person,
  organisation,
  units,
  made,
  changed,
  onClose,
}: Closing & {
  person?: PersonDetail;
  organisation?: string;
  units: OrganisationUnit[];
  made: (made: PersonMade) => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<PersonEntered>();
  const options = useUnitOptions(units);
  const tellAsked = useTellAsked();
  useFocusBack();
  const perform = async ({ username, name, ...entered }: PersonEntered) => {
    const rest = { organisation: text(entered.organisation), phone: text(entered.phone) };
    if (person) tellAsked(await changePerson(person.id, { name, ...rest }));
    else made(await addPerson({ username: username.trim(), name, ...rest }));
    changed();
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(person ? "organisation.person-change" : "organisation.person-add")}
      okText={t("organisation.save")}
      submitId="person-submit"
      initialValues={
        person
          ? { ...person, organisation: person.organisation ?? undefined, phone: person.phone ?? undefined }
          : { organisation }
      }
      intro={!person && <p className="quiet">{t("organisation.role-hint")}</p>}
    >
      {!person && (
        <Form.Item
          name="username"
          label={t("organisation.username")}
          rules={[{ required: true, min: 2, whitespace: true, message: t("organisation.username-missing") }]}
        >
          <Input autoFocus className="mono" maxLength={64} spellCheck={false} autoCapitalize="none" />
        </Form.Item>
      )}
      <Form.Item
        name="name"
        label={t("organisation.person-name")}
        rules={[{ required: true, whitespace: true, message: t("organisation.name-missing") }]}
      >
        <Input maxLength={128} />
      </Form.Item>
      <Form.Item name="organisation" label={`${t("organisation.of")} (${t("word.optional")})`}>
        <Select allowClear showSearch={{ optionFilterProp: "label" }} options={options} />
      </Form.Item>
      <Form.Item name="phone" label={`${t("organisation.phone")} (${t("word.optional")})`}>
        <Input inputMode="tel" maxLength={24} />
      </Form.Item>
    </FormDialog>
  );
}

/** The names of organisations by id, for what names them by id alone. */
export function useUnitName() {
  const { p } = useT();
  const units = useQuery(treeQuery).data?.organisations;
  return (id: string | null) => {
    const unit = units?.find((u) => u.id === id);
    return unit ? p(unit.name_zh, unit.name_en) : (id ?? "—");
  };
}
