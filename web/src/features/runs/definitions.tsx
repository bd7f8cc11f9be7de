/** What packs declare to be run: how often, what next, how the last moment went; one opened says by which method and from what. */
import { useQuery } from "@tanstack/react-query";
import { Button, Drawer, Table } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type { RunDefinition } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { definitionActions } from "./actions.tsx";
import { definitionsQuery } from "./queries.ts";
import { every } from "./say.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 680;

/** How the last moment went: how many are done, how many failed, and for which moment. */
function Last({ definition, bare }: { definition: RunDefinition; bare?: boolean }) {
  const { t } = useT();
  const { last } = definition;
  if (last === null) return <span className="quiet">{t("run.never")}</span>;
  return (
    <>
      {t("run.last-done", { n: last.done })}
      {last.failed > 0 && (
        <>
          {" · "}
          <strong className="run-failed">{t("run.last-failed", { n: last.failed })}</strong>
        </>
      )}
      <div className="quiet">
        <Time at={last.at} bare={bare} />
      </div>
    </>
  );
}

export function Definitions({ start }: { start: (definition: RunDefinition) => void }) {
  const { t, p } = useT();
  const phone = usePhone();
  const definitions = useQuery(definitionsQuery);
  const [opened, setOpened] = useState<string | null>(null);
  const failure = useFailure(definitions);
  if (failure) return failure;
  if (!definitions.data) return <Loading />;
  if (definitions.data.length === 0) {
    return <Nothing title={t("run.definitions-none")} mend={t("run.definitions-none-mend")} />;
  }
  const shown = definitions.data.find((definition) => definition.id === opened) ?? null;
  const title = (definition: RunDefinition) => p(definition.title_zh, definition.title_en) || definition.id;
  const engine = (definition: RunDefinition) =>
    p(definition.engine_title_zh, definition.engine_title_en) || definition.engine;
  const name = (definition: RunDefinition) =>
    `${definition.id} · ${definition.pack} · v${definition.version}`;
  return (
    <>
      {phone ? (
        <ul className="card-list">
          {definitions.data.map((definition) => (
            <li key={definition.id} className="item-card run-card" data-testid="run-definition">
              <strong>{title(definition)}</strong>
              <span>
                {engine(definition)} · {every(definition, t)}
              </span>
              <span>
                {t("run.next")} <Time at={definition.next_at} />
              </span>
              <div>
                {t("run.last")} <Last definition={definition} />
              </div>
              <span className="toolbar">
                <Button size="small" onClick={() => setOpened(definition.id)}>
                  {t("word.details")}
                </Button>
                <ActionBar actions={definitionActions} context={{ definition, start }} size="small" />
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Table<RunDefinition>
          size="small"
          rowKey="id"
          dataSource={definitions.data}
          pagination={false}
          className="tabular"
          scroll={{ x: 900 }}
          rowClassName="row-link"
          onRow={(definition) =>
            ({
              ...openableRow(() => setOpened(definition.id)),
              "data-testid": "run-definition",
            }) as React.HTMLAttributes<HTMLElement>
          }
          columns={[
            {
              title: t("run.definition"),
              render: (_, definition) => (
                <>
                  {title(definition)}
                  <div className="quiet">{name(definition)}</div>
                </>
              ),
            },
            {
              title: t("run.engine"),
              render: (_, definition) => (
                <>
                  {engine(definition)}
                  <div className="quiet">
                    <code>{definition.engine}</code> v{definition.engine_version}
                  </div>
                </>
              ),
            },
            { title: t("run.often"), width: 170, render: (_, definition) => every(definition, t) },
            {
              title: `${t("run.next")} (${ZONE_LABEL})`,
              width: 170,
              render: (_, definition) => <Time at={definition.next_at} bare />,
            },
            {
              title: `${t("run.last")} (${ZONE_LABEL})`,
              width: 180,
              render: (_, definition) => <Last definition={definition} bare />,
            },
            {
              title: t("word.operations"),
              width: 130,
              render: (_, definition) => (
                <ActionBar actions={definitionActions} context={{ definition, start }} size="small" />
              ),
            },
          ]}
        />
      )}
      <Drawer
        open={shown !== null}
        onClose={() => setOpened(null)}
        size={Math.min(DRAWER_WIDTH, window.innerWidth)}
        title={shown && title(shown)}
        destroyOnHidden
      >
        {shown && <Declared definition={shown} engine={engine(shown)} name={name(shown)} />}
      </Drawer>
    </>
  );
}

/** How it reckons and from what. */
function Declared({ definition, engine, name }: { definition: RunDefinition; engine: string; name: string }) {
  const { t } = useT();
  return (
    <div className="stack">
      <dl className="problem">
        <dt>{t("run.definition")}</dt>
        <dd>{name}</dd>
        <dt>{t("run.engine")}</dt>
        <dd>
          {engine} <code>{definition.engine}</code> v{definition.engine_version}
        </dd>
        <dt>{t("run.method")}</dt>
        <dd>{definition.method || "—"}</dd>
        <dt>{t("run.reference")}</dt>
        <dd>{definition.reference || t("run.reference-none")}</dd>
        <dt>{t("run.often")}</dt>
        <dd>{every(definition, t)}</dd>
        <dt>{t("run.next")}</dt>
        <dd>
          <Time at={definition.next_at} age />
        </dd>
        <dt>{t("run.window")}</dt>
        <dd>{t("run.window-hours", { n: definition.window_hours })}</dd>
        <dt>{t("run.becomes")}</dt>
        <dd>{definition.forecast_type ? <Becomes definition={definition} /> : t("run.becomes-none")}</dd>
      </dl>
      <Statement title={t("run.target-sql")} sql={definition.target_sql} none={t("run.target-sql-none")} />
      <Statement title={t("run.input-sql")} sql={definition.input_sql} />
    </div>
  );
}

/** What the outcome becomes, and in which unit. */
function Becomes({ definition }: { definition: RunDefinition }) {
  const { t } = useT();
  const { forecast_type, forecast_unit } = definition;
  return (
    <>
      <code>{forecast_type}</code>
      {forecast_unit && ` · ${t("run.unit", { unit: unitSymbol(forecast_unit) })}`}
    </>
  );
}

export function Statement({ title, sql, none }: { title: string; sql: string | null; none?: string }) {
  return (
    <section>
      <header className="raw-head">
        <h3>{title}</h3>
        {sql && <CopyButton text={sql} />}
      </header>
      {sql ? <pre className="raw">{sql}</pre> : <p className="quiet">{none}</p>}
    </section>
  );
}
