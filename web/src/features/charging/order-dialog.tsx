/** An order to a station: what exactly, asked once more, then the station's answer. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, AutoComplete, Button, Form, Input, InputNumber, Modal, Radio } from "antd";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ApiError } from "../../lib/api.ts";
import type { ChargingOrder, ChargingOrderAnswer } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import type { OrderKind } from "./actions.tsx";
import { outletWord } from "./marks.tsx";
import {
  isMore,
  isMoreOrder,
  MORE_INITIAL,
  type MoreEntered,
  MoreFields,
  MoreSaid,
  moreOrderOf,
  moreQuestionOf,
  type PlainKind,
} from "./more-orders.tsx";
import { ROOM, runningQuery, order as send, stationsQuery } from "./queries.ts";
import { energy } from "./say.ts";

/** Longest card and transaction that the server takes. */
const NAME_CHARS_MAX = 128;
const OUTLET_MAX = 1_000;

interface Entered extends MoreEntered {
  outlet?: number | null;
  card?: string;
  transaction?: string;
  immediate?: boolean;
  operative?: boolean;
}

/** What is sent. */
export function orderOf(kind: OrderKind, entered: Entered, version?: string): ChargingOrder {
  const outlet = entered.outlet ?? null;
  if (isMore(kind)) return moreOrderOf(kind, entered, version);
  switch (kind) {
    case "start":
      return { order: kind, outlet, card: entered.card?.trim() ?? "" };
    case "stop":
      return { order: kind, transaction: entered.transaction?.trim() ?? "" };
    case "unlock":
      return { order: kind, outlet: outlet ?? 1 };
    case "reset":
      return { order: kind, immediate: entered.immediate ?? false };
    case "availability":
      return { order: kind, outlet, operative: entered.operative ?? false };
  }
}

/** What it means, as a question. */
function questionOf(station: string, told: ChargingOrder, t: Translate): string {
  const where = (outlet: number | null | undefined, none: string) =>
    outlet ? t("charging.where", { n: outlet }) : none;
  if (isMoreOrder(told)) return moreQuestionOf(station, told, t);
  switch (told.order) {
    case "start":
      return t("charging.ask-start", {
        station,
        where: where(told.outlet, t("charging.where-any")),
        card: told.card,
      });
    case "stop":
      return t("charging.ask-stop", { station, transaction: told.transaction });
    case "unlock":
      return t("charging.ask-unlock", { station, where: where(told.outlet, "") });
    case "reset":
      return t(told.immediate ? "charging.ask-reset-hard" : "charging.ask-reset-soft", { station });
    case "availability":
      return t(told.operative ? "charging.ask-in" : "charging.ask-out", {
        station,
        where: where(told.outlet, t("charging.where-whole")),
      });
  }
}

type Came = { answer: ChargingOrderAnswer } | { error: unknown };

export function OrderDialog({
  station,
  order: first,
  filled,
  onClose,
}: {
  station: string;
  order: OrderKind;
  /** What is known already. */
  filled?: Entered;
  onClose: () => void;
}) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const [order, setOrder] = useState(first);
  const version = useQuery(stationsQuery).data?.items.find(({ identity }) => identity === station)?.version;
  const [form] = Form.useForm<Entered>();
  const [told, setTold] = useState<ChargingOrder | null>(null);
  const [busy, setBusy] = useState(false);
  const [came, setCame] = useState<Came | null>(null);
  const stage = came ? "came" : told ? "asked" : "filled";
  const main = useRef<HTMLButtonElement>(null);
  useFocusBack();
  // The field that had the keyboard is gone: the button that goes on gets it.
  useEffect(() => {
    if (stage === "filled") return;
    const frame = requestAnimationFrame(() => main.current?.focus());
    return () => cancelAnimationFrame(frame);
  }, [stage]);
  const next = async () => {
    const entered = await form.validateFields().catch(() => null);
    if (entered) setTold(orderOf(order, entered, version));
  };
  const perform = async () => {
    if (!told) return;
    setBusy(true);
    try {
      setCame({ answer: await send(station, told) });
    } catch (error) {
      setCame({ error });
    } finally {
      setBusy(false);
      void queryClient.invalidateQueries({ queryKey: ROOM });
    }
  };
  const footer = (): ReactNode => {
    if (came) {
      return (
        <Button key="close" ref={main} type="primary" onClick={onClose}>
          {t("word.close")}
        </Button>
      );
    }
    if (told) {
      return (
        <>
          <Button onClick={() => setTold(null)} disabled={busy}>
            {t("charging.order-back")}
          </Button>
          <Button
            type="primary"
            danger
            loading={busy}
            key="send"
            ref={main}
            data-testid="charging-order-send"
            onClick={() => void perform()}
          >
            {t("charging.order-send")}
          </Button>
        </>
      );
    }
    return (
      <>
        <Button onClick={onClose}>{t("word.cancel")}</Button>
        <Button type="primary" data-testid="charging-order-next" onClick={() => void next()}>
          {t("charging.order-next")}
        </Button>
      </>
    );
  };
  return (
    <Modal
      open
      onCancel={onClose}
      closable={!busy}
      mask={{ closable: false }}
      keyboard={!busy}
      title={t("charging.order-title", { order: t(`charging-order.${order}`), station })}
      footer={footer()}
    >
      <div hidden={told !== null}>
        <Form
          form={form}
          layout="vertical"
          initialValues={{
            outlet: order === "unlock" ? 1 : null,
            immediate: false,
            operative: false,
            ...MORE_INITIAL,
            ...filled,
          }}
          onFinish={() => void next()}
        >
          {isMore(order) ? (
            <MoreFields order={order} version={version} choose={setOrder} />
          ) : (
            <Fields order={order} station={station} />
          )}
          {/* Enter in a field goes on. */}
          <button type="submit" hidden aria-hidden="true" tabIndex={-1} />
        </Form>
      </div>
      {told && !came && (
        <div role="alert" data-testid="charging-order-question">
          <p className="charging-question">{questionOf(station, told, t)}</p>
          <p className="quiet">{t("charging.order-audited")}</p>
        </div>
      )}
      {came && <CameOf came={came} />}
    </Modal>
  );
}

