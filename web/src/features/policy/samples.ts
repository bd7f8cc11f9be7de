/** Policies that a person can begin with. Each is whole, and checked against the schema as it stands. */
import type { Key } from "../../i18n/words.ts";

export interface Sample {
  name: "hours" | "attribute" | "town";
  title: Key;
  text: string;
}

export const SAMPLES: Sample[] = [
  {
    name: "hours",
    title: "policy.sample-hours",
    text: `@zh("分析员只在工作时间查数据") @en("Analysts query data in working hours only")
forbid (
  principal in Role::"analyst",
  action == Action::"sql.query",
  resource
) unless {
  context.weekday <= 5 && context.hour >= 8 && context.hour < 18
};
`,
  },
  {
    name: "attribute",
    title: "policy.sample-attribute",
    text: `@zh("路灯功率只给城管委看") @en("Only the urban management office sees the power of street lights")
forbid (
  principal,
  action == Action::"entity.read",
  resource is Datum in EntityType::"Streetlight"
) when {
  resource.attribute == "power"
} unless {
  principal in Organisation::"chengguan"
};
`,
  },
  {
    name: "town",
    title: "policy.sample-town",
    text: `@zh("拖市镇网格员只看本镇") @en("The grid workers of Tuoshi see their own town only")
forbid (
  principal in Post::"tuoshi-grid",
  action == Action::"entity.read",
  resource is Datum
) unless {
  resource in Division::"429006101"
};
`,
  },
];
