/** Whom an alert affects: who is reached already and who comes next, where they go and who answers for them. */
import { EyeInvisibleOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Card, Tag } from "antd";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ApiError } from "../../lib/api.ts";
import { attributeText, number, quantity, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import { throttle, useLive } from "../../lib/live.ts";
import { can, useUser } from "../../lib/session.ts";
import type { AffectedEntity, AffectedOfType, Entity, EntityKind } from "../../lib/types.ts";
import { QualityTag } from "../../ui/tags.tsx";
import { nameOf } from "../entity/queries.ts";
import { shortVillageName } from "../map/base.ts";
import { baseLayerQuery, typesQuery } from "../map/queries.ts";
import "./alerts.css";
import { affectedKey, affectedQuery } from "./queries.ts";

/** Places that are shown at once; the rest when they are asked for. */
const REACHED_SHOWN = 10;
const NEXT_SHOWN = 3;
/** Villages of one place that are named; all are counted. */
const VILLAGES_NAMED = 6;
/** Least time between two looks because the alert's entity was heard, milliseconds. */
const HEARD_MS = 3_000;
/** The attributes that name villages by their code: one, and a list. */
const VILLAGE = "villageCode";
const VILLAGES = "villages";
/** What has its own place here, or says nothing of what to do. */
const NOT_TOLD = new Set(["name", "nameEn", "dataNote", "townCode", VILLAGE, VILLAGES]);

/** The villages that an entity names, each once. */
export function villagesOf({ attributes }: Entity): string[] {
  const one = attributes[VILLAGE]?.value;
  const several = attributes[VILLAGES]?.value;
  const all = [one, ...(Array.isArray(several) ? several : [])];
  return [...new Set(all.filter((code): code is string => typeof code === "string" && code !== ""))];
}

/** What is told of each place beside what is added up: the texts that the type's own register shows. */
export function toldOf(kind: EntityKind | undefined): string[] {
  const table = kind?.views?.find((view) => view.table !== null)?.table;
  const listed = table?.columns ?? Object.keys(kind?.attributes ?? {});
  return listed.filter((name) => kind?.attributes[name]?.value === "text" && !NOT_TOLD.has(name));
}

/** Whom the alert affects, kept current; nobody while that is not known. */
function useAffected(alertId: number, entityId: string | null) {
  const user = useUser();
  const queryClient = useQueryClient();
  const affected = useQuery({ ...affectedQuery(alertId), enabled: can(user, "alert.read") });
  const again = useMemo(
    () => throttle(HEARD_MS, () => void queryClient.invalidateQueries({ queryKey: affectedKey(alertId) })),
    [queryClient, alertId],
  );
  useEffect(() => () => again.cancel(), [again]);
  const isSome = (affected.data?.length ?? 0) > 0;
  useLive("entity", ({ ids }) => {
    if (isSome && entityId !== null && ids.includes(entityId)) again();
  });
  useLive("alert", ({ id }) => {
    if (isSome && id === alertId) again();
  });
  return affected;
}

/** Of most alerts nothing is shown: they affect nobody that is registered. */
export function Affected({ alertId, entityId }: { alertId: number; entityId: string | null }) {
  const { t } = useT();
  const affected = useAffected(alertId, entityId);
  if (affected.data === undefined) return <NotLoaded error={affected.error} retry={affected.refetch} />;
  if (affected.data.length === 0) return null;
  return (
    <section data-testid="affected">
      <h3>{t("affected.title")}</h3>
      <Types all={affected.data} />
    </section>
  );
}

/** The same as a card of its own. */
export function AffectedCard({ alertId, entityId }: { alertId: number; entityId: string | null }) {
  const { t } = useT();
  const affected = useAffected(alertId, entityId);
  if (affected.data === undefined) return <NotLoaded error={affected.error} retry={affected.refetch} />;
  if (affected.data.length === 0) return null;
  return (
    <Card size="small" title={t("affected.title")} data-testid="affected">
      <Types all={affected.data} />
    </Card>
  );
}

/** That it failed is said; who may not see the alert, or whose alert is gone, misses nothing here. */
export function NotLoaded({
  error,
  retry,
  what = "affected.failed",
}: {
  error: unknown;
  retry: () => unknown;
  what?: "affected.failed" | "told.failed";
}) {
  const { t } = useT();
  const status = error instanceof ApiError ? error.status : null;
  if (!error || status === 403 || status === 404) return null;
  return (
    <p className="quiet" role="alert">
      {t(what)}{" "}
      <Button type="link" size="small" onClick={() => void retry()}>
        {t("state.retry")}
      </Button>
    </p>
  );
}

function Types({ all }: { all: AffectedOfType[] }) {
  const types = useQuery(typesQuery).data;
  const hasVillages = all.some(({ items }) => items.some(({ entity }) => villagesOf(entity).length > 0));
  const layer = useQuery({ ...baseLayerQuery("villages"), enabled: hasVillages }).data;
  const villages = useMemo(
    () =>
      new Map(
        layer?.features.map(({ properties }) => [
          String(properties?.code),
          shortVillageName(String(properties?.name ?? "")),
        ]),
      ),
    [layer],
  );
  return (
    <div className="affected">
      {all.map((one) => (
        <OfType key={one.entity_type} of={one} kind={types?.get(one.entity_type)} villages={villages} />
      ))}
    </div>
  );
}

interface Known {
  kind: EntityKind | undefined;
  /** Names by code. */
  villages: ReadonlyMap<string, string>;
}

function useTitles(kind: EntityKind | undefined) {
  const { p } = useT();
  return (name: string) => {
    const declared = kind?.attributes[name];
    return declared ? p(declared.title_zh, declared.title_en) : name;
  };
}

function OfType({ of, kind, villages }: Known & { of: AffectedOfType }) {
  const { t, p } = useT();
  const titleOf = useTitles(kind);
  const reached = of.items.filter((item) => item.is_reached);
  const next = of.items.filter((item) => !item.is_reached);
  const sums = Object.entries(of.sums);
  const count = new Set(reached.flatMap(({ entity }) => villagesOf(entity))).size;
  const told = toldOf(kind);
  return (
    <section aria-label={p(of.title_zh, of.title_en)}>
      <h4>
        {p(of.title_zh, of.title_en)}{" "}
        <span className="quiet">
          {of.value === null
            ? t("affected.unjudged")
            : t("affected.judged", { value: quantity(of.value, of.unit) })}
        </span>
      </h4>
      {reached.length > 0 ? (
        <>
          <p className="affected-sums" data-testid="affected-sums">
            <strong>{t("affected.reached", { count: number(reached.length) })}</strong>
            {count > 0 && <span>{t("affected.villages", { count })}</span>}
            {sums.map(([name, sum]) => (
              <span key={name}>
                {titleOf(name)}{" "}
                {of.at_most.includes(name) && (
                  <span title={t("affected.at-most-why")}>{t("affected.at-most")} </span>
                )}
                <b className="number">{number(sum)}</b> {unitSymbol(kind?.attributes[name]?.unit)}
              </span>
            ))}
          </p>
          <Places items={reached} shown={REACHED_SHOWN} of={of} told={told} kind={kind} villages={villages} />
        </>
      ) : (
        of.value !== null && <p className="quiet">{t("affected.reached-none")}</p>
      )}
      {next.length > 0 && (
        <>
          <p className="affected-sums">
            <strong>{t("affected.next", { count: number(next.length) })}</strong>
          </p>
          <Places items={next} shown={NEXT_SHOWN} of={of} told={told} kind={kind} villages={villages} />
        </>
      )}
    </section>
  );
}

function Places({
  items,
  shown,
  ...rest
}: Known & { items: AffectedEntity[]; shown: number; of: AffectedOfType; told: string[] }) {
  const { t } = useT();
  const [all, setAll] = useState(false);
  const left = items.length - shown;
  return (
    <>
      <ul className="plain-list affected-places">
        {(all ? items : items.slice(0, shown)).map((item) => (
          <Place key={item.entity.id} item={item} {...rest} />
        ))}
      </ul>
      {!all && left > 0 && (
        <Button size="small" onClick={() => setAll(true)}>
          {t("affected.more", { count: number(left) })}
        </Button>
      )}
    </>
  );
}

function Place({
  item: { entity, from, is_reached },
  of,
  told,
  kind,
  villages,
}: Known & { item: AffectedEntity; of: AffectedOfType; told: string[] }) {
  const { t, language } = useT();
  const titleOf = useTitles(kind);
  const codes = villagesOf(entity);
  const named = codes.slice(0, VILLAGES_NAMED).map((code) => villages.get(code) || code);
  const rest = codes.length > named.length ? ` ${t("affected.village-rest", { count: codes.length })}` : "";
  return (
    <li data-testid="affected-place">
      <div className="affected-name">
        <Link to={`/entities/${encodeURIComponent(entity.id)}`}>{nameOf(entity, language)}</Link>
        <span className="quiet number">{t("affected.from", { value: quantity(from, of.unit) })}</span>
        {!is_reached && of.value !== null && (
          <Tag>{t("affected.away", { value: quantity(from - of.value, of.unit) })}</Tag>
        )}
      </div>
      <div className="affected-sums">
        {Object.keys(of.sums).map((name) => (
          <Said key={name} name={name} entity={entity} kind={kind}>
            <span className="quiet">{titleOf(name)}</span>{" "}
          </Said>
        ))}
      </div>
      <dl className="problem affected-told">
        {codes.length > 0 && (
          <>
            <dt>{t("affected.village")}</dt>
            <dd title={codes.join(" ")}>
              {named.join(t("affected.between"))}
              {rest}
            </dd>
          </>
        )}
        {told
          .filter((name) => (entity.attributes[name]?.value ?? null) !== null)
          .map((name) => (
            <div key={name} className="affected-line">
              <dt>{titleOf(name)}</dt>
              <dd>
                <Said name={name} entity={entity} kind={kind} />
              </dd>
            </div>
          ))}
      </dl>
    </li>
  );
}

/** One value of a place, with what is to be known of it. */
function Said({
  name,
  entity,
  kind,
  children,
}: {
  name: string;
  entity: Entity;
  kind: EntityKind | undefined;
  children?: ReactNode;
}) {
  const { t, language } = useT();
  const state = entity.attributes[name];
  if (!state || state.value === null) return null;
  const declared = kind?.attributes[name];
  const observed = `${t("entity.observed")} ${time(state.observed_at)} ${ZONE_LABEL}`;
  return (
    <span className="number" title={`${observed} · ${t(`quality.${state.quality}`)}`}>
      {children}
      {attributeText(language, state.value, state.unit ?? declared?.unit, declared?.words)}
      {state.masked && (
        <EyeInvisibleOutlined
          className="quiet affected-masked"
          aria-label={t("personal.masked")}
          title={t("personal.masked")}
        />
      )}
      {state.quality === "out_of_range" && (
        <>
          {" "}
          <QualityTag quality={state.quality} />
        </>
      )}
    </span>
  );
}
