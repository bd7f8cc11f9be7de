/** Orders that a station is told seldom: limits of power, messages on demand, settings, logs, firmware, and the maker's own; and their answers. */
import { Form, Input, InputNumber, Radio, Select, Table } from "antd";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import type {
  ChargingMessage,
  ChargingOrder,
  ChargingOrderAnswer,
  ChargingSetting,
} from "../../lib/types.ts";
import { MORE_ORDERS, type OrderKind } from "./actions.tsx";

export type MoreKind = (typeof MORE_ORDERS)[number];
export type PlainKind = Exclude<OrderKind, MoreKind>;
export type MoreOrder = Extract<ChargingOrder, { order: MoreKind }>;

export const isMore = (kind: OrderKind): kind is MoreKind =>
  (MORE_ORDERS as readonly string[]).includes(kind);
export const isMoreOrder = (told: ChargingOrder): told is MoreOrder => isMore(told.order);

const MESSAGES: ChargingMessage[] = ["status", "readings", "boot", "heartbeat", "firmware", "log"];
/** What the server takes. */
const POWER_KW_MAX = 10_000;
const MINUTES_MAX = 7 * 24 * 60;
const LOCATION_CHARS_MAX = 512;
const OUTLET_MAX = 1_000;
const TEXT_CHARS_MAX = 4_000;

export interface MoreEntered {
  outlet?: number | null;
  powerKw?: number | null;
  minutes?: number | null;
  message?: ChargingMessage;
  security?: boolean;
  location?: string;
  certificate?: string;
  signature?: string;
  settings?: string;
  vendor?: string;
  messageId?: string;
  data?: string;
}

export const MORE_INITIAL: MoreEntered = { minutes: 60, message: "status", security: false };

/** A line of settings: `Component.Variable = value` of 2.0.1, `Key = value` of 1.6, whose keys may hold dots. */
export function settingsOf(text: string | undefined, version: string | undefined): ChargingSetting[] {
  const lines = (text ?? "").split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const at = line.indexOf("=");
    const named = (at < 0 ? line : line.slice(0, at)).trim();
    const value = at < 0 ? null : line.slice(at + 1).trim();
    const dot = version === "1.6" ? -1 : named.indexOf(".");
    return {
      component: dot < 0 ? "" : named.slice(0, dot),
      name: named.slice(dot + 1),
      value,
    } as ChargingSetting;
  });
}

const text = (entered: string | undefined): string | null => entered?.trim() || null;

/** What is sent. */
export function moreOrderOf(kind: MoreKind, entered: MoreEntered, version?: string): MoreOrder {
  switch (kind) {
    case "limit":
      return { order: kind, power_kw: entered.powerKw ?? 0, minutes: entered.minutes ?? 0 };
    case "clear_limit":
    case "forget_cards":
      return { order: kind };
    case "trigger":
      return { order: kind, message: entered.message ?? "status", outlet: entered.outlet ?? null };
    case "read_settings":
      return { order: kind, settings: settingsOf(entered.settings, version) };
    case "write_settings":
      return { order: kind, settings: settingsOf(entered.settings, version) };
    case "log":
      return { order: kind, security: entered.security ?? false, location: entered.location?.trim() ?? "" };
    case "firmware":
      return {
        order: kind,
        location: entered.location?.trim() ?? "",
        signing_certificate: text(entered.certificate),
        signature: text(entered.signature),
      };
    case "data": {
      const data = text(entered.data);
      return {
        order: kind,
        vendor: entered.vendor?.trim() ?? "",
        message: text(entered.messageId),
        // Text, as 1.6 knows nothing else and 2.0.1 takes anything.
        ...(data === null ? {} : { data: data as unknown as Record<string, never> }),
      };
    }
  }
}

/** What it means, as a question. */
export function moreQuestionOf(station: string, told: MoreOrder, t: Translate): string {
  switch (told.order) {
    case "limit":
      return t("charging.ask-limit", { station, power: told.power_kw, minutes: told.minutes });
    case "clear_limit":
      return t("charging.ask-clear-limit", { station });
    case "trigger":
      return t("charging.ask-trigger", { station, message: t(`charging-message.${told.message}`) });
    case "read_settings":
      return t("charging.ask-read", { station });
    case "write_settings":
      return t("charging.ask-write", {
        station,
        settings: (told.settings ?? []).map(({ name, value }) => `${name} = ${value}`).join("; "),
      });
    case "log":
      return t("charging.ask-log", { station, location: told.location });
    case "firmware":
      return t("charging.ask-firmware", { station, location: told.location });
    case "forget_cards":
      return t("charging.ask-forget", { station });
    case "data":
      return t("charging.ask-data", { station, vendor: told.vendor });
  }
}

export function MoreFields({
  order,
  version,
  choose,
}: {
  order: MoreKind;
  version: string | undefined;
  choose: (kind: MoreKind) => void;
}) {
  const { t } = useT();
  return (
    <>
      <Form.Item label={t("charging.order-kind")} htmlFor="charging-order-kind">
        <Select<MoreKind>
          id="charging-order-kind"
          value={order}
          onChange={choose}
          options={MORE_ORDERS.map((value) => ({ value, label: t(`charging-order.${value}`) }))}
        />
      </Form.Item>
      <OwnFields order={order} version={version} />
    </>
  );
}

