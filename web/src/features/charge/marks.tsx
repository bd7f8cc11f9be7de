/** Small marks of a driver's pages: how a point or a charge stands, prices, money, power, how old what is shown is. */
import { WifiOutlined } from "@ant-design/icons";
import { Alert, Tag } from "antd";
import { Link, type LinkProps } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { useWay } from "../../lib/embed.ts";
import { number, shortTime, time, ZONE_LABEL } from "../../lib/format.ts";
import { useNow } from "../../ui/tags.tsx";
import { useOnline } from "../field/use-outbox.ts";
import { yuan } from "../projects/money.ts";
import { freeOf, type Standing, standingOf } from "./find.ts";
import type { Order, OrderState, Payment, Point, Price, Reservation, Told } from "./types.ts";

/** A price is in 1/10,000 yuan. */
const PRICE_OF_YUAN = 10_000;

/** A way within these pages; embedded pages stay so. */
export function To({ to, ...rest }: Omit<LinkProps, "to"> & { to: string }) {
  const way = useWay();
  return <Link to={way(to)} {...rest} />;
}

/** `33.26 yuan`. */
export const money = (fen: number, t: Translate): string => t("charge.yuan", { n: yuan(fen) });

/** `1.05`: with two decimals at least, four at most. */
export const priceNumber = (price: number): string =>
  (price / PRICE_OF_YUAN).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 });

export const powerWord = (watts: number): string => `${number(watts / 1_000, 1)} kW`;

/** `850 m`, `3.2 km`. */
export const farWord = (metres: number): string =>
  metres < 1_000 ? `${Math.round(metres / 10) * 10} m` : `${number(metres / 1_000, 1)} km`;

export const toldWord = (told: Told, { language }: Translate): string =>
  language === "zh" ? told.zh : told.en;

/** The price of a kilowatt-hour now, and until when it is that. */
export function PriceMark({ price, whole }: { price: Price | null; whole?: boolean }) {
  const { t } = useT();
  const now = useNow();
  if (!price) return <span className="quiet">{t("charge.price-none")}</span>;
  return (
    <span className="charge-price">
      <strong>{priceNumber(price.now)}</strong> {t("charge.price-unit")}
      {price.until && (
        <span className="quiet charge-until">
          {" "}
          {t("charge.price-until", { time: shortTime(price.until, now) })}
        </span>
      )}
      {whole && (
        <span className="quiet charge-parts">
          {t("charge.price-parts", {
            energy: priceNumber(price.energy),
            service: priceNumber(price.service),
          })}
        </span>
      )}
    </span>
  );
}

/** How many of these points are free. */
export function FreeMark({ points }: { points: readonly Point[] }) {
  const { t } = useT();
  const free = freeOf(points);
  return (
    <span className={free > 0 ? "charge-free charge-free-some" : "charge-free"}>
      {t("charge.free-of", { free, all: points.length })}
    </span>
  );
}

const STANDING_COLOURS: Record<Standing, string> = {
  free: "green",
  busy: "blue",
  out: "red",
  unknown: "default",
};

/** A point's state in words: OCPP's own where the station is connected. */
export function pointWord(point: Point, t: Translate): string {
  if (!point.on_line) return t("charge-status.offline");
  if (point.status === null) return t("charge-status.untold");
  const key = keyOf("charge-status", point.status);
  return key ? t(key) : point.status;
}

export function PointTag({ point }: { point: Point }) {
  const { t } = useT();
  const standing = standingOf(point);
  return (
    <Tag color={STANDING_COLOURS[standing]} style={{ marginInlineEnd: 0 }} data-standing={standing}>
      {pointWord(point, t)}
    </Tag>
  );
}

const ORDER_COLOURS: Record<OrderState, string> = {
  holding: "cyan",
  starting: "cyan",
  charging: "blue",
  ended: "gold",
  review: "orange",
  paying: "cyan",
  owed: "red",
  paid: "green",
  free: "green",
  refused: "default",
};

export function OrderTag({ order }: { order: Order }) {
  const { t } = useT();
  const key = keyOf("charge-state", order.state);
  return (
    <Tag color={ORDER_COLOURS[order.state]} style={{ marginInlineEnd: 0 }} data-state={order.state}>
      {key ? t(key) : order.state}
    </Tag>
  );
}

const RESERVATION_COLOURS: Record<Reservation["state"], string> = {
  held: "cyan",
  confirmed: "blue",
  in_use: "green",
  done: "default",
  cancelled: "default",
  expired: "default",
  no_show: "orange",
};

export function ReservationTag({ state }: { state: Reservation["state"] }) {
  const { t } = useT();
  const key = keyOf("charge-reservation", state);
  return (
    <Tag color={RESERVATION_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {key ? t(key) : state}
    </Tag>
  );
}

/** That no real money moves. */
export function Sandbox({ payment }: { payment: Payment | undefined }) {
  const { t } = useT();
  if (!payment?.is_sandbox) return null;
  return (
    <Tag color="purple" className="charge-sandbox" data-testid="charge-sandbox">
      {t("charge.sandbox")}
    </Tag>
  );
}

/** That what is shown may not be so any more: there is no network, or the server did not answer. */
export function AsOf({ query }: { query: { isError: boolean; dataUpdatedAt: number } }) {
  const { t } = useT();
  const online = useOnline();
  if (online && !query.isError) return null;
  if (query.dataUpdatedAt === 0) return null;
  return (
    <Alert
      type="warning"
      showIcon
      icon={<WifiOutlined />}
      title={t(online ? "charge.unreached" : "charge.offline")}
      description={t("charge.as-of", { time: `${time(query.dataUpdatedAt)} ${ZONE_LABEL}` })}
      data-testid="charge-as-of"
    />
  );
}
