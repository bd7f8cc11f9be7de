/** The SQL editor: colours, brackets, and completion of the city's own tables and columns. */
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { Compartment } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";
import type { TableInfo } from "../../lib/types.ts";

const look = EditorView.theme({
  "&": { fontSize: "13.5px", backgroundColor: "#fff" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { minHeight: "150px" },
  ".cm-gutters": { backgroundColor: "#f4f7f8", color: "#8b9ca3", borderRight: "1px solid var(--line)" },
});

function language(tables: TableInfo[]) {
  const schema = Object.fromEntries(tables.map((table) => [table.name, table.columns.map((c) => c.name)]));
  return sql({ dialect: PostgreSQL, schema, upperCaseKeywords: true });
}

export function Editor({
  text,
  label,
  tables,
  onText,
}: {
  text: string;
  label: string;
  tables: TableInfo[];
  onText: (text: string) => void;
}) {
  const field = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const languagePart = useRef(new Compartment());
  const latest = useRef(onText);
  latest.current = onText;
  const first = useRef({ text, label });

  useEffect(() => {
    if (!field.current) return;
    const made = new EditorView({
      parent: field.current,
      doc: first.current.text,
      extensions: [
        // The page's own key runs the query; the editor must not make a line of it.
        keymap.of([{ key: "Mod-Enter", run: () => true, preventDefault: false, stopPropagation: false }]),
        basicSetup,
        look,
        languagePart.current.of(language([])),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": first.current.label, "data-testid": "sql-editor" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current(update.state.doc.toString());
        }),
      ],
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: languagePart.current.reconfigure(language(tables)) });
  }, [tables]);

  useEffect(() => {
    const now = view.current;
    if (!now || now.state.doc.toString() === text) return;
    now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: text } });
  }, [text]);

  return <div ref={field} className="sql-editor" />;
}
