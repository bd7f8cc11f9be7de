/** Who was told of an alert, over what, for which places of theirs, and who took note. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Card, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { useLive } from "../../lib/live.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ToldEvent, ToldPerson } from "../../lib/types.ts";
import { Time } from "../../ui/tags.tsx";
import { NotLoaded } from "./affected.tsx";
import "./alerts.css";
import { toldKey, toldQuery } from "./queries.ts";

/** The kind of event that nobody answers for places. */
const NOBODY = "alert.nobody-responsible";
/** Places that are named at once; all are counted. */
const PLACES_NAMED = 5;

/** What was told of it, kept current. */
function useTold(alertId: number) {
  const user = useUser();
  const queryClient = useQueryClient();
  const told = useQuery({ ...toldQuery(alertId), enabled: can(user, "alert.read") });
  useLive("alert", ({ id }) => {
    if (id === alertId) void queryClient.invalidateQueries({ queryKey: toldKey(alertId) });
  });
  return told;
}

/** Of alerts that no rule tells of nothing is shown. */
export function Told({ alertId }: { alertId: number }) {
  const { t } = useT();
  const told = useTold(alertId);
  if (told.data === undefined)
    return <NotLoaded error={told.error} retry={told.refetch} what="told.failed" />;
  if (told.data.length === 0) return null;
  return (
    <section data-testid="told">
      <h3>{t("told.title")}</h3>
      <Events told={told.data} />
    </section>
  );
}

/** The same as a card of its own. */
export function ToldCard({ alertId }: { alertId: number }) {
  const { t } = useT();
  const told = useTold(alertId);
  if (told.data === undefined)
    return <NotLoaded error={told.error} retry={told.refetch} what="told.failed" />;
  if (told.data.length === 0) return null;
  return (
    <Card size="small" title={t("told.title")} data-testid="told">
      <Events told={told.data} />
    </Card>
  );
}

function Events({ told }: { told: ToldEvent[] }) {
  const { t, p } = useT();
  return (
    <div className="affected">
      {told.map((event) => (
        <section key={`${event.kind} ${event.at}`} aria-label={p(event.title_zh, event.title_en)}>
          {event.kind === NOBODY ? (
            <Gap event={event} />
          ) : (
            <h4>
              {t(event.kind === "alert.reached" ? "told.reached" : "told.raised")}{" "}
              <span className="quiet">
                <Time at={event.at} />
              </span>
            </h4>
          )}
          {event.people.length === 0 ? (
            <p className="quiet">{t("told.none")}</p>
          ) : (
            <ul className="plain-list told-people">
              {event.people.map((person) => (
                <Person key={`${person.name} ${person.told_at}`} person={person} />
              ))}
            </ul>
          )}
        </section>
      ))}
    </div>
  );
}

function Gap({ event }: { event: ToldEvent }) {
  const { t } = useT();
  const places = useNames(event.places);
  return <Alert type="warning" showIcon title={t("told.nobody", { places })} />;
}

function useNames(places: ToldPerson["places"]): string {
  const { t, p } = useT();
  const named = places.slice(0, PLACES_NAMED).map((place) => p(place.name_zh, place.name_en));
  const left = places.length - named.length;
  return named.join(t("affected.between")) + (left > 0 ? ` ${t("told.more", { count: left })}` : "");
}

function Person({ person }: { person: ToldPerson }) {
  const { t } = useT();
  const names = useNames(person.places);
  return (
    <li data-testid="told-person">
      <strong>{person.name}</strong>{" "}
      {person.confirmed_at ? (
        <Tag color="success">
          {t("told.confirmed")} <Time at={person.confirmed_at} bare />
        </Tag>
      ) : (
        <Tag color="warning">{t("told.waiting")}</Tag>
      )}{" "}
      {person.level > 1 && <Tag>{t("told.level", { n: person.level })}</Tag>}
      <span className="quiet">
        {t("told.at")} <Time at={person.told_at} />
        {names && ` · ${t("told.for", { places: names })}`}
        {person.channels
          .filter(({ channel }) => channel !== "page")
          .map(({ channel, state }) => ` · ${channel} ${t(`notice-state.${state as "sent"}`)}`)}
      </span>
    </li>
  );
}
