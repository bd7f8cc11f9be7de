/** Bulletins of packs: what a department tells of its field, as a sheet that is read, printed and taken along. */
import "./bulletins.css";
import { useQuery } from "@tanstack/react-query";
import { Select } from "antd";
import type { CSSProperties } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { download } from "../../lib/download.ts";
import type { Bulletin, BulletinListed, BulletinPart } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { type BulletinContext, bulletinActions } from "./actions.tsx";
import { bulletinQuery, bulletinsQuery } from "./queries.ts";

export function Page() {
  const { t } = useT();
  const bulletins = useQuery(bulletinsQuery);
  return (
    <div className="page">
      <Loaded query={bulletins} tall>
        {(all) =>
          all.length > 0 ? (
            <Shown all={all} />
          ) : (
            <>
              <header className="page-head">
                <h1>{t("nav.bulletins")}</h1>
              </header>
              <Nothing title={t("bulletin.none")} mend={t("bulletin.none-mend")} />
            </>
          )
        }
      </Loaded>
    </div>
  );
}

/** One of them, by the address; the first where it names none that there is. */
function Shown({ all }: { all: BulletinListed[] }) {
  const { t, p, language } = useT();
  const [parameters, to] = useAddress();
  const asked = parameters.get("id");
  const id = all.find((one) => one.id === asked)?.id ?? all[0]?.id ?? "";
  const bulletin = useQuery(bulletinQuery(id, language));
  const context: BulletinContext = {
    id,
    language,
    isRead: bulletin.data !== undefined,
    refresh: () => bulletin.refetch({ throwOnError: true }),
    print: () => window.print(),
    download,
  };
  useActionKeys(bulletinActions, context);
  return (
    <>
      <header className="page-head bulletin-head">
        <h1>{t("nav.bulletins")}</h1>
        {all.length > 1 && (
          <Select
            className="bulletin-choice"
            aria-label={t("bulletin.choose")}
            value={id}
            onChange={(chosen) => to({ id: chosen })}
            showSearch={{ optionFilterProp: "label" }}
            options={all.map((one) => ({ value: one.id, label: p(one.title_zh, one.title_en) }))}
          />
        )}
        <span className="grow" />
        <ActionBar actions={bulletinActions} context={context} />
      </header>
      <Loaded key={`${id} ${language}`} query={bulletin} tall>
        {(found) => (
          <Sheet bulletin={found} pack={all.find((one) => one.id === id)?.pack} busy={bulletin.isFetching} />
        )}
      </Loaded>
    </>
  );
}

function Sheet({
  bulletin,
  pack,
  busy,
}: {
  bulletin: Bulletin;
  /** The pack that declares it. */
  pack: string | undefined;
  busy: boolean;
}) {
  const { t } = useT();
  return (
    <article className="bulletin" aria-label={bulletin.title} aria-busy={busy} data-testid="bulletin">
      <h2>{bulletin.title}</h2>
      <p className="quiet bulletin-at">
        {t("bulletin.at")} <Time at={bulletin.at} />
        {pack && ` · ${t("bulletin.from", { pack })}`}
        {` · ${t("bulletin.of-what")}`}
      </p>
      {bulletin.parts.length === 0 && <Nothing title={t("bulletin.empty")} />}
      {bulletin.parts.map((part, n) => (
        <Part key={n} part={part} />
      ))}
    </article>
  );
}

/** What is a figure, or a dash where there is none. */
const FIGURE = /^([+−-]?[\d,]*\.?\d+|—)$/;

/** Which columns are figures: they stand at the right. */
export function figureColumns({ head, rows }: Pick<BulletinPart, "head" | "rows">): boolean[] {
  return head.map(
    (_, n) => rows.some((row) => /\d/.test(row[n] ?? "")) && rows.every((row) => FIGURE.test(row[n] ?? "—")),
  );
}

function Part({ part }: { part: BulletinPart }) {
  const { t } = useT();
  if (part.kind === "heading") return <h3>{part.text}</h3>;
  if (part.kind === "text") return <p className="prose">{part.text}</p>;
  const figures = figureColumns(part);
  const side = (n: number) => (figures[n] ? "bulletin-figure" : undefined);
  return (
    <div className="bulletin-table">
      <table style={{ "--columns": part.head.length } as CSSProperties}>
        <thead>
          <tr>
            {part.head.map((title, n) => (
              <th key={n} scope="col" className={side(n)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {part.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, n) => (
                <td key={n} className={side(n)}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
          {part.rows.length === 0 && (
            <tr>
              <td colSpan={Math.max(1, part.head.length)} className="quiet">
                {t("bulletin.no-rows")}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
