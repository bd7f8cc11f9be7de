/** The rows of a register as a table; of many only those in sight are drawn. */
import { CaretDownOutlined, CaretUpOutlined, EyeInvisibleOutlined } from "@ant-design/icons";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { Fragment, type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Entity, Quality, Severity } from "../../lib/types.ts";
import { QualityDot, SEVERITY_COLOURS } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import {
  type Column,
  ENTITY,
  headOf,
  NEWEST,
  newestOf,
  noteOf,
  type Saying,
  type Sort,
  targetOf,
  textOf,
} from "./rows.ts";

/** Height of a row, pixels; on a phone a finger must hit it. The same figures stand in views.css. */
const ROW_PX = 36;
const ROW_PHONE_PX = 46;
/** Up to so many rows are all drawn: they can be searched and printed by the browser. */
const DRAWN_MAX = 100;
/** Rows that a page key goes past. */
const PAGE_ROWS = 10;
const CHARACTER_PX = 7.6;
const COLUMN_MIN_PX = 72;
const COLUMN_MAX_PX = 280;
/** A head may take two lines; one of so few characters does not. */
const HEAD_LINES = 2;
const HEAD_SHORT = 14;
/** On a phone the first column, which stays where it is, leaves room for the others. */
const FIRST_PHONE_MAX_PX = 150;
/** Rows that a column's width is measured on. */
const MEASURED_ROWS = 60;

/** Chinese characters are as wide as two Latin ones. */
function width(text: string): number {
  let wide = 0;
  for (const char of text) wide += (char.codePointAt(0) ?? 0) > 0x2e80 ? 2 : 1;
  return wide;
}

export const entityPath = (id: string) => `/entities/${encodeURIComponent(id)}`;

