/** Smart charging (有序充电): each transformer's power, what its charging may take, and what every outlet was told and why. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Table, Tag, Tooltip } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { number, pick, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type { SharedOutlet, SharedTransformer } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { entityPath } from "../views/register-table.tsx";
import { gridQuery, sessionsPath } from "./queries.ts";

const WATTS = 1_000;
/** A power of so many watts, in kW. */
export const kilowatts = (watts: number | null | undefined): string =>
  watts == null ? "–" : `${number(watts / WATTS, 1)} ${unitSymbol("KWT")}`;

export function Grid() {
  const { t } = useT();
  const grid = useQuery(gridQuery);
  return (
    <Loaded query={grid} tall>
      {({ is_on, items, seconds }) => {
        if (!is_on) return <Nothing title={t("grid.off")} mend={t("grid.off-mend")} />;
        if (items.length === 0) return <Nothing title={t("grid.none")} mend={t("grid.none-mend")} />;
        return (
          <div className="charging-parts">
            <p className="quiet charging-counted">{t("grid.how", { seconds })}</p>
            {items.map((transformer) => (
              <Transformer key={transformer.id} transformer={transformer} />
            ))}
          </div>
        );
      }}
    </Loaded>
  );
}

function Transformer({ transformer }: { transformer: SharedTransformer }) {
  const { t, language } = useT();
  const { id, missing, over_w, basis, measured_at } = transformer;
  const name = pick(language, transformer.name, transformer.name_en);
  return (
    <section aria-label={name} className="charging-transformer" data-testid="grid-transformer">
      <h2 className="charging-heading">
        <Link to={entityPath(id)}>{name}</Link>{" "}
        {basis === "measured" && <Tag color="green">{t("grid.measured")}</Tag>}
        {basis === "static" && (
          <Tooltip title={t("grid.static-why")}>
            <Tag color="gold">{t("grid.static")}</Tag>
          </Tooltip>
        )}
        {basis === null && <Tag>{t("grid.not-steered")}</Tag>}
      </h2>
      {missing.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("grid.missing", {
            names: missing
              .map((one) => {
                const key = keyOf("grid-missing", one);
                return key ? t(key) : one;
              })
              .join(t("grid.and")),
          })}
          description={t("grid.missing-mend")}
        />
      )}
      {over_w > 0 && (
        <Alert
          type="error"
          showIcon
          title={t("grid.over", { power: kilowatts(over_w) })}
          description={t("grid.over-mend")}
        />
      )}
      {transformer.limit_w != null && <Bar transformer={transformer} />}
      {measured_at && (
        <p className="quiet charging-counted">
          {t("grid.measured-at", {
            power: kilowatts(transformer.total_w),
            at: `${time(measured_at)} ${ZONE_LABEL}`,
          })}
        </p>
      )}
      <Outlets items={transformer.outlets} />
    </section>
  );
}

/** The transformer's limit as one line: other load, what vehicles take, what they may take beside it, what is left. */
function Bar({ transformer }: { transformer: SharedTransformer }) {
  const { t } = useT();
  const limit = transformer.limit_w ?? 0;
  const drawn = Math.min(transformer.drawn_w, transformer.held_w);
  const room = transformer.held_w - drawn;
  const other = Math.max(0, limit - (transformer.budget_w ?? limit));
  const left = Math.max(0, limit - other - drawn - room);
  const parts = [
    { name: "other", watts: other },
    { name: "drawn", watts: drawn },
    { name: "room", watts: room },
    { name: "left", watts: left },
  ] as const;
  const whole = Math.max(
    1,
    parts.reduce((sum, { watts }) => sum + watts, 0),
  );
  return (
    <>
      <div className="grid-bar" aria-hidden="true">
        {parts.map(({ name, watts }) => (
          <span
            key={name}
            className={`grid-part grid-${name}`}
            style={{ width: `${(watts / whole) * 100}%` }}
          />
        ))}
      </div>
      <ul className="grid-legend">
        <li>
          <strong>{t("grid.limit")}</strong> {kilowatts(limit)}
        </li>
        {parts.map(({ name, watts }) => (
          <li key={name}>
            <span className={`grid-dot grid-${name}`} aria-hidden="true" />
            {name === "other" && transformer.basis === "static"
              ? t("grid.kept-back")
              : t(`grid-part.${name}`)}{" "}
            <span className="number">{kilowatts(watts)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Why({ outlet }: { outlet: SharedOutlet }) {
  const { t } = useT();
  const key = outlet.why ? keyOf("grid-why", outlet.why) : undefined;
  if (!outlet.is_reachable) return <Tag color="red">{t("grid.out-of-reach")}</Tag>;
  if (!outlet.is_charging) return <span className="quiet">{t("grid.idle")}</span>;
  return <span>{key ? t(key) : outlet.why}</span>;
}

function Outlets({ items }: { items: SharedOutlet[] }) {
  const { t, language } = useT();
  const phone = usePhone();
  const name = ({ name, name_en, outlet, station }: SharedOutlet) => (
    <>
      <Link to={sessionsPath({ station })}>{pick(language, name, name_en)}</Link>{" "}
      <span className="quiet">{t("charging.where", { n: outlet })}</span>
    </>
  );
  const fixed = ({ static_w, is_static_told }: SharedOutlet) => (
    <>
      {kilowatts(static_w)} {static_w != null && !is_static_told && <Tag>{t("grid.not-told")}</Tag>}
    </>
  );
  if (phone) {
    return (
      <ul className="card-list">
        {items.map((outlet) => (
          <li key={outlet.id} className="item-card charging-plain" data-testid="grid-outlet">
            <span className="item-card-head">
              <strong>{name(outlet)}</strong>
              <Why outlet={outlet} />
            </span>
            <span>
              {t("grid.phone", {
                drawn: kilowatts(outlet.is_charging ? outlet.drawn_w : null),
                limit: kilowatts(outlet.limit_w),
                rated: kilowatts(outlet.rated_w),
              })}
            </span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <Table<SharedOutlet>
      size="small"
      rowKey="id"
      dataSource={items}
      pagination={items.length > 100 ? { pageSize: 100, showSizeChanger: false } : false}
      className="tabular"
      scroll={{ x: "max-content" }}
      onRow={() => ({ "data-testid": "grid-outlet" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        { title: t("grid.outlet"), render: (_, outlet) => name(outlet) },
        { title: t("grid.rated"), align: "right", render: (_, { rated_w }) => kilowatts(rated_w) },
        { title: t("grid.weight"), align: "right", dataIndex: "weight" },
        {
          title: t("grid.drawn"),
          align: "right",
          render: (_, { drawn_w, is_charging }) => kilowatts(is_charging ? drawn_w : null),
        },
        { title: t("grid.told"), align: "right", render: (_, { limit_w }) => kilowatts(limit_w) },
        { title: t("grid.told-at"), render: (_, { told_at }) => <Time at={told_at ?? null} /> },
        { title: t("grid.why"), render: (_, outlet) => <Why outlet={outlet} /> },
        { title: t("grid.fixed"), align: "right", render: (_, outlet) => fixed(outlet) },
      ]}
    />
  );
}
