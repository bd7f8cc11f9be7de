/** The ready command must work as it stands, whatever the names hold. */
import { describe, expect, it } from "vitest";
import type { EntityKind, NewDevice } from "../../lib/types.ts";
import { examplePayload, mosquittoCommand, pahoProgram, shellQuote } from "./example.ts";

const device = {
  id: "urn:ngsi-ld:WaterObserved:o'brien",
  type: "WaterObserved",
  client_id: "water-1",
  username: "water-1",
  password: `a'b"c`,
  topic: "devices/water-1/up",
} as NewDevice;
const kind: EntityKind = {
  name: "WaterObserved",
  title_zh: "水位站",
  title_en: "Water level",
  attributes: {
    stationCode: { value: "text", title_zh: "站码", title_en: "Code" },
    waterLevel: { value: "number", title_zh: "水位", title_en: "Level", unit: "MTR" },
  },
};

describe("device example", () => {
  it("sends the type's first number with its unit", () => {
    expect(JSON.parse(examplePayload(device, kind))).toEqual({
      id: device.id,
      type: "WaterObserved",
      waterLevel: { value: 1, unitCode: "MTR" },
    });
    const charted = { ...kind, view: { chart: { attributes: ["stationCode"] } } };
    expect(JSON.parse(examplePayload(device, charted))).toHaveProperty("stationCode", { value: "ok" });
    expect(JSON.parse(examplePayload(device, undefined))).toHaveProperty("value", { value: 1 });
  });

  it("quotes for the shell and for Python", () => {
    expect(shellQuote("o'brien")).toBe(`'o'\\''brien'`);
    const payload = examplePayload(device, kind);
    expect(mosquittoCommand(device, payload)).toContain(`-P 'a'\\''b"c'`);
    expect(pahoProgram(device, payload)).toContain(`"password": "a'b\\"c"`);
  });
});
