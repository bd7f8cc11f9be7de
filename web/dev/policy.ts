/** The made-up city's policies. They are understood no further than the pages need. */
import type {
  Policies,
  PolicyStated,
  PolicyTexts,
  PolicyTried,
  PolicyVersion,
  Why,
} from "../src/lib/types.ts";

const DUTY = `@id("duty") @zh("指挥中心值班员") @en("Duty officer of the command centre")
permit (
  principal in Role::"duty",
  action in [Action::"entity.read", Action::"sql.query", Action::"case.read"],
  resource
);`;
const SECURITY = `@id("security") @zh("安全管理员：授权、策略、密钥、安全态势") @en("Security administrator: roles, policies, keys, the security view")
permit (
  principal in Role::"security",
  action in [Action::"policy.read", Action::"policy.manage"],
  resource
);`;
const POWER = `@zh("路灯功率只给城管委看") @en("Only the urban management office sees the power of street lights")
forbid (
  principal,
  action == Action::"entity.read",
  resource is Datum in EntityType::"Streetlight"
) when {
  resource.attribute == "power"
} unless {
  principal in Organisation::"chengguan"
};
`;
const ACTS = ["entity.read", "personal.reveal", "sql.query", "case.read", "policy.read", "policy.manage"];
const SCHEMA = `entity Role;
entity Person in [Role];
entity City;
${ACTS.map((act) => `action "${act}" appliesTo { principal: [Person], resource: [City] };`).join("\n")}
`;

const first = new Date(Date.now() - 86_400_000 * 3).toISOString();
const versions: PolicyVersion[] = [
  {
    version: 1,
    at: first,
    changed_by: "security",
    reason: "路灯功率涉及用电安全",
    documents: { lights: POWER },
  },
];
let now: PolicyTexts = { lights: POWER };

/** Each policy of a text begins with its annotations or its first word, at the beginning of a line. */
function stated(texts: PolicyTexts): PolicyStated[] {
  return Object.entries(texts).flatMap(([name, text]) =>
    text
      .split(/;\s*\n/)
      .filter((part) => /^(permit|forbid)/m.test(part))
      .map((part, n) => ({
        id: `city/${name}#${n + 1}`,
        source: "city" as const,
        permits: /^permit/m.test(part),
        zh: /@zh\("([^"]*)"\)/.exec(part)?.[1] ?? null,
        en: /@en\("([^"]*)"\)/.exec(part)?.[1] ?? null,
        text: `${part.trim()};`,
      })),
  );
}

const own = (id: string, zh: string, en: string, text: string): PolicyStated => ({
  id: `program/roles#${id}`,
  source: "program",
  permits: true,
  zh,
  en,
  text,
});

export function policies(): Policies {
  return {
    version: versions.length,
    documents: [
      { title: "program/roles", source: "program", name: "roles", text: `${SECURITY}\n\n${DUTY}\n` },
      ...Object.entries(now).map(([name, text]) => ({
        title: `city/${name}`,
        source: "city" as const,
        name,
        text,
      })),
    ],
    policies: [
      own(
        "security",
        "安全管理员：授权、策略、密钥、安全态势",
        "Security administrator: roles, policies, keys, the security view",
        SECURITY,
      ),
      own("duty", "指挥中心值班员", "Duty officer of the command centre", DUTY),
      ...stated(now),
    ],
    schema: SCHEMA,
  };
}

export function tryPolicies(texts: PolicyTexts): PolicyTried {
  for (const [name, text] of Object.entries(texts)) {
    const line = text.split("\n").findIndex((l) => l.includes("principle"));
    if (line < 0) continue;
    const column = (text.split("\n")[line]?.indexOf("principle") ?? 0) + 1;
    const place = `city/${name}, line ${line + 1}, column ${column}`;
    const mend = "see docs/policy.md for what policies may speak of; `jingling policy schema` prints it";
    return {
      problems: [{ code: "policy-syntax", what: "not a valid policy scope: principle", place, mend }],
      effects: [],
    };
  }
  const hides = stated(texts).some((policy) => policy.text.includes('"power"'));
  const hidden = stated(now).some((policy) => policy.text.includes('"power"'));
  const asks = stated(texts).some((policy) => policy.text.includes('"sql.query"'));
  const [before, after] = [hidden, hides].map((is) => (is ? ("hidden" as const) : ("shown" as const))) as [
    "hidden" | "shown",
    "hidden" | "shown",
  ];
  return {
    problems: [],
    effects: ["duty", "planner"]
      .map((username) => ({
        username,
        gained: [],
        lost: asks ? ["sql.query"] : [],
        seen: hides === hidden ? [] : [{ attribute: "Streetlight.power", before, after }],
      }))
      .filter((effect) => effect.lost.length + effect.seen.length > 0),
  };
}

/** Keeps a change; null when it was made from an older version. */
export function changePolicies(
  texts: PolicyTexts,
  reason: string,
  version: number | null | undefined,
): PolicyVersion | null {
  if (version !== versions.length) return null;
  now = texts;
  const made = {
    version: versions.length + 1,
    at: new Date().toISOString(),
    changed_by: "security",
    reason,
    documents: texts,
  };
  versions.unshift(made);
  return made;
}

export const policyVersions = () => versions;

export function whyOf(asked: URLSearchParams, name: string): Why {
  const id = asked.get("entity_id");
  const all = policies().policies;
  const action = asked.get("action") ?? "entity.read";
  const duty = ["program/roles#duty"];
  const answer = { action, attribute: null, personal: null, permitted: true, seen: null, by: duty };
  const of = (attribute: string) => ({ ...answer, attribute, personal: "none", permitted_to_others_by: [] });
  return {
    username: asked.get("username") ?? "",
    name,
    roles: ["duty"],
    organisations: ["command-centre"],
    posts: [],
    hour: 14,
    weekday: 3,
    entity: id ? { id, type: "Streetlight", division: "429006101", owner: "chengguan" } : null,
    answers: id
      ? [
          { ...of("name"), seen: "shown" },
          { ...of("status"), seen: "shown" },
          { ...of("keeperPhone"), personal: "personal", seen: "masked" },
          { ...of("power"), permitted: false, seen: "hidden", by: ["city/lights#1"] },
        ]
      : [
          action.startsWith("policy")
            ? { ...answer, permitted: false, by: [], permitted_to_others_by: ["program/roles#security"] }
            : { ...answer, permitted_to_others_by: [] },
        ],
    policies: all,
  };
}
