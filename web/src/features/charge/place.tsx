/** One place: its price, the way there, and its points with what can be done at each. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Card } from "antd";
import { useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { half } from "../../lib/format.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age } from "../../ui/tags.tsx";
import { isApple, mapLinks } from "../field/navigate.ts";
import { metresBetween } from "../field/route.ts";
import { standingOf } from "./find.ts";
import { useHere } from "./locate.ts";
import { AsOf, FreeMark, farWord, PointTag, PriceMark, powerWord, Sandbox, To, toldWord } from "./marks.tsx";
import { placesQuery, pointPath, reservePath } from "./queries.ts";
import type { Place, Places, Point } from "./types.ts";

export function PlacePage() {
  const { t } = useT();
  const id = useParams().id ?? "";
  const places = useQuery(placesQuery);
  const failure = useFailure(places);
  const place = places.data?.items.find((one) => one.id === id);
  return (
    <>
      <To to="/charge" className="back">
        <ArrowLeftOutlined /> {t("charge.back-find")}
      </To>
      <AsOf query={places} />
      {!places.data && (failure ?? <Loading tall />)}
      {places.data && !place && (
        <Nothing title={t("charge.place-missing")} mend={t("charge.place-missing-mend")} />
      )}
      {places.data && place && <Shown place={place} places={places.data} />}
    </>
  );
}

function Shown({ place, places }: { place: Place; places: Places }) {
  const { t, p, language } = useT();
  const here = useHere();
  const metres = here && "place" in here && place.location ? metresBetween(here.place, place.location) : null;
  const name = p(place.name, place.name_en);
  return (
    <>
      <Card size="small" className="charge-place-head">
        <h2>{name}</h2>
        <p className="charge-card-line">
          <FreeMark points={place.points} />
          <PriceMark price={place.price} whole />
        </p>
        <dl className="problem">
          <dt>{t("charge.operator")}</dt>
          <dd>{place.operator ?? t("charge.operator-unknown")}</dd>
          {metres !== null && (
            <>
              <dt>{t("charge.distance")}</dt>
              <dd>{t("charge.far", { far: farWord(metres) })}</dd>
            </>
          )}
        </dl>
        {place.location ? (
          <Ways location={place.location} name={name} />
        ) : (
          <p className="quiet">{t("charge.place-unknown")}</p>
        )}
        {place.note && <p className="quiet charge-note">{half(language, place.note)}</p>}
        <Sandbox payment={places.payment} />
      </Card>
      <h2 className="charge-section">{t("charge.points")}</h2>
      <ul className="card-list charge-points">
        {place.points.map((point) => (
          <li key={point.id}>
            <PointCard point={point} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** The way there, handed over to a map that knows the roads. */
function Ways({ location, name }: { location: [number, number]; name: string }) {
  const { t } = useT();
  return (
    <nav className="charge-ways" aria-label={t("charge.ways")}>
      {mapLinks(location, name, isApple(navigator.userAgent)).map(({ map, url }) => (
        <a
          key={map}
          href={url}
          className="charge-button"
          {...(map === "phone" ? {} : { target: "_blank", rel: "noreferrer noopener" })}
        >
          {t(`charge-way.${map}`)}
        </a>
      ))}
    </nav>
  );
}

function PointCard({ point }: { point: Point }) {
  const { t, p } = useT();
  const kinds = [
    point.rated_power_w === null ? null : powerWord(point.rated_power_w),
    point.connector_type,
    t("charge.outlet-of", { station: point.station, n: point.outlet }),
  ].filter(Boolean);
  return (
    <div className="item-card charge-point" data-testid="charge-point">
      <span className="item-card-head">
        <strong>{p(point.name, point.name_en)}</strong>
        <PointTag point={point} />
      </span>
      <span className="quiet">{kinds.join(" · ")}</span>
      {point.why_not && (
        <span className={standingOf(point) === "out" ? "charge-why" : undefined}>
          {toldWord(point.why_not, t)}
        </span>
      )}
      {point.at && (
        <span className="quiet charge-small">
          {t("charge.told-at")} <Age at={point.at} />
        </span>
      )}
      <span className="charge-buttons">
        {point.may_start && (
          <To to={pointPath(point.station, point.outlet)} className="charge-button charge-button-main">
            {t("charge.start-here")}
          </To>
        )}
        <To to={reservePath(point.station, point.outlet)} className="charge-button">
          {t("charge.reserve")}
        </To>
      </span>
    </div>
  );
}
