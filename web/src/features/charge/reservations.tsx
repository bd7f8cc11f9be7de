/** My reservations (预约): what is to come first, each with the way to begin there and to give it up. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { useNow } from "../../ui/tags.tsx";
import { reservationActions } from "./actions.tsx";
import { AsOf, ReservationTag, To } from "./marks.tsx";
import { giveUp, pointPath, ROOM, reservationsQuery } from "./queries.ts";
import { spanWord } from "./slots.ts";
import type { Reservation } from "./types.ts";
import { useWhere } from "./use-where.ts";

/** How long an error stays, seconds. */
const ERROR_S = 6;

/** Those that are to come or go on, the next first, then the others. */
export function inOrder(all: readonly Reservation[]): Reservation[] {
  const isAhead = ({ state }: Reservation) => state === "held" || state === "confirmed" || state === "in_use";
  const begin = ({ from }: Reservation) => Date.parse(from);
  return [
    ...all.filter(isAhead).sort((a, b) => begin(a) - begin(b)),
    ...all.filter((one) => !isAhead(one)).sort((a, b) => begin(b) - begin(a)),
  ];
}

export function Reservations() {
  const { t } = useT();
  const whereWord = useWhere();
  const now = useNow();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const reservations = useQuery(reservationsQuery);
  const failure = useFailure(reservations);
  const items = inOrder(reservations.data?.items ?? []);
  const ask = (one: Reservation) => {
    modal.confirm({
      title: t("charge.give-up-confirm", { span: spanWord(one, Date.now()) }),
      okText: t("charge.give-up"),
      cancelText: t("charge.give-up-not"),
      okButtonProps: { danger: true, "data-testid": "charge-give-up-sure" },
      onOk: async () => {
        try {
          await giveUp(one.id);
          message.success(t("charge.given-up"));
        } catch (error) {
          message.error(errorText(error, t), ERROR_S);
        }
        await queryClient.invalidateQueries({ queryKey: ROOM });
      },
    });
  };
  return (
    <>
      <AsOf query={reservations} />
      {!reservations.data && (failure ?? <Loading tall />)}
      {reservations.data && items.length === 0 && (
        <Nothing
          title={t("charge.reservations-none")}
          mend={t("charge.reservations-none-mend")}
          action={
            <To to="/charge" className="charge-button charge-button-main">
              {t("charge-part.find")}
            </To>
          }
        />
      )}
      {items.length > 0 && (
        <ul className="card-list" data-testid="charge-reservations">
          {items.map((one) => (
            <li key={one.id} className="item-card charge-order" data-testid="charge-reservation">
              <span className="item-card-head">
                <strong>{whereWord(one)}</strong>
                <ReservationTag state={one.state} />
              </span>
              <span className="number">
                {spanWord(one, now)} <span className="quiet">{ZONE_LABEL}</span>
              </span>
              <span className="charge-buttons">
                {one.may_cancel && (
                  <To to={pointPath(one.station, one.outlet)} className="charge-button">
                    {t("charge.to-point")}
                  </To>
                )}
                <ActionBar actions={reservationActions} context={{ reservation: one, ask }} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
