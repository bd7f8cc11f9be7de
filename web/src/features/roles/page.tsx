/** Who has which role; the security administrator gives them (授权). */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Form, Input, Select, Tag } from "antd";
import { useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import type { Account } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { useTellAsked } from "../approvals/waiting.tsx";
import { accountActions } from "./actions.tsx";
import { accountsQuery, grantRole, rolesQuery } from "./queries.ts";

/** Longest reason, in characters. */
const REASON_CHARS_MAX = 500;

/** The word for a role. */
function useRoleWord() {
  const { t } = useT();
  return (role: string) => {
    const key = keyOf("role", role);
    return key ? t(key) : role;
  };
}

export function Page() {
  const { t } = useT();
  const roleWord = useRoleWord();
  const [granting, setGranting] = useState<Account | null>(null);
  const accounts = useInfiniteQuery(accountsQuery);
  const items = useMemo(() => accounts.data?.pages.flatMap((page) => page.items) ?? [], [accounts.data]);
  const failure = useFailure(accounts);
  const list = () => {
    if (failure) return failure;
    if (!accounts.data) return <Loading tall />;
    if (items.length === 0) return <Nothing title={t("roles.none")} />;
    return (
      <ul className="card-list">
        {items.map((account) => (
          <li key={account.id} className="item-card" data-testid="account-row">
            <strong>
              {account.name} <code>{account.username}</code>
            </strong>
            <span>
              <Tag color={account.role === "none" ? "gold" : undefined}>{roleWord(account.role)}</Tag>
              {account.disabled && <Tag color="default">{t("roles.closed")}</Tag>}
              {account.organisation && <span className="quiet">{account.organisation}</span>}
            </span>
            <span>
              <ActionBar actions={accountActions} context={{ account, grant: setGranting }} size="small" />
            </span>
          </li>
        ))}
      </ul>
    );
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("roles.title")}</h1>
        <span className="quiet">{t("roles.about")}</span>
      </header>
      {list()}
      <More list={accounts} />
      {granting && <GrantDialog account={granting} onClose={() => setGranting(null)} />}
    </div>
  );
}

interface Entered {
  role: string;
  reason?: string;
}

function GrantDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const tellAsked = useTellAsked();
  const roleWord = useRoleWord();
  const [form] = Form.useForm<Entered>();
  const picked = Form.useWatch("role", form);
  const roles = useQuery(rolesQuery).data?.items ?? [];
  const chosen = roles.find((one) => one.role === picked);
  const isNow = roles.find((one) => one.role === account.role);
  const perform = async ({ role, reason }: Entered) => {
    const answer = await grantRole(account.id, role, reason?.trim() ?? "");
    if (!tellAsked(answer)) {
      message.success(t("roles.granted", { name: account.name, role: roleWord(role) }));
    }
    void queryClient.invalidateQueries({ queryKey: accountsQuery.queryKey });
    onClose();
  };
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("roles.grant-title", { name: account.name })}
      okText={t("roles.grant")}
      submitId="role-submit"
    >
      <Form.Item
        name="role"
        label={t("roles.role")}
        rules={[{ required: true, message: t("roles.missing") }]}
      >
        <Select
          showSearch={{ optionFilterProp: "label" }}
          options={roles
            .filter((one) => one.role !== account.role)
            .map((one) => ({ value: one.role, label: roleWord(one.role) }))}
        />
      </Form.Item>
      {chosen && (
        <p className="quiet">
          {chosen.permissions.length === 0
            ? t("roles.may-nothing")
            : t("roles.may", { permissions: chosen.permissions.join("、") })}
        </p>
      )}
      {(chosen?.is_administrator || (chosen && isNow?.is_administrator)) && (
        <Alert type="warning" showIcon title={t("roles.needs-approval")} style={{ marginBottom: 16 }} />
      )}
      <Form.Item name="reason" label={t("approval.reason")}>
        <Input.TextArea rows={2} maxLength={REASON_CHARS_MAX} placeholder={t("approval.reason-hint")} />
      </Form.Item>
    </FormDialog>
  );
}
