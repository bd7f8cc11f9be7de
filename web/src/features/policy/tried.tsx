/** What a draft would do: its mistakes, each with the place it is at; or whom it gives, takes and shows what. */
import { Alert, Button, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { PolicyEffect, PolicyTried } from "../../lib/types.ts";
import { ProblemTitle } from "../provenance/drawer.tsx";
import { SeenTag, useActTitle } from "./policies.tsx";

/** Where in a document of the city something is. */
export interface Spot {
  name: string;
  line: number;
  column: number;
}

/** `city/night, line 2, column 8`; null where it is of no such document. */
export function spotOf(place: string): Spot | null {
  const found = /^city\/([a-z0-9.-]+)(?:, line (\d+), column (\d+))?$/.exec(place);
  if (!found?.[1]) return null;
  return { name: found[1], line: Number(found[2] ?? 1), column: Number(found[3] ?? 1) };
}

export function Tried({ tried, onSpot }: { tried: PolicyTried; onSpot: (spot: Spot) => void }) {
  const { t } = useT();
  if (tried.problems.length > 0) {
    return (
      <Alert
        type="error"
        showIcon
        data-testid="policy-problems"
        title={t("policy.mistakes", { n: tried.problems.length })}
        description={
          <ul className="plain-list policy-problems">
            {tried.problems.map((problem) => {
              const spot = spotOf(problem.place);
              return (
                <li key={`${problem.place} ${problem.what}`}>
                  <ProblemTitle problem={problem} />
                  {spot ? (
                    <Button type="link" size="small" onClick={() => onSpot(spot)}>
                      {t("policy.spot", { ...spot })}
                    </Button>
                  ) : (
                    problem.place && <code>{problem.place}</code>
                  )}
                  <div className="quiet">{problem.mend}</div>
                </li>
              );
            })}
          </ul>
        }
      />
    );
  }
  if (tried.effects.length === 0) {
    return (
      <Alert type="success" showIcon title={t("policy.no-effect")} description={t("policy.no-effect-text")} />
    );
  }
  return (
    <Alert
      type="info"
      showIcon
      data-testid="policy-effects"
      title={t("policy.effects", { n: tried.effects.length })}
      description={<Effects effects={tried.effects} />}
    />
  );
}

/** What changes, once for all people for whom the same changes. */
export function Effects({ effects }: { effects: PolicyEffect[] }) {
  const { t } = useT();
  const title = useActTitle();
  const groups = new Map<string, { effect: PolicyEffect; people: string[] }>();
  for (const { username, ...effect } of effects) {
    const key = JSON.stringify(effect);
    const group = groups.get(key);
    if (group) group.people.push(username);
    else groups.set(key, { effect: { username, ...effect }, people: [username] });
  }
  const acts = (words: string[], colour: string) =>
    words.map((act) => (
      <Tag key={act} color={colour}>
        {title(act)}
      </Tag>
    ));
  return (
    <ul className="plain-list policy-effects">
      {[...groups.values()].map(({ effect, people }) => (
        <li key={people[0]}>
          <strong>{people.join(t("policy.and"))}</strong>
          {effect.gained.length > 0 && (
            <div data-testid="gained">
              {t("policy.gained")} {acts(effect.gained, "green")}
            </div>
          )}
          {effect.lost.length > 0 && (
            <div data-testid="lost">
              {t("policy.lost")} {acts(effect.lost, "red")}
            </div>
          )}
          {effect.seen.map(({ attribute, before, after }) => (
            <div key={attribute} data-testid="seen-otherwise">
              <code>{attribute}</code> <SeenTag seen={before} /> → <SeenTag seen={after} />
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}
