/** One indicator: a line that says how it stands, and below it, once it is opened, its path, its proof and the plan's words. */
import { useEffect, useRef, useState } from "react";
import { number, time, ZONE_LABEL } from "../../lib/format.ts";
import type { PublicIndicator } from "../../lib/types.ts";
import { expectedProgress, progress, yearEndScale } from "../plan/progress.ts";
import { scale, standingOf } from "./choice.ts";
import type { Speech } from "./language.ts";

interface Shown {
  indicator: PublicIndicator;
  speech: Speech;
}

function targetText({ target, target_low, target_high }: PublicIndicator): string {
  return target_low === target_high ? number(target) : `${number(target_low)}–${number(target_high)}`;
}

/** A day stays a day; a time is that of the city. */
const asOfText = (asOf: string) => (asOf.includes("T") ? `${time(asOf).slice(0, 16)} ${ZONE_LABEL}` : asOf);

export function Indicator({ indicator: one, isAsked, speech }: Shown & { isAsked: boolean }) {
  const { t, p } = speech;
  const [isOpen, setOpen] = useState(isAsked);
  const self = useRef<HTMLDetailsElement>(null);
  const standing = standingOf(one);
  const unit = p(one.unit_zh, one.unit_en);
  useEffect(() => {
    if (!isAsked) return;
    setOpen(true);
    self.current?.scrollIntoView();
    self.current?.querySelector("summary")?.focus({ preventScroll: true });
  }, [isAsked]);
  return (
    <details
      ref={self}
      open={isOpen}
      data-indicator={one.id}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>
        <span className="portal-name">
          <span className="portal-number">{one.number}</span> {p(one.name_zh, one.name_en)}
        </span>
        <span className="portal-value">
          {one.value !== null && (
            <>
              <b>{number(one.value)}</b> {unit}
            </>
          )}
          <small>{t("portal.target-short", { value: `${targetText(one)} ${unit}`.trim() })}</small>
        </span>
        <Bar indicator={one} />
        <span className="portal-tag" data-standing={standing}>
          {t(`portal.status-${standing}`)}
        </span>
      </summary>
      {isOpen && <Opened indicator={one} speech={speech} />}
    </details>
  );
}

/** The way from baseline to target with a mark where it should be by now; the figures beside it say the same in words. */
function Bar({ indicator: one }: { indicator: PublicIndicator }) {
  const done = progress(one);
  const expected = one.expected_now === null ? null : expectedProgress(one);
  return (
    <svg
      className="portal-way"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      aria-hidden="true"
      data-standing={standingOf(one)}
    >
      <rect className="portal-way-all" x={0} y={2} width={100} height={6} />
      {done !== null && <rect x={0} y={2} width={Math.max(1, 100 * done)} height={6} />}
      {expected !== null && (
        <rect
          className="portal-way-expected"
          x={Math.min(98.6, 100 * expected)}
          y={0}
          width={1.4}
          height={10}
        />
      )}
    </svg>
  );
}

function Opened({ indicator: one, speech }: Shown) {
  const { t, p } = speech;
  const unit = p(one.unit_zh, one.unit_en);
  const withUnit = (text: string) => `${text} ${unit}`.trim();
  const facts: [string, string][] = [
    [
      t("portal.baseline", { year: one.baseline_year }),
      one.baseline === null ? t("portal.no-baseline") : withUnit(number(one.baseline)),
    ],
    [
      t("portal.target", { year: one.target_year }),
      withUnit(targetText(one)) + (one.direction === "less" ? ` (${t("portal.less")})` : ""),
    ],
  ];
  if (one.value !== null) facts.push([t("portal.now"), withUnit(number(one.value))]);
  if (one.expected_now !== null) facts.push([t("portal.expected"), withUnit(number(one.expected_now))]);
  if (one.as_of !== null) facts.push([t("portal.as-of"), asOfText(one.as_of)]);
  facts.push(
    [
      t("portal.responsible"),
      one.responsible ? p(one.responsible.name_zh, one.responsible.name_en) : t("portal.nobody"),
    ],
    [t("portal.method"), t(`portal.method-${one.method}`)],
    [t("portal.source"), p(one.source_zh, one.source_en)],
  );
  return (
    <div className="portal-opened">
      {one.withheld && (
        <p className="portal-withheld" data-testid="withheld">
          <strong>{t("portal.withheld")}: </strong>
          {p(one.withheld.zh, one.withheld.en)}
        </p>
      )}
      <div className="portal-two">
        <dl>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <section>
          <h3>{t("portal.path")}</h3>
          <Path indicator={one} speech={speech} />
        </section>
      </div>
      {one.proof && (
        <section data-testid="proof">
          <h3>{t("portal.proof")}</h3>
          {one.proof.query === null ? (
            <>
              <p>{t("portal.proof-report", { period: one.proof.period ?? "" })}</p>
              {one.proof.evidence !== null && <blockquote>{one.proof.evidence}</blockquote>}
              {one.proof.file_sha256.length > 0 && (
                <>
                  <p>{t("portal.proof-files", { n: one.proof.file_sha256.length })}</p>
                  <ul className="portal-hashes">
                    {one.proof.file_sha256.map((hash) => (
                      <li key={hash}>
                        <code>{hash}</code>
                      </li>
                    ))}
                  </ul>
                </>
              )}
            </>
          ) : (
            <>
              <p>{t("portal.proof-query")}</p>
              <section className="portal-query" aria-label={t("portal.proof-query")}>
                <pre>{one.proof.query}</pre>
              </section>
            </>
          )}
        </section>
      )}
      <section>
        <h3>{t("portal.words")}</h3>
        {one.places.map((place) => (
          <blockquote key={place.section + place.quote} lang="zh-CN">
            {place.quote}
            <cite>{place.section}</cite>
          </blockquote>
        ))}
      </section>
      <p>
        <a href={`#${encodeURIComponent(one.id)}`}>{t("portal.link")}</a>
      </p>
    </div>
  );
}

