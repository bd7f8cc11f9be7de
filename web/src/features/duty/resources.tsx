/** What can be sent: teams, vehicles, pumps and stores, with their state and place, which whoever may changes here. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Drawer, Segmented, Table, type TableColumnType, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import type { Entity } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { nameOf } from "../entity/queries.ts";
import { EntryForm } from "../views/form.tsx";
import { pagesQuery } from "../views/queries.ts";
import { resourceActions } from "./actions.tsx";
import { RESOURCE_FORM, ROOM, resourcesQuery } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 520;
const STATES = ["available", "busy", "outOfService"] as const;
const COLOURS: Record<string, string> = { available: "green", busy: "orange", outOfService: "default" };

/** What an attribute says, as text. */
const said = (entity: Entity, name: string) => {
  const value = entity.attributes[name]?.value;
  return typeof value === "string" ? value : "";
};

/** What a category is called; one that nobody named goes by its own word. */
export function useCategory() {
  const { t } = useT();
  return (category: string) => {
    const key = keyOf("duty-category", category);
    return key ? t(key) : category;
  };
}

function useStateWord() {
  const { t } = useT();
  return (state: string) => {
    const key = keyOf("duty-resource", state);
    return key ? t(key) : state;
  };
}

export function Resources() {
  const { t, language } = useT();
  const categoryOf = useCategory();
  const stateOf = useStateWord();
  const phone = usePhone();
  const [only, setOnly] = useState<string>("all");
  const [edited, setEdited] = useState<Entity | null>(null);
  const resources = useQuery(resourcesQuery);
  const failure = useFailure(resources);
  if (failure) return failure;
  if (!resources.data) return <Loading tall />;
  const all = resources.data.items;
  if (all.length === 0)
    return <Nothing title={t("duty.resources-none")} mend={t("duty.resources-none-mend")} />;
  const count = (state: string) => all.filter((one) => said(one, "status") === state).length;
  const shown = all.filter((one) => only === "all" || said(one, "status") === only);
  const acts = (one: Entity) => (
    <ActionBar actions={resourceActions} context={{ resource: one, edit: setEdited }} size="small" />
  );
  // On a phone what is wide stands under the name.
  const columns: (TableColumnType<Entity> & { wide?: boolean })[] = [
    {
      title: t("duty.resource"),
      render: (_, one) => (
        <>
          <Link to={`/entities/${encodeURIComponent(one.id)}`}>{nameOf(one, language)}</Link>
          {phone && (
            <>
              <div className="quiet">
                {categoryOf(said(one, "category"))} {said(one, "address")}
              </div>
              {acts(one)}
            </>
          )}
        </>
      ),
    },
    {
      title: t("duty.category"),
      wide: true,
      width: 120,
      render: (_, one) => categoryOf(said(one, "category")),
    },
    {
      title: t("duty.state"),
      width: 120,
      render: (_, one) => {
        const state = said(one, "status");
        return state ? <Tag color={COLOURS[state]}>{stateOf(state)}</Tag> : "—";
      },
    },
    {
      title: t("duty.place"),
      wide: true,
      render: (_, one) => (
        <>
          {said(one, "address")}
          {one.location && (
            <div className="quiet number">
              {one.location[0].toFixed(4)}°E, {one.location[1].toFixed(4)}°N
            </div>
          )}
        </>
      ),
    },
    {
      title: t("duty.resource-said"),
      wide: true,
      width: 170,
      render: (_, one) => <Time at={one.attributes.status?.observed_at ?? one.modified_at} bare />,
    },
    {
      title: t("word.operations"),
      wide: true,
      width: 170,
      render: (_, one) => acts(one),
    },
  ];
  return (
    <>
      <div className="duty-bar">
        <Segmented
          aria-label={t("duty.state")}
          value={only}
          onChange={setOnly}
          options={[
            { value: "all", label: `${t("duty.resources-all")} ${all.length}` },
            ...STATES.map((state) => ({ value: state, label: `${stateOf(state)} ${count(state)}` })),
          ]}
        />
      </div>
      <Table<Entity>
        size="small"
        rowKey="id"
        dataSource={shown}
        pagination={false}
        scroll={phone ? undefined : { x: 820 }}
        onRow={() => ({ "data-testid": "resource" }) as React.HTMLAttributes<HTMLElement>}
        columns={columns.filter(({ wide }) => !(phone && wide))}
      />
      {edited && <Edit key={edited.id} resource={edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function Edit({ resource, onClose }: { resource: Entity; onClose: () => void }) {
  const { t, language } = useT();
  const client = useQueryClient();
  const pages = useQuery(pagesQuery(false));
  const failure = useFailure(pages);
  const page = pages.data?.find(({ view }) => view.id === RESOURCE_FORM);
  const found = page?.kind ? page : undefined;
  const sent = async () => {
    onClose();
    await client.invalidateQueries({ queryKey: [...ROOM, "resources"] });
  };
  return (
    <Drawer open size={DRAWER_WIDTH} title={nameOf(resource, language)} onClose={onClose}>
      {failure ??
        (!pages.data ? (
          <Loading />
        ) : found?.view.form ? (
          <EntryForm
            view={found.view.id}
            form={found.view.form}
            kind={found.kind}
            entity={resource}
            onSent={sent}
          />
        ) : (
          <Nothing title={t("view.missing")} mend={t("view.missing-mend")} />
        ))}
    </Drawer>
  );
}
