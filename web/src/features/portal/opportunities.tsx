/** What is offered to investors: packages of projects and lists of scenarios, as everybody sees them; the office's preview is the same. */
import { number } from "../../lib/format.ts";
import type { PublicPackage, PublicPackageEntry } from "../../lib/types.ts";
import { wan } from "../projects/money.ts";
import type { Speech } from "./language.ts";

type Said = Pick<Speech, "t" | "p">;

export function Opportunities({ packages, speech }: { packages: PublicPackage[]; speech: Said }) {
  const { t } = speech;
  if (packages.length === 0) return null;
  return (
    <section className="portal-group" id="opportunities" data-testid="opportunities">
      <h2>{t("portal.opportunities")}</h2>
      <p className="portal-quiet">{t("portal.opportunities-text")}</p>
      {packages.map((one) => (
        <Package key={one.id} shown={one} speech={speech} />
      ))}
    </section>
  );
}

export function Package({ shown: one, speech }: { shown: PublicPackage; speech: Said }) {
  const { t, p } = speech;
  return (
    <article className="portal-card portal-package" data-testid="package">
      <h3>{p(one.title_zh, one.title_en)}</h3>
      <p className="portal-quiet">
        {t(`portal.kind-${one.kind}`)} · {t("portal.valid-until", { day: one.valid_until })}
        {one.published_on && ` · ${t("portal.published-on", { day: one.published_on, n: one.edition })}`}
      </p>
      <p className="portal-lines">{p(one.summary_zh, one.summary_en)}</p>
      <ul className="portal-entries">
        {one.entries.map((entry) => (
          <li key={entry.project ?? entry.name_zh} className="portal-entry">
            <Entry entry={entry} speech={speech} />
          </li>
        ))}
      </ul>
      <p>
        <strong>{t("portal.contact")}: </strong>
        {p(one.contact_zh, one.contact_en)}
      </p>
    </article>
  );
}

function Entry({ entry, speech }: { entry: PublicPackageEntry; speech: Said }) {
  const { t, p } = speech;
  const facts: [string, string][] = [];
  if (entry.stage) facts.push([t("portal.stage"), t(`portal.stage-${entry.stage}`)]);
  if (entry.start || entry.end) facts.push([t("portal.days"), `${entry.start ?? "?"} – ${entry.end ?? "?"}`]);
  facts.push([
    t("portal.sought"),
    entry.sought.map((what) => t(`portal.sought-${what}`)).join(t("portal.and")),
  ]);
  for (const money of entry.money ?? [])
    facts.push([
      t(`portal.money-${money.source}`),
      t("portal.money", { planned: wan(money.planned_fen), arranged: wan(money.arranged_fen) }),
    ]);
  return (
    <>
      <h4>{p(entry.name_zh, entry.name_en)}</h4>
      <p className="portal-lines">{p(entry.words_zh, entry.words_en)}</p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {entry.quote && (
        <blockquote lang="zh-CN">
          {entry.quote}
          <cite>{t("portal.words")}</cite>
        </blockquote>
      )}
      {entry.indicators.length > 0 && (
        <>
          <p className="portal-quiet">{t("portal.serves")}</p>
          <ul className="portal-serves">
            {entry.indicators.map((one) => (
              <li key={one.id}>
                <a href={`/public#${encodeURIComponent(one.id)}`}>{p(one.name_zh, one.name_en)}</a>{" "}
                {number(one.value)} {p(one.unit_zh, one.unit_en)} (
                {t("portal.target-short", { value: number(one.target) })})
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
