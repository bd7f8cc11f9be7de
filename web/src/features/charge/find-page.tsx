/** Find (找桩): the places as a list and on the map, filtered by what the address says, the nearest first once the phone may say where it is. */
import { AimOutlined, EnvironmentOutlined, SearchOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Input, Segmented, Select } from "antd";
import { lazy, Suspense, useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { connectorsOf, type Found, found, POWERS_KW, type Wanted, wantedOf } from "./find.ts";
import { askWhere, forgetWhere, useHere } from "./locate.ts";
import { AsOf, FreeMark, farWord, PriceMark, powerWord, To } from "./marks.tsx";
import { placePath, placesQuery } from "./queries.ts";
import type { Places } from "./types.ts";

// The map's own program is large, and a list does without it.
const PlacesMap = lazy(async () => ({ default: (await import("./places-map.tsx")).PlacesMap }));

export function Find() {
  const places = useQuery(placesQuery);
  const failure = useFailure(places);
  return (
    <>
      <AsOf query={places} />
      {places.data ? <Shown places={places.data} /> : (failure ?? <Loading tall />)}
    </>
  );
}

function Shown({ places }: { places: Places }) {
  const { t, language } = useT();
  const phone = usePhone();
  const [parameters, set] = useAddress();
  const here = useHere();
  const wanted = wantedOf(parameters);
  const at = here && "place" in here ? here.place : null;
  const shown = found(places.items, wanted, at, language);
  const isMap = parameters.get("view") === "map";
  const chosen = shown.find(({ place }) => place.id === parameters.get("place"));
  const map = (
    <Suspense fallback={<Loading tall />}>
      <PlacesMap
        found={shown}
        here={at}
        chosen={chosen?.place.id ?? null}
        onChoose={(id) => set({ place: id })}
      />
    </Suspense>
  );
  const list = shown.length > 0 && (
    <ul className="card-list charge-list" data-testid="charge-places">
      {shown.map((one) => (
        <li key={one.place.id}>
          <PlaceCard found={one} />
        </li>
      ))}
    </ul>
  );
  const isFiltered = wanted.free || wanted.power > 0 || wanted.connector !== "" || wanted.words.trim() !== "";
  return (
    <>
      <Filters
        wanted={wanted}
        connectors={connectorsOf(places.items)}
        onChange={(changes) => set({ ...changes, place: undefined })}
      />
      <div className="charge-bar">
        <Where />
        {phone && (
          <Segmented
            className="charge-views"
            aria-label={t("charge.view")}
            value={isMap ? "map" : "list"}
            onChange={(view) => set({ view: view === "map" ? "map" : undefined })}
            options={[
              { value: "list", label: t("charge.view-list"), icon: <UnorderedListOutlined /> },
              { value: "map", label: t("charge.view-map"), icon: <EnvironmentOutlined /> },
            ]}
          />
        )}
        <span className="quiet" role="status">
          {t("charge.found", { n: shown.length })}
        </span>
      </div>
      {shown.length === 0 && (
        <Nothing
          title={t(isFiltered ? "charge.none-fit" : "charge.none")}
          mend={t(isFiltered ? "charge.none-fit-mend" : "charge.none-mend")}
          action={
            isFiltered && (
              <Button onClick={() => set({ free: null, power: null, connector: null, q: null })}>
                {t("charge.clear")}
              </Button>
            )
          }
        />
      )}
      {shown.length > 0 && !phone && (
        <div className="charge-split">
          {list}
          <div className="charge-map-field">
            {map}
            {chosen && <MapCard found={chosen} onClose={() => set({ place: undefined })} />}
          </div>
        </div>
      )}
      {shown.length > 0 &&
        phone &&
        (isMap ? (
          <div className="charge-map-field">
            {map}
            {chosen && <MapCard found={chosen} onClose={() => set({ place: undefined })} />}
          </div>
        ) : (
          list
        ))}
    </>
  );
}

/** Sorts by distance once it is tapped; says why it cannot. */
function Where() {
  const { t } = useT();
  const here = useHere();
  const [busy, setBusy] = useState(false);
  const ask = async () => {
    setBusy(true);
    await askWhere();
    setBusy(false);
  };
  if (here && "place" in here) {
    return (
      <Button icon={<AimOutlined />} onClick={forgetWhere} aria-pressed>
        {t("charge.by-name")}
      </Button>
    );
  }
  return (
    <>
      <Button icon={<AimOutlined />} loading={busy} onClick={ask} data-testid="charge-where">
        {t("charge.nearest")}
      </Button>
      {here && (
        <Alert className="charge-refused" type="info" showIcon title={t(`charge-where.${here.refused}`)} />
      )}
    </>
  );
}

function Filters({
  wanted,
  connectors,
  onChange,
}: {
  wanted: Wanted;
  connectors: string[];
  onChange: (changes: Record<string, string | null>) => void;
}) {
  const { t } = useT();
  return (
    <section className="charge-filters" aria-label={t("charge.filters")}>
      <Input
        type="search"
        className="charge-words"
        prefix={<SearchOutlined aria-hidden />}
        aria-label={t("charge.words")}
        placeholder={t("charge.words")}
        value={wanted.words}
        onChange={({ target }) => onChange({ q: target.value || null })}
      />
      <Button
        aria-pressed={wanted.free}
        type={wanted.free ? "primary" : "default"}
        onClick={() => onChange({ free: wanted.free ? null : "1" })}
      >
        {t("charge.free-only")}
      </Button>
      <Select<number>
        className="charge-select"
        aria-label={t("charge.power")}
        value={wanted.power}
        onChange={(power) => onChange({ power: power > 0 ? String(power) : null })}
        options={[
          { value: 0, label: t("charge.power-any") },
          ...POWERS_KW.map((n) => ({ value: n as number, label: t("charge.power-least", { n }) })),
        ]}
      />
      <Select<string>
        className="charge-select"
        aria-label={t("charge.connector")}
        value={wanted.connector}
        onChange={(connector) => onChange({ connector: connector || null })}
        options={[
          { value: "", label: t("charge.connector-any") },
          ...connectors.map((one) => ({ value: one, label: one })),
        ]}
        popupMatchSelectWidth={false}
      />
    </section>
  );
}

/** A place's points in one line: powers and connectors. */
function Kinds({ found: { fitting } }: { found: Found }) {
  const words = useMemo(() => {
    const powers = fitting.flatMap(({ rated_power_w: one }) => one ?? []);
    const [least, most] = [Math.min(...powers), Math.max(...powers)];
    const power =
      powers.length === 0
        ? []
        : [least === most ? powerWord(most) : `${powerWord(least)} – ${powerWord(most)}`];
    return [...power, ...new Set(fitting.flatMap(({ connector_type: one }) => one ?? []))].join(" · ");
  }, [fitting]);
  return <span className="quiet charge-kinds">{words}</span>;
}

function Facts({ found: one }: { found: Found }) {
  const { t, p } = useT();
  const { place, fitting, metres } = one;
  return (
    <>
      <span className="item-card-head">
        <strong>{p(place.name, place.name_en)}</strong>
        {metres !== null && <span className="number">{t("charge.far", { far: farWord(metres) })}</span>}
      </span>
      <span className="charge-card-line">
        <FreeMark points={fitting} />
        <PriceMark price={place.price} />
      </span>
      <Kinds found={one} />
    </>
  );
}

function PlaceCard({ found: one }: { found: Found }) {
  return (
    <To to={placePath(one.place.id)} className="item-card charge-place" data-testid="charge-place">
      <Facts found={one} />
    </To>
  );
}

/** The place that was tapped on the map. */
function MapCard({ found: one, onClose }: { found: Found; onClose: () => void }) {
  const { t } = useT();
  return (
    <section className="charge-map-card" aria-live="polite" data-testid="charge-map-card">
      <div className="item-card charge-place">
        <Facts found={one} />
        <span className="charge-buttons">
          <To to={placePath(one.place.id)} className="charge-button charge-button-main">
            {t("charge.open")}
          </To>
          <Button onClick={onClose}>{t("word.close")}</Button>
        </span>
      </div>
    </section>
  );
}
