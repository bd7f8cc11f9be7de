/** Asks for a command: what it is to say, why, and what the interlocks say of that now. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Form, Input, InputNumber, Modal, Radio, Select } from "antd";
import { useT } from "../../i18n/index.tsx";
import { number, unitSymbol } from "../../lib/format.ts";
import type { CommandDetail, CommandOffer, Entity } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Interlocks, Why } from "./marks.tsx";
import { type Asked, ask, judgedQuery, offersQuery } from "./queries.ts";

const REASON_CHARS_MAX = 500;
/** Codes of reasons that the list of interlocks tells already. */
const OF_INTERLOCKS = "command-interlock";

/** What a dialog is opened with: the thing, and what is filled in already. */
export interface Filled extends Partial<Asked> {
  thing: Entity;
}

interface Opened extends Filled {
  onClose: () => void;
  onAsked: (command: CommandDetail) => void;
}

export function AskDialog(opened: Opened) {
  const { t } = useT();
  const offers = useQuery(offersQuery(opened.thing.id));
  const [first] = offers.data ?? [];
  if (first) return <AskForm {...opened} offers={offers.data ?? []} first={first} />;
  // It opens once it is known what can be asked: a dialog that changes under the hand is worse than a moment's wait.
  if (offers.isPending) return null;
  return (
    <Modal open onCancel={opened.onClose} footer={null} title={t("dispatch.ask")}>
      <Loaded query={offers}>{() => <Nothing title={t("dispatch.no-offers")} />}</Loaded>
    </Modal>
  );
}

function AskForm({
  thing,
  command: chosen,
  value: filled,
  reason,
  offers,
  first,
  onClose,
  onAsked,
}: Opened & { offers: CommandOffer[]; first: CommandOffer }) {
  const { t, p } = useT();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Asked>();
  // What was filled in holds only where the thing can be told it.
  const given = offers.find((each) => each.command === chosen);
  const begin = given?.command ?? first.command;
  const command = Form.useWatch("command", form) ?? begin;
  const value = Form.useWatch("value", form);
  const offer = offers.find((each) => each.command === command) ?? first;
  const text = value === undefined || value === null ? "" : String(value);
  const judged = useQuery(judgedQuery(thing.id, offer.command, text)).data;
  const now = text && judged?.command === offer.command ? judged : offer;
  const why = now.why.filter(({ code }) => !code.startsWith(OF_INTERLOCKS));
  const held = now.why.filter(({ code }) => code.startsWith(OF_INTERLOCKS));
  const mends = [...new Set(held.map(({ mend_zh, mend_en }) => p(mend_zh, mend_en)))];
  const perform = async (asked: Asked) => {
    const made = await ask(thing.id, { ...asked, command: offer.command });
    void queryClient.invalidateQueries({ queryKey: ["commands"] });
    onAsked(made);
  };
  return (
    <FormDialog<Asked>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("dispatch.ask-of", { name: thing.name ?? thing.id })}
      okText={t("dispatch.ask")}
      submitId="dispatch-ask"
      initialValues={given ? { command: begin, value: filled, reason } : { command: begin }}
      intro={
        offer.approval === "second-person" && (
          <p className="quiet">
            {t("dispatch.second-person", { minutes: Math.round(offer.expires_seconds / 60) })}
          </p>
        )
      }
    >
      <Form.Item name="command" label={t("dispatch.command")} hidden={offers.length < 2}>
        <Select
          onChange={() => form.resetFields(["value"])}
          options={offers.map((each) => ({ value: each.command, label: p(each.title_zh, each.title_en) }))}
        />
      </Form.Item>
      <Form.Item
        name="value"
        label={p(offer.title_zh, offer.title_en)}
        extra={rangeOf(offer)}
        rules={[{ required: true, message: t("dispatch.value-missing") }]}
      >
        {offer.value === "number" ? (
          <InputNumber
            min={offer.min ?? undefined}
            max={offer.max ?? undefined}
            step={offer.step ?? undefined}
            suffix={unitSymbol(offer.unit)}
            style={{ width: 200 }}
          />
        ) : offer.value === "boolean" ? (
          <Radio.Group
            options={[true, false].map((each) => ({
              value: each,
              label: t(each ? "dispatch.on" : "dispatch.off"),
            }))}
          />
        ) : (
          <Select
            options={offer.words.map((word) => ({
              value: word.value,
              label: p(word.title_zh, word.title_en),
            }))}
          />
        )}
      </Form.Item>
      <Form.Item
        name="reason"
        label={t("dispatch.reason")}
        rules={[{ required: true, whitespace: true, message: t("dispatch.reason-missing") }]}
      >
        <Input.TextArea
          rows={2}
          maxLength={REASON_CHARS_MAX}
          showCount
          placeholder={t("dispatch.reason-hint")}
        />
      </Form.Item>
      <h3>{t("dispatch.interlocks-now")}</h3>
      {now.interlocks.length > 0 ? (
        <Interlocks interlocks={now.interlocks} />
      ) : (
        <p className="quiet">{t("dispatch.interlocks-none")}</p>
      )}
      {now.may_ask === false && (
        <Alert
          type="warning"
          showIcon
          className="dispatch-told"
          data-testid="dispatch-cannot"
          title={t("dispatch.cannot-ask")}
          description={
            <>
              {why.length > 0 && <Why why={why} />}
              {mends.map((mend) => (
                <div key={mend}>{mend}</div>
              ))}
            </>
          }
        />
      )}
    </FormDialog>
  );
}

/** `0 – 2.5`, of a number. */
function rangeOf({ min, max }: CommandOffer): string | null {
  if (min === null && max === null) return null;
  return `${min === null ? "" : number(min)} – ${max === null ? "" : number(max)}`;
}
