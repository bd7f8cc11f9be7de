/** One entity: what it is now, how it went, where each value comes from, and its alerts. */
import "./entity.css";
import { EnvironmentOutlined, EyeInvisibleOutlined, FileSearchOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card, Table, type TableColumnType, Tag } from "antd";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { attributeText, time, ZONE_LABEL } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { Entity, EntityDetail, EntityKind } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Age, CopyButton, QualityTag, SeverityTag } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { OpenCaseDialog } from "../cases/dialogs.tsx";
import { typesQuery } from "../map/queries.ts";
import { RevealDialog } from "../personal/reveal.tsx";
import { ProvenanceDrawer } from "../provenance/drawer.tsx";
import { entityActions } from "./actions.tsx";
import { HistoryChart } from "./chart.tsx";
import { CorrectionDialog, CorrectionsCard, ReadingActions } from "./corrections.tsx";
import { Listed, listOf } from "./listed.tsx";
import {
  dataNote,
  entityAlertsQuery,
  entityQuery,
  isSimulated,
  listedAttributes,
  nameOf,
  type Reading,
} from "./queries.ts";

export function Page() {
  const id = useParams().id ?? "";
  const entity = useQuery(entityQuery(id));
  return (
    <Loaded query={entity} tall>
      {(found) => <EntityView key={found.id} entity={found} />}
    </Loaded>
  );
}

function EntityView({ entity }: { entity: EntityDetail }) {
  const { t, p, language } = useT();
  const user = useUser();
  const navigate = useNavigate();
  const types = useQuery(typesQuery).data;
  // The list of types also says how the pack wants it shown.
  const kind = types?.get(entity.type) ?? entity.kind;
  const [position, setPosition] = useState<number | null>(null);
  // The value whose message is shown, where it is one that holds.
  const [reading, setReading] = useState<Reading | null>(null);
  const [correcting, setCorrecting] = useState<Reading | null>(null);
  const [opening, setOpening] = useState(false);
  const [revealing, setRevealing] = useState(false);
  const note = dataNote(entity, language);
  const context = { entity, navigate, openCase: () => setOpening(true), reveal: () => setRevealing(true) };
  useActionKeys(entityActions, context);
  const showReading = (picked: Reading) => {
    setReading(picked);
    setPosition(picked.position);
  };
  const showMessage = (at: number | null) => {
    setReading(null);
    setPosition(at);
  };
  const titleOf = (name: string) => {
    const declared = kind?.attributes[name];
    return declared ? p(declared.title_zh, declared.title_en) : name;
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{nameOf(entity, language)}</h1>
        <Tag>{kind ? p(kind.title_zh, kind.title_en) : entity.type}</Tag>
        <span className="quiet">
          {t("entity.modified")} <Age at={entity.modified_at} />
        </span>
        <span className="grow" />
        <ActionBar actions={entityActions} context={context} />
      </header>
      <p className="entity-id quiet">
        <code>{entity.id}</code>
        <CopyButton text={entity.id} />
        {entity.location && (
          <span>
            <EnvironmentOutlined /> {entity.location[0].toFixed(5)}°E, {entity.location[1].toFixed(5)}°N
          </span>
        )}
      </p>
      {(note || isSimulated(entity)) && (
        <Alert
          type="info"
          showIcon
          title={
            <>
              <strong>{t("entity.data-note")}</strong> {note ?? t("entity.simulated")}
            </>
          }
          data-testid="data-note"
        />
      )}
      <div className="split">
        <Card size="small" title={t("entity.history")}>
          <HistoryChart
            entity={entity}
            kind={kind ?? undefined}
            onReading={showReading}
            onMessage={showMessage}
          />
        </Card>
        {can(user, "alert.read") && <EntityAlerts id={entity.id} />}
      </div>
      <Card size="small" title={t("entity.state")} styles={{ body: { padding: 0 } }}>
        <StateTable entity={entity} kind={kind ?? undefined} onReading={showReading} />
      </Card>
      <CorrectionsCard entityId={entity.id} kind={kind ?? undefined} onPosition={showMessage} />
      <ProvenanceDrawer
        position={position}
        onClose={() => showMessage(null)}
        extra={reading && <ReadingActions correct={() => setCorrecting(reading)} />}
      />
      {correcting && (
        <CorrectionDialog
          entityId={entity.id}
          reading={correcting}
          title={titleOf(correcting.attribute)}
          onClose={() => {
            setCorrecting(null);
            showMessage(null);
          }}
        />
      )}
      {revealing && <RevealDialog entity={entity} onClose={() => setRevealing(false)} />}
      <OpenCaseDialog
        open={opening}
        onClose={() => setOpening(false)}
        initial={{
          title: nameOf(entity, language),
          entity_id: entity.id,
          location: entity.location ?? undefined,
        }}
      />
    </div>
  );
}

