/** Tariffs: the one that holds, those to come and those before; each as people read it. */
import { useQuery } from "@tanstack/react-query";
import { Card, Table } from "antd";
import { useState } from "react";
import { type Translate, useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingTariff } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { tariffActions } from "./actions.tsx";
import { DayBar, money, planWord, TariffTag } from "./marks.tsx";
import { tariffsQuery } from "./queries.ts";
import { dayOf } from "./say.ts";
import {
  type Priced,
  pricedOf,
  standings,
  stretchesOf,
  type TariffStanding,
  versionOn,
  type WrittenFee,
  type WrittenVersion,
  writtenOf,
} from "./tariff.ts";
import { TariffDialog } from "./tariff-dialog.tsx";

export function Tariffs() {
  const { t } = useT();
  const tariffs = useQuery(tariffsQuery);
  const [adding, setAdding] = useState(false);
  const context = { add: () => setAdding(true) };
  useActionKeys(tariffActions, adding || !tariffs.data ? null : context);
  return (
    <>
      <div className="toolbar charging-line-bar">
        <span className="quiet">{t("charging.tariff-about")}</span>
        <span className="charging-grow" />
        {tariffs.data && <ActionBar actions={tariffActions} context={context} />}
      </div>
      <Loaded query={tariffs} tall>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title={t("charging.tariff-none")} mend={t("charging.tariff-none-mend")} />
          ) : (
            <List items={items} />
          )
        }
      </Loaded>
      {adding && (
        <TariffDialog
          held={tariffs.data?.items.find(({ holds_now }) => holds_now)}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

function List({ items }: { items: ChargingTariff[] }) {
  const { t } = useT();
  const [isPastShown, setPastShown] = useState(false);
  const stands = standings(items, Date.now());
  const of = (wanted: TariffStanding) => items.filter(({ number }) => stands.get(number) === wanted);
  const past = of("past");
  // That of all stations first, then those of single ones, then what is to come, the next first.
  const now = of("holds").sort((one, other) => Number(other.holds_now) - Number(one.holds_now));
  const coming = of("coming").sort((one, other) => Date.parse(one.from) - Date.parse(other.from));
  return (
    <div className="stack">
      {now.map((one) => (
        <Tariff key={one.number} tariff={one} standing="holds" isOpen={one.holds_now} />
      ))}
      {coming.map((one) => (
        <Tariff key={one.number} tariff={one} standing="coming" isOpen={false} />
      ))}
      {past.length > 0 && (
        <details onToggle={({ currentTarget }) => setPastShown(currentTarget.open)}>
          <summary>{t("charging.tariff-past", { n: past.length })}</summary>
          {isPastShown && (
            <div className="stack charging-past">
              {past.map((one) => (
                <Tariff key={one.number} tariff={one} standing="past" isOpen={false} />
              ))}
            </div>
          )}
        </details>
      )}
    </div>
  );
}

function Tariff({
  tariff,
  standing,
  isOpen,
}: {
  tariff: ChargingTariff;
  standing: TariffStanding;
  isOpen: boolean;
}) {
  const { t, p } = useT();
  const [isShown, setShown] = useState(isOpen);
  const written = writtenOf(tariff);
  // What holds is read as of today; what is to come, or was, as of its beginning.
  const day = dayOf(standing === "holds" ? Date.now() : Date.parse(tariff.from));
  const version = versionOn(written, day);
  return (
    <Card size="small" data-testid="charging-tariff" data-standing={standing}>
      <div className="charging-tariff-head">
        <TariffTag standing={standing} />
        <h2>{p(written.title_zh, written.title_en) || written.id}</h2>
        <span>
          {tariff.station === null
            ? t("charging.tariff-every")
            : t("charging.tariff-of", { station: tariff.station })}
        </span>
        <span>
          {t("charging.tariff-from")} <Time at={tariff.from} />
        </span>
      </div>
      <p className="quiet charging-counted">
        <code>{written.id}</code> · {t("charging.tariff-number", { n: tariff.number })} ·{" "}
        {t("charging.tariff-by", { who: tariff.written_by })} <Time at={tariff.written_at} />
      </p>
      <details open={isOpen} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
        <summary>{t("charging.tariff-look")}</summary>
        {isShown && version && (
          <Version
            version={version}
            count={written.versions.length}
            isAtStart={written.change === "at-start"}
          />
        )}
      </details>
    </Card>
  );
}

function Version({
  version,
  count,
  isAtStart,
}: {
  version: WrittenVersion;
  count: number;
  isAtStart: boolean;
}) {
  const { t } = useT();
  const { first, last, source, days } = version;
  return (
    <div className="stack charging-version">
      <p className="quiet charging-counted">
        {[
          last
            ? t("charging.tariff-version-until", { first, last })
            : t("charging.tariff-version", { first }),
          count > 1 && t("charging.tariff-versions", { n: count }),
          source && t("charging.tariff-source", { source }),
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {days.map((plan, n) => (
        <section key={n}>
          <h3>{planWord(plan, n, days.length, t)}</h3>
          <DayBar stretches={stretchesOf(plan)} />
          <Prices rows={pricedOf(version, plan)} />
        </section>
      ))}
      <dl className="problem">
        <dt>{t("charging.fee-parking")}</dt>
        <dd>{feeWord(version.parking, t)}</dd>
        <dt>{t("charging.fee-idle")}</dt>
        <dd>{feeWord(version.idle, t)}</dd>
      </dl>
      {isAtStart && <p className="quiet charging-counted">{t("charging.tariff-change")}</p>}
    </div>
  );
}

/** A fee in one sentence. */
export function feeWord(fee: WrittenFee | null | undefined, t: Translate): string {
  if (!fee) return t("charging.fee-none");
  const amount = (fen: number) => money(fen, t);
  const { free_minutes: free = 0, hours = [], day_cap_fen: dayCap, cap_fen: cap } = fee;
  return [
    free > 0 && t("charging.fee-free", { n: free }),
    t("charging.fee-unit", { n: fee.unit_minutes, amount: amount(fee.fen_per_unit) }),
    hours.length > 0 && t("charging.fee-hours", { hours: hours.join(t("charging.between")) }),
    typeof dayCap === "number" && t("charging.fee-day-cap", { amount: amount(dayCap) }),
    typeof cap === "number" && t("charging.fee-cap", { amount: amount(cap) }),
  ]
    .filter(Boolean)
    .join(t("charging.fee-join"));
}

function Prices({ rows }: { rows: Priced[] }) {
  const { t } = useT();
  const phone = usePhone();
  const mark = ({ kind }: Priced) => (
    <span className="charging-period-word">
      <span className={`charging-dot charging-period-${kind}`} aria-hidden="true" />
      {t(`charging-period.${kind}`)}
    </span>
  );
  if (phone) {
    return (
      <ul className="plain-list charging-prices">
        {rows.map((row) => (
          <li key={row.kind}>
            <span className="item-card-head">
              <strong>{mark(row)}</strong>
              <span className="number">
                <strong>{row.both}</strong> <span className="quiet">{t("charging.price-unit")}</span>
              </span>
            </span>
            <span className="quiet number">
              {t("charging.form-energy")} {row.energy} + {t("charging.form-service")} {row.service}
            </span>
            <span className="quiet number">{row.hours.join(t("charging.between"))}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<Priced>
      size="small"
      rowKey="kind"
      dataSource={rows}
      pagination={false}
      className="tabular"
      columns={[
        { title: t("charging.period"), width: 150, render: (_, row) => mark(row) },
        {
          title: `${t("charging.hours")} (${ZONE_LABEL})`,
          render: (_, { hours }) => hours.join(t("charging.between")),
        },
        { title: t("charging.price-energy"), dataIndex: "energy", align: "right", width: 150 },
        { title: t("charging.price-service"), dataIndex: "service", align: "right", width: 160 },
        {
          title: t("charging.price-both"),
          align: "right",
          width: 170,
          render: (_, { both }) => <strong>{both}</strong>,
        },
      ]}
    />
  );
}
