/** Registers: columns, cells in words, orders, marks, and what is taken along as CSV and as SQL. */
import { describe, expect, it } from "vitest";
import { translator } from "../../i18n/index.tsx";
import type { Language } from "../../lib/format.ts";
import type { AttributeState, Entity, EntityType, Quality } from "../../lib/types.ts";
import { toCsv } from "../sql/csv.ts";
import {
  type Column,
  ENTITY,
  headOf,
  inOrder,
  marksOf,
  NEWEST,
  newestOf,
  nextSort,
  noteOf,
  registerColumns,
  type Saying,
  sheetOf,
  sortOf,
  sqlOf,
  textOf,
  typeOfId,
} from "./rows.ts";

const word = (value: string, title_zh: string, title_en: string) => ({ value, title_zh, title_en });
const declared = (value: string, title_zh: string, title_en: string, more = {}) => ({
  value,
  title_zh,
  title_en,
  unit: null,
  unit_missing: "assume",
  min: null,
  max: null,
  personal: null,
  words: [],
  ...more,
});
const kind = {
  name: "Sluice",
  title_zh: "水闸",
  title_en: "Sluice",
  count: 3,
  attributes: {
    name: declared("text", "名称", "Name"),
    level: declared("number", "水位", "Stage", { unit: "MTR", min: 0, max: 40 }),
    state: declared("text", "闸门状态", "Gate", {
      words: [word("open", "开启", "Open"), word("closed", "关闭", "Closed")],
    }),
    onReach: declared("relationship", "所在河段", "On the reach"),
    border: declared("geometry", "范围", "Border"),
    villages: declared("json", "村", "Villages"),
    officer: declared("text", "责任人", "Officer", { personal: "personal" }),
  },
} as unknown as EntityType;
const table = { columns: ["name", "level", "state", "onReach", "border", "villages", "officer", "extra"] };

const REACH = "urn:ngsi-ld:RiverReach:hanbei";
const state = (value: unknown, more: Partial<AttributeState> = {}): AttributeState => ({
  value,
  unit: null,
  observed_at: "2026-07-01T00:00:00Z",
  quality: "good",
  position: 1,
  masked: false,
  ...more,
});
const sluice = (id: string, attributes: Record<string, AttributeState>): Entity => ({
  id: `urn:ngsi-ld:Sluice:${id}`,
  type: "Sluice",
  name: (attributes.name?.value as string) ?? null,
  location: null,
  modified_at: "2026-07-01T00:00:00Z",
  attributes,
});
const level = (value: number | null, quality: Quality = "good") =>
  state(value, { unit: "MTR", quality, observed_at: "2026-07-01T01:00:00Z" });

function saying(language: Language): Saying {
  return {
    language,
    t: translator(language),
    nameOfOther: (id) => (id === REACH ? (language === "zh" ? "汉北河" : "Hanbei") : undefined),
  };
}
const columnsIn = (language: Language) => registerColumns(table, kind, saying(language));
const columns = columnsIn("zh");
const of = (key: string, all: Column[] = columns) => all.find((column) => column.key === key) as Column;
const text = (entity: Entity, key: string, language: Language = "zh") => {
  const all = columnsIn(language);
  return textOf(entity, of(key, all), all, saying(language));
};