const WIDTH = 340;
const HEIGHT = 150;
const EDGE = { left: 44, right: 40, top: 14, bottom: 24 };

function Path({ indicator: one, speech }: Shown) {
  const { t, p } = speech;
  const unit = p(one.unit_zh, one.unit_en);
  if (one.path.length < 2) return <p className="portal-quiet">{t("portal.path-none")}</p>;
  const expected = one.path.map(({ year, expected }) => [year, expected] as const);
  const year = one.as_of === null ? null : yearEndScale(asYearEnd(one.as_of));
  const now = one.value === null || year === null ? null : ([year, one.value] as const);
  const { x, y, first, last, low, high } = scale(now ? [...expected, now] : expected);
  const at = ([year, value]: readonly [number, number]) =>
    [
      EDGE.left + x(year) * (WIDTH - EDGE.left - EDGE.right),
      EDGE.top + y(value) * (HEIGHT - EDGE.top - EDGE.bottom),
    ] as const;
  const years = Array.from(
    { length: Math.floor(last) - Math.ceil(first) + 1 },
    (_, n) => Math.ceil(first) + n,
  );
  const told = t("portal.path-told", {
    path: one.path.map(({ year, expected }) => `${year} ${number(expected)} ${unit}`.trim()).join(", "),
    value: one.value === null ? "—" : `${number(one.value)} ${unit}`.trim(),
  });
  return (
    <>
      <svg className="portal-path" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told}>
        {[low, high].map((value) => {
          const [, height] = at([first, value]);
          return (
            <g key={value}>
              <line className="portal-grid" x1={EDGE.left} x2={WIDTH - EDGE.right} y1={height} y2={height} />
              <text x={EDGE.left - 6} y={height + 4} textAnchor="end">
                {number(value)}
              </text>
            </g>
          );
        })}
        {years.map((each) => (
          <text key={each} x={at([each, low])[0]} y={HEIGHT - 6} textAnchor="middle">
            {each}
          </text>
        ))}
        <polyline className="portal-line" points={expected.map((point) => at(point).join(",")).join(" ")} />
        {expected.map((point) => (
          <circle key={point[0]} className="portal-dot" cx={at(point)[0]} cy={at(point)[1]} r={3} />
        ))}
        {now && (
          <g>
            <circle className="portal-dot-now" cx={at(now)[0]} cy={at(now)[1]} r={5} />
            <text className="portal-now" x={at(now)[0]} y={Math.max(11, at(now)[1] - 9)} textAnchor="middle">
              {number(now[1])}
            </text>
          </g>
        )}
      </svg>
      <p className="portal-quiet portal-legend">
        <span className="portal-key-expected">{t("portal.path-expected")}</span>
        {now && <span className="portal-key-now">{t("portal.path-now")}</span>}
      </p>
    </>
  );
}

/** The moment until which a figure speaks: a day counts to its end. */
function asYearEnd(asOf: string): string {
  return asOf.includes("T") ? asOf : new Date(Date.parse(`${asOf}T00:00:00Z`) + 86_400_000).toISOString();
}
