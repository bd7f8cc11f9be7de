/** The ready command must work as it stands, whatever the names hold. */
import { describe, expect, it } from "vitest";
import type { AttributeKind, EntityKind, NewDevice } from "../../lib/types.ts";
import {
  examplePayload,
  keyCommand,
  keyProgram,
  mosquittoCommand,
  pahoProgram,
  shellQuote,
} from "./example.ts";

const device = {
  id: "urn:ngsi-ld:WaterObserved:o'brien",
  type: "WaterObserved",
  client_id: "water-1",
  username: "water-1",
  password: `a'b"c`,
  topic: "devices/water-1/up",
} as NewDevice;
const declared = (
  value: AttributeKind["value"],
  zh: string,
  en: string,
  unit: string | null = null,
): AttributeKind => ({
  value,
  title_zh: zh,
  title_en: en,
  unit,
  unit_missing: "assume",
  min: null,
  max: null,
  personal: null,
  words: [],
});
const kind: EntityKind = {
  source: null,
  open: true,
  data_subject: null,
  commands: [],
  heard_within_seconds: null,
  name: "WaterObserved",
  title_zh: "水位站",
  title_en: "Water level",
  attributes: {
    stationCode: declared("text", "站码", "Code"),
    waterLevel: declared("number", "水位", "Level", "MTR"),
  },
};

describe("device example", () => {
  it("sends the type's first number with its unit", () => {
    expect(JSON.parse(examplePayload(device, kind))).toEqual({
      id: device.id,
      type: "WaterObserved",
      waterLevel: { value: 1, unitCode: "MTR" },
    });
    const charted: EntityKind = {
      ...kind,
      view: {
        id: "stations",
        title_zh: "站",
        title_en: "Stations",
        entity_type: "WaterObserved",
        order: 1,
        layer: null,
        table: null,
        form: null,
        board: null,
        chart: { attributes: ["stationCode"], limits: [] },
      },
    };
    expect(JSON.parse(examplePayload(device, charted))).toHaveProperty("stationCode", { value: "ok" });
    expect(JSON.parse(examplePayload(device, undefined))).toHaveProperty("value", { value: 1 });
  });

  it("quotes for the shell and for Python", () => {
    expect(shellQuote("o'brien")).toBe(`'o'\\''brien'`);
    const payload = examplePayload(device, kind);
    expect(mosquittoCommand(device, payload)).toContain(`-P 'a'\\''b"c'`);
    expect(pahoProgram(device, payload)).toContain(`"password": "a'b\\"c"`);
  });

  it("computes the proof of a key as docs/identity.md tells it, and never sends the key", () => {
    const key = "000102030405060708090a0b0c0d0e0f";
    const shell = keyCommand(device, key, "{}").split("\n");
    expect(shell.slice(0, 4)).toEqual([
      "T=$(date +%s); N=$(openssl rand -hex 8)",
      `MAC=$(printf '%s\\n%s\\n%s\\n%s\\n%s\\n%s' jingling-device-v1 sha256 \\`,
      `  'water-1' 'water-1' "$T" "$N" |`,
      `  openssl dgst -sha256 -mac HMAC -macopt hexkey:${key} -r | cut -c1-64)`,
    ]);
    expect(shell.slice(4).join("\n")).toContain(`-P "v1.sha256.$T.$N.$MAC"`);
    expect(shell.slice(4).join("\n")).not.toContain(key);
    const python = keyProgram(device, key, "{}");
    expect(python).toContain(`["jingling-device-v1", "sha256", "water-1",\n    "water-1", seconds, nonce]`);
    expect(python).toContain(`"password": proof}`);
  });
});
