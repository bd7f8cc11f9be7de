/** The tables that SQL can read: their columns, where a department's came from, and taking one of those away. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import type { TableInfo } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { ReasonField, useTellAsked } from "../approvals/waiting.tsx";
import { organisationsQuery } from "../cases/queries.ts";
import { tableActions } from "./actions.tsx";
import { removeTable, tablesQuery } from "./queries.ts";

export function TableList({ onPick }: { onPick: (sql: string) => void }) {
  const { t, p } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const tellAsked = useTellAsked();
  const tables = useQuery(tablesQuery);
  const remove = (table: TableInfo) => {
    const title = p(table.imported?.title_zh, table.imported?.title_en);
    let reason = "";
    modal.confirm({
      title: t("table.remove-confirm", { name: title ? `${title} (${table.name})` : table.name }),
      content: (
        <>
          <p>
            {t("table.remove-text", {
              rows: (table.imported?.rows ?? 0).toLocaleString("en-US"),
              file: table.imported?.file ?? "",
            })}
          </p>
          <ReasonField
            onChange={(text) => {
              reason = text;
            }}
          />
        </>
      ),
      okText: t("table.remove"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true, "data-testid": "table-remove-confirm" },
      // What cannot be taken back is not done by a key that was pressed once too often.
      focusable: { autoFocusButton: "cancel" },
      onOk: async () => {
        try {
          const answer = await removeTable(table.name, reason.trim());
          if (!tellAsked(answer)) message.success(t("table.removed", { name: table.name }));
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
        // Also after an error: somebody else may have removed it.
        await queryClient.invalidateQueries({ queryKey: tablesQuery.queryKey });
      },
    });
  };
  return (
    <Loaded query={tables}>
      {({ items }) =>
        items.length === 0 ? (
          <Nothing title={t("sql.tables-none")} />
        ) : (
          items.map((table) => <Table key={table.name} table={table} onPick={onPick} remove={remove} />)
        )
      }
    </Loaded>
  );
}

function Table({
  table,
  onPick,
  remove,
}: {
  table: TableInfo;
  onPick: (sql: string) => void;
  remove: (table: TableInfo) => void;
}) {
  const { p } = useT();
  const title = p(table.imported?.title_zh, table.imported?.title_en);
  return (
    <details>
      <summary title={table.description ?? undefined}>
        <code>{table.name}</code> {title && <span>{title}</span>}
      </summary>
      <ul className="plain-list">
        {table.description && table.description !== title && <li className="quiet">{table.description}</li>}
        {table.imported && <Origin imported={table.imported} />}
        <li>
          <button type="button" onClick={() => onPick(`SELECT *\nFROM ${quoteName(table.name)}\nLIMIT 100`)}>
            SELECT * …
          </button>
        </li>
        {table.columns.map((column) => (
          <li key={column.name}>
            <code>{column.name}</code>
            <span className="quiet">
              {[p(column.title_zh, column.title_en), column.type, column.unit].filter(Boolean).join(", ")}
            </span>
          </li>
        ))}
        <li className="sql-table-actions">
          <ActionBar actions={tableActions} context={{ table, remove }} size="small" />
        </li>
      </ul>
    </details>
  );
}

/** Where a department's table came from: which file, its fingerprint, who brought it in and when. */
function Origin({ imported }: { imported: NonNullable<TableInfo["imported"]> }) {
  const { t, p } = useT();
  const organisations = useQuery(organisationsQuery);
  const from = organisations.data?.items.find((one) => one.id === imported.department);
  return (
    <li className="sql-origin quiet" data-testid="origin">
      {from && <span>{p(from.name_zh, from.name_en)}</span>}
      <span>
        {t("sql.imported", {
          rows: imported.rows.toLocaleString("en-US"),
          at: time(imported.imported_at),
          by: imported.imported_by,
        })}
      </span>
      <span title={`SHA-256 ${imported.sha256}`}>
        {imported.sheet ? `${imported.file}, ${imported.sheet}` : imported.file}
      </span>
      <code>{imported.sha256.slice(0, 12)}</code>
      {imported.rows_left_out > 0 && <span>{t("sql.left-out", { n: imported.rows_left_out })}</span>}
    </li>
  );
}

/** Names with capitals need quotes in SQL. */
function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