function StateTable({
  entity,
  kind,
  onReading,
}: {
  entity: Entity;
  kind: EntityKind | undefined;
  onReading: (reading: Reading) => void;
}) {
  const { t, p, language } = useT();
  const rows = listedAttributes(entity, kind).map(([name, state]) => ({
    name,
    state,
    declared: kind?.attributes[name],
  }));
  const phone = usePhone();
  type Row = (typeof rows)[number];
  const observed = ({ state }: Row) => <time dateTime={state.observed_at}>{time(state.observed_at)}</time>;
  const source = ({ name, state }: Row) => (
    <Button
      size="small"
      type="link"
      icon={<FileSearchOutlined />}
      data-testid="provenance"
      onClick={() => onReading({ ...state, attribute: name })}
    >
      {t("entity.provenance")}
    </Button>
  );
  const plain = ({ state, declared }: Row) => (
    <strong className="entity-value">
      {attributeText(language, state.value, state.unit ?? declared?.unit, declared?.words)}
    </strong>
  );
  const listed = (row: Row) => {
    const list = row.declared?.value === "json" ? listOf(row.state.value) : null;
    return list && <Listed {...list} />;
  };
  const value = (row: Row) => (
    <>
      {listed(row) ?? plain(row)}
      {row.state.masked && (
        <Tag icon={<EyeInvisibleOutlined />} className="entity-masked">
          {t("personal.masked")}
        </Tag>
      )}
    </>
  );
  const attribute: TableColumnType<Row> = {
    title: t("entity.attribute"),
    render: (_, { name, declared }) => (
      <>
        {declared ? p(declared.title_zh, declared.title_en) : name}{" "}
        {declared && <code className="quiet">{name}</code>}
      </>
    ),
  };
  return (
    <Table
      size="small"
      rowKey="name"
      dataSource={rows}
      pagination={false}
      scroll={phone ? undefined : { x: 640 }}
      className="tabular"
      locale={{ emptyText: <Nothing title={t("entity.no-attributes")} /> }}
      columns={
        phone
          ? [
              attribute,
              {
                // A phone is too narrow for five columns: what belongs to a value stands below it.
                title: t("word.value"),
                render: (_, row) => (
                  <div className="entity-reading">
                    {value(row)}
                    <QualityTag quality={row.state.quality} />
                    <span className="quiet">
                      {observed(row)} {ZONE_LABEL}
                    </span>
                    {source(row)}
                  </div>
                ),
              },
            ]
          : [
              attribute,
              { title: t("word.value"), render: (_, row) => value(row) },
              {
                title: t("quality.title"),
                width: 130,
                render: (_, row) => <QualityTag quality={row.state.quality} />,
              },
              {
                title: `${t("entity.observed")} (${ZONE_LABEL})`,
                width: 180,
                render: (_, row) => observed(row),
              },
              { title: t("entity.source"), width: 130, render: (_, row) => source(row) },
            ]
      }
    />
  );
}

function EntityAlerts({ id }: { id: string }) {
  const { t, p } = useT();
  const alerts = useQuery(entityAlertsQuery(id));
  return (
    <Card size="small" title={t("entity.alerts")}>
      <Loaded query={alerts}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t("entity.no-alerts")} />
          ) : (
            <ul className="plain-list entity-alerts">
              {items.map((alert) => (
                <li key={alert.id}>
                  <Link to={`/alerts?alert=${alert.id}`}>
                    <SeverityTag severity={alert.severity} /> {p(alert.title_zh, alert.title_en)}
                  </Link>
                  <div className="quiet">
                    <Age at={alert.raised_at} /> ·{" "}
                    {t(alert.cleared_at ? "alert.state-cleared" : "alert.state-active")}
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
