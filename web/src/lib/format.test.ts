/** Figures, times and bytes as people read them. */
import { describe, expect, it } from "vitest";
import {
  ago,
  attributeText,
  bytes,
  half,
  hexDump,
  number,
  pick,
  prettyJson,
  quantity,
  shortTime,
  time,
  unitSymbol,
  valueText,
} from "./format.ts";

describe("format", () => {
  it("takes the half of a text that says the same twice", () => {
    const both = "外来序列：洪水过程，已缩放 / foreign series: a flood, scaled";
    expect(half("zh", both)).toBe("外来序列：洪水过程，已缩放");
    expect(half("en", both)).toBe("foreign series: a flood, scaled");
    expect(half("en", "结案时告警仍未解除 · The alert was still active")).toBe("The alert was still active");
    for (const whole of ["只有中文 / 两半都是", "only English / twice", "水位 29.6 m", "PM2.5 / PM10"]) {
      expect(half("zh", whole)).toBe(whole);
      expect(half("en", whole)).toBe(whole);
    }
  });

  it("shows times in the city's zone, whatever the browser's is", () => {
    expect(time("2026-11-23T22:05:22Z")).toBe("2026-11-24 06:05:22");
    expect(time("2026-02-28T16:00:00Z")).toBe("2026-03-01 00:00:00");
    expect(time(null)).toBe("—");
    expect(time("no time")).toBe("—");
  });

  it("says values in the pack's words, and the rest as they are", () => {
    const words = [
      { value: "off", title_zh: "灭", title_en: "Off" },
      { value: "true", title_zh: "在线", title_en: "Online" },
    ];
    expect(attributeText("zh", "off", null, words)).toBe("灭");
    expect(attributeText("en", "off", null, words)).toBe("Off");
    expect(attributeText("en", true, null, words)).toBe("Online");
    expect(attributeText("zh", "dim", null, words)).toBe("dim");
    expect(attributeText("zh", false, null, words)).toBe(quantity(false));
    expect(attributeText("zh", 2, "MTR", [])).toBe("2 m");
    expect(attributeText("zh", undefined, null, undefined)).toBe("—");
  });

  it("leaves the day out of today's times only", () => {
    const now = Date.parse("2026-11-24T01:00:00Z");
    expect(shortTime("2026-11-23T22:05:22Z", now)).toBe("06:05");
    expect(shortTime("2026-11-23T15:59:00Z", now)).toBe("11-23 23:59");
  });

  it("says how long ago, and takes a clock that is a little ahead for now", () => {
    const now = Date.parse("2026-11-24T01:00:00Z");
    expect(ago("2026-11-24T00:59:48Z", now, "zh")).toBe("12 秒前");
    expect(ago("2026-11-24T00:30:00Z", now, "en")).toBe("30 min ago");
    expect(ago("2026-11-24T01:00:05Z", now, "en")).toBe("0 s ago");
    expect(ago("2026-11-24T03:00:00Z", now, "zh")).toBe("2 小时后");
    expect(ago("nonsense", now, "en")).toBe("—");
  });

  it("writes values with their units", () => {
    expect(quantity(29.37, "MTR")).toBe("29.37 m");
    expect(quantity(null, "MTR")).toBe("—");
    expect(quantity(12, "ZZZ")).toBe("12 ZZZ");
    expect(unitSymbol("C62")).toBe("");
    expect(number(1_234_567.89)).toBe("1,234,567.9");
    expect(number(Number.NaN)).toBe("—");
    expect(valueText({ type: "Point", coordinates: [113.166, 30.653] })).toBe("113.16600°, 30.65300°");
    expect(valueText({ a: 1 })).toBe('{"a":1}');
    const bay = (opening_cm: number) => ({ open: opening_cm > 0, opening_cm });
    expect(valueText([bay(50), bay(50)])).toBe("2 × 0.5 m");
    expect(valueText([bay(120), bay(0)])).toBe("1.2 · 0 m");
    expect(valueText([true, false])).toBe("✓ ✗");
    expect([valueText([]), valueText([null])]).toEqual(["[]", "[null]"]);
    expect(bytes(1_536)).toBe("1.5 KiB");
  });

  it("falls back to the other language where a word is missing", () => {
    expect(pick("en", "水位", null)).toBe("水位");
    expect(pick("zh", "", "Stage")).toBe("Stage");
  });

  it("shows any bytes", () => {
    expect(hexDump(btoa("~~A\u0001"))).toBe("000000  7e 7e 41 01                                      ~~A·");
    expect(hexDump(btoa("x".repeat(40)), 16)).toContain("… 24 B");
    expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettyJson("{broken")).toBe("{broken");
  });
});