/** What came of it: the station's word, or why there is none. */
function CameOf({ came }: { came: Came }) {
  const { t } = useT();
  if ("error" in came) {
    const isOpen = came.error instanceof ApiError && came.error.status === 504;
    return (
      <Alert
        type={isOpen ? "warning" : "error"}
        showIcon
        role="alert"
        data-testid="charging-order-came"
        title={t(isOpen ? "charging.order-unknown" : "charging.order-not-sent")}
        description={errorText(came.error, t)}
      />
    );
  }
  const { accepted, status, settings, file, data } = came.answer;
  const key = status ? keyOf("charging-said", status) : undefined;
  const said = status && (key ? `${t(key)} (${status})` : status);
  return (
    <>
      <Alert
        type={accepted ? "success" : "warning"}
        showIcon
        role="alert"
        data-testid="charging-order-came"
        title={t(accepted ? "charging.order-did" : "charging.order-did-not")}
        description={said && t("charging.order-said", { status: said })}
      />
      <MoreSaid settings={settings} file={file} data={data} />
    </>
  );
}

function Fields({ order, station }: { order: PlainKind; station: string }) {
  const { t } = useT();
  const needed = [{ required: true, message: t("charging.form-needed") }];
  const words = [{ required: true, whitespace: true, message: t("charging.form-needed") }];
  const outlet = (hint: string | undefined) => (
    <Form.Item
      name="outlet"
      label={hint ? `${t("charging.order-outlet")} (${t("word.optional")})` : t("charging.order-outlet")}
      extra={hint}
      rules={hint ? undefined : needed}
    >
      <InputNumber min={1} max={OUTLET_MAX} precision={0} style={{ width: 160 }} />
    </Form.Item>
  );
  switch (order) {
    case "start":
      return (
        <>
          <Form.Item
            name="card"
            label={t("charging.card-number")}
            extra={t("charging.order-card-hint")}
            rules={words}
          >
            <Input autoFocus autoComplete="off" maxLength={NAME_CHARS_MAX} spellCheck={false} />
          </Form.Item>
          {outlet(t("charging.order-any"))}
        </>
      );
    case "stop":
      return (
        <Form.Item
          name="transaction"
          label={t("charging.order-transaction")}
          extra={t("charging.order-transaction-hint")}
          rules={words}
        >
          <Transaction station={station} />
        </Form.Item>
      );
    case "unlock":
      return outlet(undefined);
    case "reset":
      return (
        <Form.Item name="immediate" label={t("charging.order-immediate")}>
          <Radio.Group
            options={[false, true].map((value) => ({
              value,
              label: t(value ? "charging.order-hard" : "charging.order-soft"),
            }))}
          />
        </Form.Item>
      );
    case "availability":
      return (
        <>
          <Form.Item name="operative" label={t("charging.order-operative")}>
            <Radio.Group
              options={[true, false].map((value) => ({
                value,
                label: t(value ? "charging.order-in" : "charging.order-out"),
              }))}
            />
          </Form.Item>
          {outlet(t("charging.order-whole"))}
        </>
      );
  }
}

/** A transaction: those that go on at the station are offered. */
function Transaction({
  station,
  id,
  value,
  onChange,
}: {
  station: string;
  /** These three come of the form. */
  id?: string;
  value?: string;
  onChange?: (value: string) => void;
}) {
  const { t } = useT();
  const running = useQuery(runningQuery(station)).data?.items ?? [];
  return (
    <AutoComplete
      id={id}
      value={value}
      onChange={onChange}
      maxLength={NAME_CHARS_MAX}
      options={running.map(({ transaction_id: transaction, connector, energy_wh: wh }) => ({
        value: transaction,
        label: t("charging.order-running", {
          transaction,
          where: outletWord(connector, t),
          energy: energy(wh),
        }),
      }))}
    />
  );
}
