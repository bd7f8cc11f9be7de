/** Reserve a point: how long, from when; what others have taken cannot be chosen. */
import { ArrowLeftOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Select } from "antd";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useWay } from "../../lib/embed.ts";
import { time, ZONE_LABEL } from "../../lib/format.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { useNow } from "../../ui/tags.tsx";
import { duration } from "../cases/due.tsx";
import { checked } from "./code.ts";
import { pointAt } from "./find.ts";
import { To } from "./marks.tsx";
import { freeQuery, placesQuery, pointPath, ROOM, reserve } from "./queries.ts";
import { Refused } from "./refused.tsx";
import { beginsOf, byDay, isTaken, lengthsOf, spanWord } from "./slots.ts";
import type { Free } from "./types.ts";
import { useKeyed } from "./use-key.ts";

const MINUTE_MS = 60_000;
/** What is asked for at first, minutes, where it may be. */
const MINUTES_FIRST = 60;

export function ReservePage() {
  const { t } = useT();
  const asked = useParams();
  const outlet = checked(asked.station, asked.outlet);
  if (!outlet) return <Nothing title={t("charge.code-wrong")} mend={t("charge.code-wrong-mend")} />;
  return <At key={`${outlet.station} ${outlet.outlet}`} {...outlet} />;
}

function At({ station, outlet }: { station: string; outlet: number }) {
  const { t, p } = useT();
  const free = useQuery(freeQuery(station, outlet));
  const failure = useFailure(free);
  const places = useQuery(placesQuery).data;
  const at = places && pointAt(places.items, station, outlet);
  const name = at ? p(at.point.name, at.point.name_en) : t("charge.outlet-of", { station, n: outlet });
  return (
    <>
      <To to={pointPath(station, outlet)} className="back">
        <ArrowLeftOutlined /> {t("charge.back-point")}
      </To>
      <Card size="small" className="charge-start">
        <h2>{t("charge.reserve-at", { point: name })}</h2>
        {at && <p className="quiet">{p(at.place.name, at.place.name_en)}</p>}
        {free.data ? <Chosen station={station} outlet={outlet} free={free.data} /> : (failure ?? <Loading />)}
      </Card>
    </>
  );
}

function Chosen({ station, outlet, free }: { station: string; outlet: number; free: Free }) {
  const { t } = useT();
  const { message } = App.useApp();
  const now = useNow();
  const navigate = useNavigate();
  const way = useWay();
  const queryClient = useQueryClient();
  const lengths = lengthsOf(free);
  const [wantedMinutes, setMinutes] = useState(MINUTES_FIRST);
  const minutes = lengths.includes(wantedMinutes) ? wantedMinutes : (lengths[0] ?? free.minutes_min);
  const [wantedAt, setAt] = useState<number | null>(null);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<unknown>(null);
  const begins = beginsOf(free, minutes, now);
  // The first that is free, until somebody chooses; what was chosen and is taken by now is not asked for.
  const at = wantedAt ?? begins.find((one) => !one.isTaken)?.at ?? null;
  const span =
    at === null
      ? null
      : { from: new Date(at).toISOString(), to: new Date(at + minutes * MINUTE_MS).toISOString() };
  const meets = at !== null && (at < now || isTaken(free.busy, at, at + minutes * MINUTE_MS));
  const keyed = useKeyed(`${station} ${outlet} ${span?.from} ${span?.to}`);
  const send = async () => {
    if (!span) return;
    setBusy(true);
    setRefused(null);
    try {
      await keyed((key) => reserve({ station, outlet, ...span, key }));
      message.success(t("charge.reserved"));
      navigate(way("/charge/reservations"));
    } catch (error) {
      setRefused(error);
    } finally {
      setBusy(false);
      void queryClient.invalidateQueries({ queryKey: ROOM });
    }
  };
  return (
    <div className="charge-reserve">
      <div>
        <span id="charge-length">{t("charge.length")}</span>
        <Select<number>
          size="large"
          aria-labelledby="charge-length"
          value={minutes}
          onChange={setMinutes}
          options={lengths.map((n) => ({ value: n, label: duration(n * 60, true, t) }))}
        />
      </div>
      <div>
        <span id="charge-begin">{t("charge.begin", { zone: ZONE_LABEL })}</span>
        <Select<number>
          size="large"
          aria-labelledby="charge-begin"
          value={at}
          placeholder={t("charge.begin-none")}
          onChange={setAt}
          options={byDay(begins).map(([day, own]) => ({
            label: day,
            title: day,
            options: own.map((begin) => ({
              value: begin.at,
              disabled: begin.isTaken,
              label: begin.isTaken
                ? t("charge.begin-taken", { time: time(begin.at).slice(5, 16) })
                : time(begin.at).slice(5, 16),
            })),
          }))}
        />
      </div>
      <section aria-label={t("charge.busy")}>
        <h3>{t("charge.busy")}</h3>
        {free.busy.length === 0 ? (
          <p className="quiet">{t("charge.busy-none")}</p>
        ) : (
          <ul className="plain-list number" data-testid="charge-busy">
            {free.busy.map((one) => (
              <li key={one.from}>{spanWord(one, now)}</li>
            ))}
          </ul>
        )}
      </section>
      <p className="quiet">
        {t("charge.late", { n: free.late_minutes })} {t("charge.ahead", { n: free.ahead_hours_max })}
      </p>
      {meets && (
        <p className="charge-why" role="alert">
          {t("charge.meets")}
        </p>
      )}
      {at === null && <p className="charge-why">{t("charge.begin-none")}</p>}
      {refused !== null && <Refused error={refused} look="/charge/reservations" />}
      <Button
        type="primary"
        size="large"
        block
        loading={busy}
        disabled={!span || meets}
        onClick={() => void send()}
        data-testid="charge-reserve-send"
      >
        {span ? t("charge.reserve-span", { span: spanWord(span, now) }) : t("charge.reserve")}
      </Button>
    </div>
  );
}
