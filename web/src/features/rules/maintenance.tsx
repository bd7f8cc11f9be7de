/** Maintenance windows: when work is being done, and on what; alerts are not raised in them. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, DatePicker, Form, Input, Modal, Select, Table } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import type { MaintenanceWindow, Rule } from "../../lib/types.ts";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time, useNow } from "../../ui/tags.tsx";
import { addMaintenance, windowActions } from "./actions.tsx";
import { maintenanceQuery } from "./queries.ts";

interface Draft {
  entity_id?: string;
  entity_type?: string;
  rule_id?: string;
  period: [Dayjs, Dayjs];
  reason: string;
}

export function MaintenanceDialog({ rules, onClose }: { rules: Rule[]; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<Draft>();
  const [busy, setBusy] = useState(false);
  const types = [...new Set(rules.map((rule) => rule.entity_type))].sort();
  const send = async ({ period: [from, until], ...rest }: Draft) => {
    setBusy(true);
    try {
      const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
      await addMaintenance({
        ...said,
        from: from.toISOString(),
        until: until.toISOString(),
      });
      message.success(t("rule.maintenance-made"));
      await client.invalidateQueries({ queryKey: ["maintenance"] });
      onClose();
    } catch (error) {
      message.error(errorText(error, t), 6);
    } finally {
      setBusy(false);
    }
  };
  const choices = (names: string[]) => names.map((value) => ({ value, label: value }));
  return (
    <Modal
      open
      title={t("rule.maintenance-add")}
      okText={t("rule.maintenance-add")}
      confirmLoading={busy}
      onCancel={onClose}
      onOk={() => form.submit()}
    >
      <p className="quiet">{t("rule.maintenance-about")}</p>
      <Form<Draft> form={form} layout="vertical" onFinish={send}>
        <Form.Item name="entity_id" label={t("rule.entity")}>
          <Input placeholder="urn:ngsi-ld:…" />
        </Form.Item>
        <Form.Item name="entity_type" label={t("rule.entity-type")}>
          <Select allowClear showSearch options={choices(types)} />
        </Form.Item>
        <Form.Item name="rule_id" label={t("rule.name")}>
          <Select allowClear showSearch options={choices(rules.map((rule) => rule.id))} />
        </Form.Item>
        <Form.Item
          name="period"
          label={t("rule.period")}
          rules={[{ required: true, message: t("rule.period-needed") }]}
        >
          <DatePicker.RangePicker showTime />
        </Form.Item>
        <Form.Item
          name="reason"
          label={t("rule.reason")}
          rules={[{ required: true, message: t("rule.reason") }]}
        >
          <Input.TextArea rows={2} maxLength={500} />
        </Form.Item>
      </Form>
    </Modal>
  );
}

export function Maintenance() {
  const { t } = useT();
  const now = useNow();
  const client = useQueryClient();
  const windows = useInfiniteQuery(maintenanceQuery());
  const failure = useFailure(windows);
  if (failure) return failure;
  if (!windows.data) return <Loading tall />;
  const items = windows.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Nothing title={t("rule.maintenance-none")} />;
  const changed = () => client.invalidateQueries({ queryKey: ["maintenance"] });
  const state = (window: MaintenanceWindow) => {
    if (window.ended_at !== null || Date.parse(window.until) <= now) return t("rule.maintenance-over");
    return Date.parse(window.from) > now ? t("rule.maintenance-to-come") : t("rule.maintenance-on");
  };
  return (
    <>
      <Table<MaintenanceWindow>
        size="small"
        rowKey="id"
        dataSource={items}
        pagination={false}
        scroll={{ x: 820 }}
        columns={[
          {
            title: t("rule.covers"),
            render: (_, window) =>
              [window.entity_id, window.entity_type, window.rule_id].filter(Boolean).join(" · ") ||
              t("rule.all"),
          },
          { title: t("rule.from"), width: 160, render: (_, window) => <Time at={window.from} bare /> },
          { title: t("rule.until"), width: 160, render: (_, window) => <Time at={window.until} bare /> },
          { title: t("rule.reason"), dataIndex: "reason" },
          { title: t("rule.made-by"), width: 110, dataIndex: "made_by" },
          {
            title: t("word.operations"),
            width: 170,
            render: (_, window) => (
              <>
                {state(window)}{" "}
                <ActionBar actions={windowActions} context={{ window, now, changed }} size="small" />
              </>
            ),
          },
        ]}
      />
      {windows.hasNextPage && <Button onClick={() => windows.fetchNextPage()}>{t("list.more")}</Button>}
    </>
  );
}
