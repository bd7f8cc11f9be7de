/** Cards that may charge, as pseudonyms: registered, changed, blocked and let go again. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, DatePicker, Form, Input, Table, Tag } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { time, ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingCard, ChargingCardDraft } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { cardActions, cardListActions } from "./actions.tsx";
import { Card as CardMark } from "./marks.tsx";
import { cardsQuery, putCard, ROOM, sessionsPath } from "./queries.ts";
import { MINUTE, moment, shortCard } from "./say.ts";

const HOLDER_CHARS_MAX = 100;
const CARD_CHARS_MAX = 128;

type CardState = "good" | "blocked" | "expired";
const STATE_COLOURS: Record<CardState, string> = { good: "green", blocked: "red", expired: "gold" };

export function cardState({ blocked, good_until }: ChargingCard, now: number): CardState {
  if (blocked) return "blocked";
  return good_until !== null && Date.parse(good_until) <= now ? "expired" : "good";
}

export function Cards() {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const cards = useInfiniteQuery(cardsQuery);
  const items = useMemo(() => cards.data?.pages.flatMap((page) => page.items) ?? [], [cards.data]);
  /** The card whose form is open; `new` for one that is to be registered. */
  const [open, setOpen] = useState<ChargingCard | "new" | null>(null);
  const list = { add: () => setOpen("new") };
  useActionKeys(cardListActions, open ? null : list);
  const block = (card: ChargingCard, blocked: boolean) =>
    modal.confirm({
      title: t(blocked ? "charging.card-block-confirm" : "charging.card-unblock-confirm", {
        holder: card.holder,
      }),
      content: (
        <>
          <p>
            <CardMark card={card.card} />
          </p>
          <p>{t(blocked ? "charging.card-block-text" : "charging.card-unblock-text")}</p>
        </>
      ),
      okText: t(blocked ? "charging.card-block" : "charging.card-unblock"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: blocked },
      onOk: async () => {
        try {
          await putCard({ pseudonym: card.card, holder: card.holder, blocked, good_until: card.good_until });
          message.success(t("charging.card-saved"));
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
        void queryClient.invalidateQueries({ queryKey: ROOM });
      },
    });
  const failure = useFailure(cards);
  const shown = () => {
    if (failure) return failure;
    if (!cards.data) return <Loading tall />;
    if (items.length === 0)
      return <Nothing title={t("charging.card-none")} mend={t("charging.card-none-mend")} />;
    return <List items={items} change={setOpen} block={block} />;
  };
  return (
    <>
      <div className="toolbar charging-line-bar">
        <span className="quiet">{t("charging.cards-about")}</span>
        <span className="charging-grow" />
        <ActionBar actions={cardListActions} context={list} />
      </div>
      {shown()}
      <More list={cards} />
      {open && <CardDialog card={open === "new" ? null : open} onClose={() => setOpen(null)} />}
    </>
  );
}

