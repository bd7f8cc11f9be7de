/** The filters of cases, kept in the address so that a view can be sent to somebody and comes back with the page. */
import { FilterOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, DatePicker, Input, Select, Switch, Tag } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { CASE_STATES, isCaseState } from "../../lib/types.ts";
import { SEVERITIES } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { classOptions } from "./classes.ts";
import { type CaseFilter, classesQuery, gridsQuery, organisationsQuery, townsQuery } from "./queries.ts";

/** The names of the filters in the address. */
const NAMES = [
  "state",
  "workflow",
  "organisation",
  "town",
  "category",
  "grid",
  "severity",
  "overdue",
  "text",
  "from",
  "until",
  "mine",
] as const;
type Name = (typeof NAMES)[number];

/** The filter that an address holds; what it holds wrongly is left out. */
export function filterOf(parameters: URLSearchParams): CaseFilter {
  const text = (name: Name) => parameters.get(name) || undefined;
  const state = text("state");
  return {
    state: state && isCaseState(state) ? state : undefined,
    workflow: text("workflow"),
    organisation: text("organisation"),
    town: text("town"),
    category: text("category"),
    grid: text("grid"),
    severity: text("severity"),
    overdue: parameters.get("overdue") === "1" || undefined,
    text: text("text"),
    from: text("from"),
    until: text("until"),
    mine: parameters.get("mine") === "1" || undefined,
  };
}

/** The filter in the address, and how to change parts of it. */
export function useCaseFilter() {
  const [parameters, change] = useAddress();
  const set = (changes: Partial<Record<Name | "view", string>>) => change(changes);
  const clear = () => set(Object.fromEntries(NAMES.map((name) => [name, undefined])));
  const filter = filterOf(parameters);
  const view = parameters.get("view") === "board" ? "board" : "list";
  return { filter, view, set, clear } as const;
}

export function Filters({
  filter,
  set,
  clear,
  board,
}: Pick<ReturnType<typeof useCaseFilter>, "filter" | "set" | "clear"> & { board: boolean }) {
  const { t, p } = useT();
  const organisations = useQuery(organisationsQuery);
  const classes = useQuery(classesQuery);
  const grids = useQuery(gridsQuery);
  const towns = useQuery(townsQuery);
  const phone = usePhone();
  const [unfolded, setUnfolded] = useState(false);
  const count = Object.values(filter).filter((value) => value !== undefined).length;
  const choices = (
    <>
      {!board && (
        <Select
          allowClear
          value={filter.state}
          onChange={(state?: string) => set({ state })}
          placeholder={t("word.state")}
          aria-label={t("word.state")}
          popupMatchSelectWidth={false}
          options={CASE_STATES.map((s) => ({ value: s, label: t(`case-state.${s}`) }))}
        />
      )}
      <Select
        allowClear
        value={filter.organisation}
        onChange={(organisation?: string) => set({ organisation })}
        placeholder={t("case.organisation")}
        aria-label={t("case.organisation")}
        loading={organisations.isPending}
        showSearch={{ optionFilterProp: "label" }}
        popupMatchSelectWidth={false}
        options={organisations.data?.items.map((o) => ({ value: o.id, label: p(o.name_zh, o.name_en) }))}
      />
      <Select
        allowClear
        value={filter.town}
        onChange={(town?: string) => set({ town })}
        placeholder={t("case.town")}
        aria-label={t("case.town")}
        loading={towns.isPending}
        status={towns.error ? "error" : undefined}
        showSearch={{ optionFilterProp: "label" }}
        popupMatchSelectWidth={false}
        options={towns.data}
      />
      <Select
        allowClear
        value={filter.severity}
        onChange={(severity?: string) => set({ severity })}
        placeholder={t("severity.title")}
        aria-label={t("severity.title")}
        popupMatchSelectWidth={false}
        options={SEVERITIES.map((s) => ({ value: s, label: t(`severity.${s}`) }))}
      />
      <Select
        allowClear
        value={filter.category}
        onChange={(category?: string) => set({ category })}
        placeholder={t("case.class")}
        aria-label={t("case.class")}
        loading={classes.isPending}
        showSearch={{ optionFilterProp: "label" }}
        popupMatchSelectWidth={false}
        options={classOptions(classes.data?.items ?? [], p)}
      />
      <Select
        allowClear
        value={filter.grid}
        onChange={(grid?: string) => set({ grid })}
        placeholder={t("case.grid")}
        aria-label={t("case.grid")}
        loading={grids.isPending}
        showSearch={{ optionFilterProp: "label" }}
        popupMatchSelectWidth={false}
        options={grids.data?.items.map((grid) => ({ value: grid.code, label: `${grid.name} ${grid.code}` }))}
      />
      <DatePicker.RangePicker
        allowEmpty={[true, true]}
        aria-label={t("case.period")}
        value={[filter.from ? dayjs(filter.from) : null, filter.until ? dayjs(filter.until) : null]}
        onChange={(range) =>
          set({
            from: range?.[0]?.startOf("day").toISOString(),
            until: range?.[1]?.endOf("day").toISOString(),
          })
        }
      />
      <span>
        <Switch
          size="small"
          checked={filter.overdue ?? false}
          onChange={(on) => set({ overdue: on ? "1" : undefined })}
          aria-label={t("case.only-overdue")}
        />{" "}
        {t("case.only-overdue")}
      </span>
      <span>
        <Switch
          size="small"
          checked={filter.mine ?? false}
          onChange={(on) => set({ mine: on ? "1" : undefined })}
          aria-label={t("case.mine")}
        />{" "}
        {t("case.mine")}
      </span>
    </>
  );
  return (
    <section className="toolbar" aria-label={t("case.title")}>
      <Input.Search
        allowClear
        defaultValue={filter.text}
        key={filter.text ?? ""}
        placeholder={t("case.search")}
        aria-label={t("case.search")}
        onSearch={(text) => set({ text: text.trim() })}
        className="case-search"
      />
      {/* On a phone the cases come first: what narrows them is a tap away, and says how much it does. */}
      {phone && (
        <Button aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)} icon={<FilterOutlined />}>
          {t("case.filters")}
          {count > 0 && ` (${count})`}
        </Button>
      )}
      {(!phone || unfolded) && choices}
      {filter.workflow && (
        <Tag closable onClose={() => set({ workflow: undefined })}>
          {t("case.of-workflow", { workflow: filter.workflow })}
        </Tag>
      )}
      {count > 0 && <Button onClick={clear}>{t("case.clear")}</Button>}
    </section>
  );
}