function OwnFields({ order, version }: { order: MoreKind; version: string | undefined }) {
  const { t } = useT();
  const needed = [{ required: true, message: t("charging.form-needed") }];
  const words = [{ required: true, whitespace: true, message: t("charging.form-needed") }];
  const location = (
    <Form.Item
      name="location"
      label={t("charging.order-location")}
      extra={t("charging.order-location-hint")}
      rules={words}
    >
      <Input
        maxLength={LOCATION_CHARS_MAX}
        autoComplete="off"
        spellCheck={false}
        placeholder="ftp://files.example/"
      />
    </Form.Item>
  );
  const settings = (isWritten: boolean) => (
    <Form.Item
      name="settings"
      label={t("charging.order-settings")}
      extra={t(isWritten ? "charging.order-settings-write-hint" : "charging.order-settings-read-hint")}
      rules={
        isWritten
          ? [
              ...words,
              {
                validator: (_, entered: string | undefined) =>
                  settingsOf(entered, version).every(({ name, value }) => name && value !== null)
                    ? Promise.resolve()
                    : Promise.reject(new Error(t("charging.order-settings-wrong"))),
              },
            ]
          : undefined
      }
    >
      <Input.TextArea
        rows={3}
        maxLength={TEXT_CHARS_MAX}
        spellCheck={false}
        placeholder={
          (version === "1.6" ? "HeartbeatInterval" : "HeartbeatCtrlr.Interval") + (isWritten ? " = 300" : "")
        }
      />
    </Form.Item>
  );
  switch (order) {
    case "limit":
      return (
        <>
          <Form.Item
            name="powerKw"
            label={t("charging.order-power")}
            extra={t("charging.order-power-hint")}
            rules={needed}
          >
            <InputNumber min={0} max={POWER_KW_MAX} suffix="kW" style={{ width: 180 }} />
          </Form.Item>
          <Form.Item name="minutes" label={t("charging.order-minutes")} rules={needed}>
            <InputNumber
              min={1}
              max={MINUTES_MAX}
              precision={0}
              suffix={t("charging.order-minutes-unit")}
              style={{ width: 180 }}
            />
          </Form.Item>
        </>
      );
    case "trigger":
      return (
        <>
          <Form.Item name="message" label={t("charging.order-message")} rules={needed}>
            <Select<ChargingMessage>
              options={MESSAGES.map((value) => ({ value, label: t(`charging-message.${value}`) }))}
            />
          </Form.Item>
          <Form.Item
            name="outlet"
            label={`${t("charging.order-outlet")} (${t("word.optional")})`}
            extra={t("charging.order-whole")}
          >
            <InputNumber min={1} max={OUTLET_MAX} precision={0} style={{ width: 160 }} />
          </Form.Item>
        </>
      );
    case "read_settings":
      return settings(false);
    case "write_settings":
      return settings(true);
    case "log":
      return (
        <>
          {location}
          <Form.Item name="security" label={t("charging.order-log-kind")}>
            <Radio.Group
              options={[false, true].map((value) => ({
                value,
                label: t(value ? "charging.order-log-security" : "charging.order-log-diagnostics"),
              }))}
            />
          </Form.Item>
        </>
      );
    case "firmware":
      return (
        <>
          {location}
          {version !== "1.6" && (
            <>
              <Form.Item
                name="certificate"
                label={`${t("charging.order-certificate")} (${t("word.optional")})`}
              >
                <Input.TextArea
                  rows={2}
                  spellCheck={false}
                  placeholder="-----BEGIN CERTIFICATE-----"
                  maxLength={TEXT_CHARS_MAX}
                />
              </Form.Item>
              <Form.Item name="signature" label={`${t("charging.order-signature")} (${t("word.optional")})`}>
                <Input maxLength={800} autoComplete="off" spellCheck={false} />
              </Form.Item>
            </>
          )}
        </>
      );
    case "data":
      return (
        <>
          <Form.Item name="vendor" label={t("charging.order-vendor")} rules={words}>
            <Input maxLength={255} autoComplete="off" spellCheck={false} />
          </Form.Item>
          <Form.Item name="messageId" label={`${t("charging.order-message-id")} (${t("word.optional")})`}>
            <Input maxLength={50} autoComplete="off" spellCheck={false} />
          </Form.Item>
          <Form.Item name="data" label={`${t("charging.order-data")} (${t("word.optional")})`}>
            <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} spellCheck={false} />
          </Form.Item>
        </>
      );
    case "clear_limit":
    case "forget_cards":
      return null;
  }
}

/** What a station said beside yes or no. */
export function MoreSaid({ settings, file, data }: Pick<ChargingOrderAnswer, "settings" | "file" | "data">) {
  const { t } = useT();
  return (
    <>
      {file && <p className="charging-answered">{t("charging.order-file", { file })}</p>}
      {data != null && (
        <p className="charging-answered">
          {t("charging.order-answered", { data: typeof data === "string" ? data : JSON.stringify(data) })}
        </p>
      )}
      {settings.length > 0 && (
        <Table<ChargingSetting>
          size="small"
          rowKey={({ component, name }) => `${component}.${name}`}
          dataSource={settings}
          pagination={settings.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
          scroll={{ x: "max-content", y: 360 }}
          className="tabular charging-answered"
          onRow={() => ({ "data-testid": "charging-setting" }) as React.HTMLAttributes<HTMLElement>}
          columns={[
            {
              title: t("charging.setting"),
              render: (_, { component, name }) => (component ? `${component}.${name}` : name),
            },
            { title: t("charging.setting-value"), dataIndex: "value" },
            {
              title: t("charging.setting-status"),
              render: (_, { status }) => {
                const key = status ? keyOf("charging-said", status) : undefined;
                return key ? t(key) : status;
              },
            },
          ]}
        />
      )}
    </>
  );
}
