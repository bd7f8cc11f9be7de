/** Start at a point: where its code leads to. Price and what is set aside stand there before anybody confirms. */
import { ArrowLeftOutlined, CalendarOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Card } from "antd";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, useActionKeys } from "../../lib/actions.tsx";
import { useWay } from "../../lib/embed.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { startAction, startActions } from "./actions.tsx";
import { checked, type Outlet } from "./code.ts";
import { pointAt } from "./find.ts";
import { AsOf, money, PointTag, PriceMark, powerWord, Sandbox, To, toldWord } from "./marks.tsx";
import { orderPath, placePath, placesQuery, ROOM, reservePath, start } from "./queries.ts";
import { Refused } from "./refused.tsx";
import type { Place, Places, Point } from "./types.ts";
import { useKeyed } from "./use-key.ts";

export function StartPage() {
  const { t } = useT();
  const asked = useParams();
  const outlet = checked(asked.station, asked.outlet);
  if (!outlet) return <Nothing title={t("charge.code-wrong")} mend={t("charge.code-wrong-mend")} />;
  return <At key={`${outlet.station} ${outlet.outlet}`} outlet={outlet} />;
}

function At({ outlet: { station, outlet } }: { outlet: Outlet }) {
  const { t } = useT();
  const places = useQuery(placesQuery);
  const failure = useFailure(places);
  const at = places.data && pointAt(places.data.items, station, outlet);
  return (
    <>
      <To to={at ? placePath(at.place.id) : "/charge/scan"} className="back">
        <ArrowLeftOutlined /> {t(at ? "charge.back-place" : "charge.back-scan")}
      </To>
      <AsOf query={places} />
      {!places.data && (failure ?? <Loading tall />)}
      {places.data && !at && (
        <Nothing
          title={t("charge.point-missing", { station, n: outlet })}
          mend={t("charge.point-missing-mend")}
        />
      )}
      {places.data && at && <Shown places={places.data} {...at} />}
    </>
  );
}

function Shown({ places, place, point }: { places: Places; place: Place; point: Point }) {
  const { t, p } = useT();
  const { modal } = App.useApp();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const way = useWay();
  const keyed = useKeyed(point.id);
  const [refused, setRefused] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const name = p(point.name, point.name_en);
  const hold = money(places.hold_fen, t);
  const begin = async () => {
    setBusy(true);
    setRefused(null);
    try {
      const order = await keyed((key) => start(point.station, point.outlet, key));
      navigate(way(orderPath(order.id)));
    } catch (error) {
      setRefused(error);
    } finally {
      setBusy(false);
      void queryClient.invalidateQueries({ queryKey: ROOM });
    }
  };
  // Nothing waits for the answer: the button must not look as if something were under way.
  const ask = () => {
    modal.confirm({
      title: t("charge.start-confirm", { point: name }),
      content: (
        <>
          <p>{t("charge.hold", { amount: hold })}</p>
          {places.payment.is_sandbox && <Sandbox payment={places.payment} />}
        </>
      ),
      okText: t("charge.start"),
      cancelText: t("word.cancel"),
      okButtonProps: { "data-testid": "charge-start-sure" },
      onOk: () => void begin(),
    });
  };
  const context = { point, ask };
  useActionKeys(startActions, busy ? null : context);
  return (
    <Card size="small" className="charge-start" data-testid="charge-start">
      <span className="item-card-head">
        <h2>{name}</h2>
        <PointTag point={point} />
      </span>
      <p className="quiet">{p(place.name, place.name_en)}</p>
      <dl className="problem charge-facts">
        <dt>{t("charge.price")}</dt>
        <dd>
          <PriceMark price={place.price} whole />
        </dd>
        {point.rated_power_w !== null && (
          <>
            <dt>{t("charge.power")}</dt>
            <dd>{powerWord(point.rated_power_w)}</dd>
          </>
        )}
        {point.connector_type && (
          <>
            <dt>{t("charge.connector")}</dt>
            <dd>{point.connector_type}</dd>
          </>
        )}
        <dt>{t("charge.number")}</dt>
        <dd>{t("charge.outlet-of", { station: point.station, n: point.outlet })}</dd>
      </dl>
      {point.may_start ? (
        <p className="charge-hold">{t("charge.hold", { amount: hold })}</p>
      ) : (
        <Alert
          type="warning"
          showIcon
          title={t("charge.may-not")}
          description={point.why_not ? toldWord(point.why_not, t) : undefined}
          data-testid="charge-may-not"
        />
      )}
      <Sandbox payment={places.payment} />
      {refused !== null && <Refused error={refused} look="/charge/orders" />}
      {point.may_start && (
        <ActionButton action={startAction} context={context} size="large" block disabled={busy} />
      )}
      {busy && (
        <p role="status" className="quiet">
          {t("charge.starting-sent")}
        </p>
      )}
      <To to={reservePath(point.station, point.outlet)} className="charge-button">
        <CalendarOutlined /> {t("charge.reserve")}
      </To>
    </Card>
  );
}