describe("registers", () => {
  it("have the entity first, the declared columns with their units, and the newest time last", () => {
    expect(columns.map(headOf)).toEqual([
      "名称",
      "水位 (m)",
      "闸门状态",
      "所在河段",
      "范围",
      "村",
      "责任人",
      "extra",
      "最新数值时间 (UTC+8)",
    ]);
    expect(columnsIn("en").map(headOf).slice(0, 3)).toEqual(["Name", "Stage (m)", "Gate"]);
    expect(columns.filter((column) => column.isNumber).map(({ key }) => key)).toEqual(["level"]);
    const nameless = registerColumns({ columns: ["level"] }, kind, saying("en"));
    expect(nameless.map(({ title }) => title)[0]).toBe("Entity");
  });

  it("say values in the pack's words in both languages, and leave the unit to the head", () => {
    const one = sluice("1", { name: state("一号闸"), level: level(29.3), state: state("open") });
    expect(text(one, ENTITY)).toBe("一号闸");
    expect(text(one, "state")).toBe("开启");
    expect(text(one, "state", "en")).toBe("Open");
    expect(text(one, "level")).toBe("29.3");
    expect(text(sluice("1", { level: state(2_930, { unit: "CMT" }) }), "level")).toBe("2,930 cm");
    expect(text(one, "officer")).toBe("—");
    expect(text(sluice("7", {}), ENTITY)).toBe("urn:ngsi-ld:Sluice:7");
  });

  it("name whom a relationship points at where that is known, and are short of what has many parts", () => {
    const ring = [
      [113, 30],
      [113.1, 30],
      [113.1, 30.1],
      [113, 30],
    ];
    const one = sluice("1", {
      onReach: state(REACH),
      border: state({ type: "Polygon", coordinates: [ring] }),
      villages: state(["429006107254", "429006107255"]),
    });
    expect(text(one, "onReach")).toBe("汉北河");
    expect(text(one, "onReach", "en")).toBe("Hanbei");
    expect(text(sluice("1", { onReach: state("urn:ngsi-ld:RiverReach:x") }), "onReach")).toBe("RiverReach:x");
    expect(text(one, "border")).toBe("面，4 个点");
    expect(text(one, "border", "en")).toBe("Area of 4 points");
    expect(
      text(sluice("1", { border: state({ type: "Point", coordinates: [113.1, 30.6] }) }), "border"),
    ).toBe("113.10000°, 30.60000°");
    expect(text(one, "villages")).toBe("429006107254, 429006107255");
    const long = text(sluice("1", { villages: state({ a: "x".repeat(99) }) }), "villages");
    expect(long).toHaveLength(41);
    expect(long.endsWith("…")).toBe(true);
    expect([typeOfId(REACH), typeOfId("station-1")]).toEqual(["RiverReach", null]);
  });

  it("tell when the newest of the shown values was observed", () => {
    const hidden = state("x", { observed_at: "2026-08-01T00:00:00Z" });
    const one = sluice("1", { level: level(1), state: state("open"), other: hidden });
    expect(newestOf(one, columns)).toBe("2026-07-01T01:00:00Z");
    expect(text(one, NEWEST)).toBe("2026-07-01 09:00:00");
    expect(newestOf(sluice("2", { other: hidden }), columns)).toBe("2026-08-01T00:00:00Z");
    expect(text(sluice("3", {}), NEWEST)).toBe("—");
  });

  it("are put in order: numbers as numbers, words as they are read, nothing last, equals as they came", () => {
    const all = [
      sluice("a", { name: state("10 号"), level: level(9.5), state: state("open") }),
      sluice("b", { name: state("2 号"), level: level(29), state: state("closed") }),
      sluice("c", { name: state("1 号") }),
      sluice("d", { name: state("3 号"), level: level(29), state: state("closed") }),
    ];
    const by = (sort: string, language: Language = "zh") => {
      const own = columnsIn(language);
      return inOrder(all, sortOf(sort, own), own, saying(language))
        .map(({ id }) => id.slice(-1))
        .join("");
    };
    expect(by("level")).toBe("abdc");
    expect(by("-level")).toBe("bdac");
    expect(by(ENTITY)).toBe("cbda");
    // 关闭 (guan) before 开启 (kai); Closed before Open.
    expect(by("state")).toBe("bdac");
    expect(by("-state", "en")).toBe("abdc");
    expect(by(`-${NEWEST}`)).toBe("abdc");
    expect(by("nothing")).toBe("abcd");
    expect([nextSort(null, "level"), nextSort({ key: "level", down: false }, "level")]).toEqual([
      "level",
      "-level",
    ]);
    expect(nextSort({ key: "level", down: true }, "level")).toBeNull();
    expect(nextSort({ key: "level", down: true }, "state")).toBe("state");
  });

  it("mark what is doubtful, and say once where all the others come from", () => {
    const reported = state("open", { quality: "reported" });
    const doubtful = sluice("1", { level: level(99, "out_of_range"), state: reported });
    expect(marksOf([doubtful], columns)).toEqual({ marks: ["out_of_range"], others: "reported" });
    const mixed = [doubtful, sluice("2", { level: level(3) })];
    expect(marksOf(mixed, columns)).toEqual({ marks: ["out_of_range", "reported"], others: null });
    expect(marksOf([sluice("3", { level: level(3) })], columns)).toEqual({ marks: [], others: null });
    const note = noteOf(level(99, "out_of_range"), translator("en"));
    expect(note).toBe("Observed 2026-07-01 09:00:00 UTC+8 · Out of range");
    expect(noteOf(state("张*", { masked: true }), translator("zh"))).toContain("个人信息，已脱敏");
  });

  it("are taken along as they are shown, numbers as numbers and what is doubtful said", () => {
    const one = sluice("1", {
      name: state("一号闸"),
      level: level(1_234.5678, "out_of_range"),
      state: state("open"),
      onReach: state(REACH),
      villages: state(["4", "5"]),
      officer: state("张*", { masked: true }),
    });
    const sheet = sheetOf([one], columns, saying("zh"), () => "major");
    expect(sheet.rows[0]).toEqual({
      对象编号: "urn:ngsi-ld:Sluice:1",
      名称: "一号闸",
      "水位 (m)": 1_234.5678,
      闸门状态: "开启",
      所在河段: "汉北河",
      范围: null,
      村: ["4", "5"],
      责任人: "张*",
      extra: null,
      "最新数值时间 (UTC+8)": "2026-07-01 09:00:00",
      告警级别: "重要",
      数值质量: "水位: 超出量程",
    });
    const [head = "", line] = toCsv(sheet).slice(1).split("\r\n");
    expect(head.split(",")).toHaveLength(12);
    expect(line).toContain('1234.5678,开启,汉北河,,"[""4"",""5""]"');
    // Two columns of one title stay two.
    const twice = registerColumns(
      { columns: ["level", "depth"] },
      {
        ...kind,
        attributes: { level: kind.attributes.level, depth: kind.attributes.level },
      } as EntityType,
      saying("zh"),
    );
    const names = sheetOf([one], twice, saying("zh"), () => undefined).columns.map(({ name }) => name);
    expect(names.slice(2, 4)).toEqual(["水位 (m)", "水位 (m) [depth]"]);
  });

  it("are asked for as SQL, whatever was typed", () => {
    expect(sqlOf(kind, columns, "", null)).toBe(
      `SELECT entity_id, observed_at, "name", "level", "state", "onReach", "border", "villages", "officer"
FROM "Sluice_now"
ORDER BY entity_id`,
    );
    const asked = sqlOf(kind, columns, "o'闸", { key: "level", down: true });
    expect(asked).toContain(
      `WHERE strpos(lower(entity_id), lower('o''闸')) > 0 OR strpos(lower("name"), lower('o''闸')) > 0`,
    );
    expect(asked).toContain('ORDER BY "level" DESC NULLS LAST, entity_id');
    expect(sqlOf(kind, columns, "", { key: ENTITY, down: false })).toContain('ORDER BY "name" ASC');
    expect(sqlOf(kind, columns, "", { key: NEWEST, down: false })).toContain('ORDER BY "observed_at" ASC');
    // The pack names a column that the type does not have: the view has none either.
    expect(sqlOf(kind, columns, "", { key: "extra", down: false })).toContain("ORDER BY entity_id");
  });
});