export function RegisterTable({
  label,
  rows,
  columns,
  saying,
  severityOf,
  unmarked,
  q,
  sort,
  onSort,
  onOpen,
  onSight,
  busy,
}: {
  label: string;
  /** In the order in which they are shown. */
  rows: Entity[];
  columns: Column[];
  saying: Saying;
  /** The worst active alert of an entity. */
  severityOf: (id: string) => Severity | undefined;
  /** What is not marked, because all values are so that have no other mark. */
  unmarked: Quality | null;
  /** What was asked for. */
  q: string;
  sort: Sort | null;
  onSort: (key: string) => void;
  onOpen: (entity: Entity) => void;
  /** Which of the rows are drawn now. */
  onSight: (ids: string[]) => void;
  busy: boolean;
}) {
  const phone = usePhone();
  const height = phone ? ROW_PHONE_PX : ROW_PX;
  const field = useRef<HTMLElement>(null);
  // The one row that Tab leads to; arrows go on from there.
  const [reached, setReached] = useState(0);
  const at = Math.min(reached, rows.length - 1);
  const isFocusWanted = useRef(false);
  const isWhole = rows.length <= DRAWN_MAX;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => field.current,
    estimateSize: () => height,
    overscan: 12,
    enabled: !isWhole,
    // The row that has the keyboard is never taken away from under it.
    rangeExtractor: (range) =>
      [...new Set([...defaultRangeExtractor(range), at])].filter((n) => n >= 0).sort((a, b) => a - b),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the screen was turned, or its width changed
  useEffect(() => virtual.measure(), [height]);
  const drawn = isWhole ? rows.map((_, n) => n) : virtual.getVirtualItems().map(({ index }) => index);

  const sight = drawn.map((n) => rows[n]?.id ?? "").join("\n");
  const latest = useRef(onSight);
  latest.current = onSight;
  useEffect(() => latest.current(sight.split("\n")), [sight]);

  // Another order, or other rows: from the top.
  const asked = `${sort?.key} ${sort?.down} ${q}`;
  const before = useRef(asked);
  useEffect(() => {
    if (before.current === asked) return;
    before.current = asked;
    setReached(0);
    if (field.current) field.current.scrollTop = 0;
  }, [asked]);

  const open = useRef(onOpen);
  open.current = onOpen;
  const goTo = (index: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, index));
    isFocusWanted.current = true;
    setReached(next);
    if (!isWhole) virtual.scrollToIndex(next);
  };
  useEffect(() => {
    if (!isFocusWanted.current) return;
    const row = field.current?.querySelector<HTMLElement>(`[data-index="${at}"]`);
    if (!row) return;
    isFocusWanted.current = false;
    // The browser's own way would also go sideways, and hide the row below the head.
    row.focus({ preventScroll: true });
    bringIntoSight(field.current, row);
  });
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    const row = event.target as HTMLElement;
    // A link in a row, and a head that sorts, have their own keys.
    if (row.dataset.index === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const n = Number(row.dataset.index);
    const entity = rows[n];
    const to: Record<string, number> = {
      ArrowDown: n + 1,
      ArrowUp: n - 1,
      PageDown: n + PAGE_ROWS,
      PageUp: n - PAGE_ROWS,
      Home: 0,
      End: rows.length - 1,
    };
    const next = to[event.key];
    if (next !== undefined) goTo(next);
    else if (entity && (event.key === "Enter" || event.key === " ")) open.current(entity);
    else return;
    event.preventDefault();
  };

  const widths = useMemo(() => {
    const sample = rows.slice(0, MEASURED_ROWS);
    return columns.map((column, n) => {
      const title = width(headOf(column)) + 2;
      const head = Math.max(Math.min(title, HEAD_SHORT), Math.ceil(title / HEAD_LINES) + 2);
      const texts = sample.map((entity) => width(textOf(entity, column, columns, saying)));
      // A mark before the value, and one behind what is masked.
      const marks = column.key === NEWEST ? 0 : column.declared?.personal ? 34 : 14;
      const wanted = Math.max(head * CHARACTER_PX, Math.max(0, ...texts) * CHARACTER_PX + marks) + 26;
      const most = phone && n === 0 ? FIRST_PHONE_MAX_PX : COLUMN_MAX_PX;
      return Math.round(Math.min(most, Math.max(COLUMN_MIN_PX, wanted)));
    });
  }, [rows, columns, saying, phone]);

  let end = 0;
  const lines = drawn.map((n) => {
    const gap = n - end;
    end = n + 1;
    const entity = rows[n];
    return entity === undefined ? null : (
      <Fragment key={entity.id}>
        {gap > 0 && <Gap rows={gap} height={height} columns={columns.length} />}
        <Row
          entity={entity}
          index={n}
          isReached={n === at}
          columns={columns}
          saying={saying}
          severity={severityOf(entity.id)}
          unmarked={unmarked}
          open={open}
          onReach={setReached}
        />
      </Fragment>
    );
  });
  return (
    <section ref={field} className="register" aria-label={label} aria-busy={busy} data-testid="register">
      <table aria-rowcount={rows.length + 1} style={{ minWidth: widths.reduce((sum, one) => sum + one, 0) }}>
        <colgroup>
          {columns.map(({ key }, n) => (
            <col key={key} style={{ width: widths[n] }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onKey}>
          {lines}
          {rows.length > end && <Gap rows={rows.length - end} height={height} columns={columns.length} />}
        </tbody>
      </table>
    </section>
  );
}

/** Scrolls up or down until a row stands between the head and the end. */
function bringIntoSight(field: HTMLElement | null, row: HTMLElement) {
  if (!field) return;
  const box = field.getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  const first = box.top + (field.querySelector("thead")?.offsetHeight ?? 0);
  if (top < first) field.scrollTop -= first - top;
  else if (bottom > box.bottom) field.scrollTop += bottom - box.bottom;
}

/** The place of rows that are not drawn. */
function Gap({ rows, height, columns }: { rows: number; height: number; columns: number }) {
  return (
    <tr aria-hidden className="register-gap">
      <td colSpan={columns} style={{ height: rows * height }} />
    </tr>
  );
}

function Head({
  column,
  sort,
  onSort,
}: {
  column: Column;
  sort: Sort | null;
  onSort: (key: string) => void;
}) {
  const { t } = useT();
  const isSorted = sort?.key === column.key;
  const order = !isSorted ? "none" : sort.down ? "descending" : "ascending";
  return (
    <th scope="col" aria-sort={order} className={column.isNumber ? "register-number" : undefined}>
      <button
        type="button"
        title={t("view.sort", { title: headOf(column) })}
        onClick={() => onSort(column.key)}
      >
        {column.title}
        {column.unit && <span className="quiet"> ({column.unit})</span>}
        {isSorted && (sort.down ? <CaretDownOutlined aria-hidden /> : <CaretUpOutlined aria-hidden />)}
      </button>
    </th>
  );
}

/** Drawn anew only when its own entity changed: a register of many hears of some every second. */
const Row = memo(function Row({
  entity,
  index,
  isReached,
  columns,
  saying,
  severity,
  unmarked,
  open,
  onReach,
}: {
  entity: Entity;
  index: number;
  isReached: boolean;
  columns: Column[];
  saying: Saying;
  severity: Severity | undefined;
  unmarked: Quality | null;
  open: { current: (entity: Entity) => void };
  onReach: (index: number) => void;
}) {
  return (
    <tr
      className="row-link"
      tabIndex={isReached ? 0 : -1}
      data-row=""
      data-index={index}
      aria-rowindex={index + 2}
      onFocus={(event) => event.target === event.currentTarget && onReach(index)}
      onClick={(event) => {
        // A link has its own way, and who marks a text wants to copy it.
        if ((event.target as HTMLElement).closest("a, button")) return;
        if (window.getSelection()?.toString()) return;
        open.current(entity);
      }}
    >
      {columns.map((column) =>
        column.key === ENTITY ? (
          <Name key={column.key} entity={entity} severity={severity} saying={saying} columns={columns} />
        ) : (
          <Cell
            key={column.key}
            entity={entity}
            column={column}
            columns={columns}
            saying={saying}
            unmarked={unmarked}
          />
        ),
      )}
    </tr>
  );
});

/** What the entity is called, with the worst of its alerts. */
function Name({
  entity,
  severity,
  columns,
  saying,
}: {
  entity: Entity;
  severity: Severity | undefined;
  columns: Column[];
  saying: Saying;
}) {
  const { t } = useT();
  const name = columns[0] ? textOf(entity, columns[0], columns, saying) : entity.id;
  const alert = severity && t("view.alert", { severity: t(`severity.${severity}`) });
  return (
    <th
      scope="row"
      title={`${name} · ${entity.id}`}
      style={severity && { boxShadow: `inset 3px 0 ${SEVERITY_COLOURS[severity]}` }}
    >
      {severity && (
        <span
          className="register-alert"
          role="img"
          aria-label={alert}
          title={alert}
          style={{ background: SEVERITY_COLOURS[severity] }}
        />
      )}
      <Link to={entityPath(entity.id)} tabIndex={-1}>
        {name}
      </Link>
    </th>
  );
}

function Cell({
  entity,
  column,
  columns,
  saying,
  unmarked,
}: {
  entity: Entity;
  column: Column;
  columns: Column[];
  saying: Saying;
  unmarked: Quality | null;
}) {
  const { t } = useT();
  const text = textOf(entity, column, columns, saying);
  if (column.key === NEWEST) {
    return (
      <td className="register-time">
        <time dateTime={newestOf(entity, columns) ?? undefined}>{text}</time>
      </td>
    );
  }
  const state = entity.attributes[column.key];
  const target = targetOf(column, state);
  const isOut = state?.quality === "out_of_range";
  const note = noteOf(state, t);
  const nothing = (state?.value ?? null) === null;
  return (
    <td
      className={column.isNumber ? "register-number" : undefined}
      title={nothing ? undefined : `${target ?? text}${note && `\n${note}`}`}
    >
      {state && !nothing && state.quality !== unmarked && <QualityDot quality={state.quality} />}
      {target ? (
        <Link to={entityPath(target)}>{text}</Link>
      ) : (
        <span className={isOut ? "register-out" : nothing ? "quiet" : undefined}>{text}</span>
      )}
      {state?.masked && (
        <EyeInvisibleOutlined
          className="quiet register-masked"
          aria-label={t("personal.masked")}
          title={t("personal.masked")}
        />
      )}
    </td>
  );
}