function List({
  items,
  change,
  block,
}: {
  items: ChargingCard[];
  change: (card: ChargingCard) => void;
  block: (card: ChargingCard, blocked: boolean) => void;
}) {
  const { t } = useT();
  const phone = usePhone();
  const now = Date.now();
  const state = (card: ChargingCard) => {
    const word = cardState(card, now);
    return (
      <Tag color={STATE_COLOURS[word]} style={{ marginInlineEnd: 0 }}>
        {t(`charging-card.${word}`)}
      </Tag>
    );
  };
  const pseudonym = ({ card }: ChargingCard) => (
    <>
      <CardMark card={card} />
      <CopyButton text={card} label={`${t("charging.card-pseudonym-copy")} ${shortCard(card)}`} />
    </>
  );
  const until = ({ good_until }: ChargingCard, bare: boolean) =>
    good_until ? <Time at={good_until} bare={bare} /> : t("charging.card-always");
  const bar = (card: ChargingCard) => (
    <ActionBar actions={cardActions} context={{ card, change, block }} size="small" />
  );
  const sessions = ({ card }: ChargingCard) => (
    <Link className="charging-link" to={sessionsPath({ card })}>
      {t("charging.card-sessions-short")}
    </Link>
  );
  if (phone) {
    return (
      <ul className="card-list">
        {items.map((card) => (
          <li key={card.card} className="item-card charging-plain" data-testid="charging-card">
            <span className="item-card-head">
              <strong>{card.holder}</strong>
              {state(card)}
            </span>
            <span>
              {pseudonym(card)} · {sessions(card)}
            </span>
            <span className="quiet">
              {t("charging.card-until")} {until(card, false)}
            </span>
            <span className="charging-orders">{bar(card)}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<ChargingCard>
      size="small"
      rowKey="card"
      dataSource={items}
      pagination={false}
      className="tabular"
      scroll={{ x: 1_080 }}
      onRow={() => ({ "data-testid": "charging-card" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        { title: t("word.state"), width: 100, render: (_, card) => state(card) },
        { title: t("charging.holder"), dataIndex: "holder" },
        { title: t("charging.card-pseudonym"), width: 190, render: (_, card) => pseudonym(card) },
        {
          title: `${t("charging.card-until")} (${ZONE_LABEL})`,
          width: 190,
          render: (_, card) => until(card, true),
        },
        {
          title: `${t("charging.card-changed")} (${ZONE_LABEL})`,
          width: 250,
          render: (_, card) => (
            <>
              <Time at={card.changed_at} bare /> <span className="quiet">{card.changed_by}</span>
            </>
          ),
        },
        { title: t("charging.sessions"), width: 90, render: (_, card) => sessions(card) },
        {
          title: t("word.operations"),
          width: 220,
          render: (_, card) => <span className="charging-orders">{bar(card)}</span>,
        },
      ]}
    />
  );
}

interface Entered {
  card?: string;
  holder: string;
  until?: Dayjs | null;
}

/** A card to be registered, or what is kept of one that is. */
function CardDialog({ card, onClose }: { card: ChargingCard | null; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  useFocusBack();
  const perform = async (entered: Entered) => {
    const kept: ChargingCardDraft = {
      holder: entered.holder.trim(),
      good_until: entered.until ? moment(entered.until) : null,
    };
    await putCard(
      card
        ? { ...kept, pseudonym: card.card, blocked: card.blocked }
        : { ...kept, card: entered.card?.trim() ?? "", blocked: false },
    );
    message.success(t("charging.card-saved"));
    void queryClient.invalidateQueries({ queryKey: ROOM });
    onClose();
  };
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={t(card ? "charging.card-change-title" : "charging.card-add")}
      okText={t(card ? "charging.card-save" : "charging.card-add")}
      submitId="charging-card-submit"
      initialValues={
        card
          ? { holder: card.holder, until: card.good_until ? dayjs(time(card.good_until)) : null }
          : undefined
      }
      intro={
        card && (
          <p>
            {t("charging.card-pseudonym")} <CardMark card={card.card} />
          </p>
        )
      }
    >
      {!card && (
        <Form.Item
          name="card"
          label={t("charging.card-number")}
          extra={t("charging.card-number-hint")}
          rules={[
            { required: true, message: t("charging.form-needed") },
            { pattern: /^\s*[\x21-\x7e]{1,128}\s*$/, message: t("charging.card-number-wrong") },
          ]}
        >
          <Input autoFocus autoComplete="off" spellCheck={false} maxLength={CARD_CHARS_MAX} />
        </Form.Item>
      )}
      <Form.Item
        name="holder"
        label={t("charging.holder")}
        extra={t("charging.card-holder-hint")}
        rules={[{ required: true, whitespace: true, message: t("charging.form-needed") }]}
      >
        <Input autoFocus={card !== null} autoComplete="off" maxLength={HOLDER_CHARS_MAX} />
      </Form.Item>
      <Form.Item
        name="until"
        label={`${t("charging.card-until")} (${t("word.optional")})`}
        extra={t("charging.card-until-hint", { zone: ZONE_LABEL })}
      >
        <DatePicker showTime={{ format: "HH:mm" }} format={MINUTE} style={{ width: 220 }} />
      </Form.Item>
    </FormDialog>
  );
}
