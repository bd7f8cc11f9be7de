/**
 * Gives a demonstration city a made-up reservoir, the reach below it, a drainage gate with its station, and a pumping station
 * behind it; a suggestion for all of them; and commands in several states, told to a station that answers.
 */
import { execFileSync } from "node:child_process";
import { caller } from "./city-life.mjs";
import { station } from "./sl651.mjs";

const GATE = "urn:ngsi-ld:SluiceGate:62206901";
const RESERVOIR = "urn:ngsi-ld:WaterReservoir:made-up";
const REACH = "urn:ngsi-ld:RiverReach:made-up";
const PUMP = "urn:ngsi-ld:PumpingStation:made-up";
const ADDRESS = "0062206901";
const PASSWORD = "03E8";
const RUN = "water-joint-dispatch";
const MADE_UP = "虚构的水利工程，只用于演示 / Made-up works, for demonstration only";
const HOUR_MS = 3_600_000;

const property = (value, unitCode) => ({ type: "Property", value, ...(unitCode && { unitCode }) });
const metres = (value) => property(value, "MTR");
const flow = (value) => property(value, "MQS");
const link = (object) => ({ type: "Relationship", object });
const own = (json) => ({ type: "JsonProperty", json });
const gauge = (code) => `urn:ngsi-ld:WaterObserved:made-up-${code}`;
const place = (lon, lat) => ({ type: "GeoProperty", value: { type: "Point", coordinates: [lon, lat] } });

/** A flood that is foretold for the reservoir: it comes within half a day. */
function foretold() {
  const now = Date.now();
  const points = Array.from({ length: 30 }, (_, n) => {
    const value = 200 + 1_300 * Math.max(0, 1 - Math.abs(n - 11) / 8);
    const at = new Date(now + (n + 1) * HOUR_MS).toISOString();
    return { at, value, lower: 0.8 * value, upper: 1.2 * value };
  });
  const series = { method: "hand", version: "1", unit: "MQS", certainty: 0.9, points };
  return {
    id: "urn:ngsi-ld:WaterFlowForecast:made-up-in",
    type: "WaterFlowForecast",
    refStation: link(gauge("in")),
    flowSeries: { ...own(series), observedAt: new Date(now).toISOString() },
  };
}

function works() {
  const river = { riverName: property("演示河"), dataNote: property(MADE_UP) };
  const stations = Object.entries({
    in: ["演示入库站", 200, 112.93, 30.83],
    section: ["演示控制站", 610, 113.02, 30.75],
    side: ["演示区间站", 60, 112.99, 30.8],
    polder: ["演示内河站", 18, 113.03, 30.71],
  }).map(([code, [name, discharge, lon, lat]]) => ({
    id: gauge(code),
    type: "WaterObserved",
    name: property(name),
    location: place(lon, lat),
    flow: flow(discharge),
    ...river,
  }));
  return [
    ...stations,
    {
      id: REACH,
      type: "RiverReach",
      name: property("演示坝下河段"),
      downstreamStation: link(gauge("section")),
      lateralStation: link(gauge("side")),
      muskingumK: property(3, "HUR"),
      muskingumX: property(0.2),
      safeFlow: flow(640),
      ...river,
    },
    {
      id: RESERVOIR,
      type: "WaterReservoir",
      name: property("演示水库"),
      location: place(112.95, 30.81),
      waterLevelUpstream: metres(91),
      outflow: flow(600),
      deadLevel: metres(82),
      floodLimitLevel: metres(90),
      drawdownLevel: metres(89),
      floodControlLevel: metres(92.5),
      capacityCurve: own({
        points: [
          { level: 80, storage: 0 },
          { level: 100, storage: 2e8 },
        ],
      }),
      dischargeCurve: own({
        points: [
          { level: 82, outflow: 0 },
          { level: 95, outflow: 2_000 },
        ],
      }),
      dispatchCurve: own({ rules: [{ fromLevel: 90, outflowMax: 650 }] }),
      inflowStation: link(gauge("in")),
      downstreamReach: link(REACH),
      ...river,
    },
    {
      id: "urn:ngsi-ld:RatingCurve:made-up",
      type: "RatingCurve",
      name: property("演示控制站曲线"),
      refStation: link(gauge("section")),
      coefficient: property(60),
      exponent: property(1.6),
      zeroFlowLevel: metres(22),
      validFromLevel: metres(22.5),
      validToLevel: metres(31),
    },
    {
      id: GATE,
      type: "SluiceGate",
      name: property("演示排水闸"),
      location: place(113.01, 30.74),
      sluiceKind: property("drainage"),
      onReach: link(REACH),
      numberOfGates: property(2),
      gateWidth: metres(3),
      gateHeight: metres(2.5),
      gateBottomElevation: metres(24),
      gateDischargeCoefficient: property(0.6),
      guaranteeLevelDownstream: metres(29),
      gateOpening: metres(0.5),
      waterLevelUpstream: metres(26.3),
      waterLevelDownstream: metres(26.6),
      gateState: property("open"),
      controlMode: property("remote"),
      ...river,
    },
    {
      id: PUMP,
      type: "PumpingStation",
      name: property("演示排涝站"),
      location: place(113.02, 30.73),
      drainsTo: link(REACH),
      inflowStation: link(gauge("polder")),
      storageArea: property(1e6, "MTK"),
      pumpsInstalled: property(4),
      pumpsAvailable: property(4),
      designFlow: flow(20),
      installedPower: property(800, "KWT"),
      startLevel: metres(26.5),
      stopLevel: metres(25.8),
      maxOutletLevel: metres(28.5),
      pumpsRunning: property(0),
      waterLevelDownstream: metres(26.2),
      waterLevelUpstream: metres(26.6),
      ...river,
    },
    foretold(),
  ];
}

/** Asks again until there is an answer. */
async function until(what, ask) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${what}`);
}

/**
 * What the works read now, and a suggestion from it, every time: an old one is none. Commands once, where the city that `binary`
 * runs in `folder` has the SL 651 door open (`addresses.sl651`, with the password of this file).
 */
export async function water({ base, people, token, folder, binary, addresses }) {
  const duty = await caller(base, people.duty);
  const sent = await fetch(`${base}/ngsi-ld/v1/entityOperations/upsert`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(works()),
  });
  if (sent.status >= 300) throw new Error(`works: ${sent.status} ${await sent.text()}`);
  const { runs } = await until("the works are there", async () => {
    const started = await duty.call("POST", "/api/v1/runs", { definition_id: RUN, target_id: null });
    return started.runs.length > 0 && started;
  });
  await until("the suggestion", async () => {
    const run = await duty.call("GET", `/api/v1/runs/${runs[0].id ?? runs[0]}`);
    return run.outcome !== "running";
  });
  if (!binary || !addresses.sl651) return;
  if ((await duty.call("GET", "/api/v1/commands")).items.length > 0) return;

  const jingling = (...words) => JSON.parse(execFileSync(binary, [...words, "--json"], { encoding: "utf8" }));
  const username = "shuili.qian";
  const { password } = jingling(
    ...["user", "add", folder, "--username", username, "--name", "钱示范"],
    ...["--role", "operator", "--organisation", "shuili"],
  );
  jingling("device", "add", folder, "--id", GATE, "--type", "SluiceGate", "--name", "演示排水闸");
  const other = await caller(base, { username, password });
  const gate = station(addresses.sl651, ADDRESS, PASSWORD);
  await gate.report([["38", 2, 2, 12.3]]);
  const ask = async (who, entity_id, command, value, reason) =>
    (await who.call("POST", "/api/v1/commands", { entity_id, command, value, reason })).id;
  const step = (who, id, name, note = "") => who.call("POST", `/api/v1/commands/${id}/${name}`, { note });

  const opened = await ask(other, GATE, "set-opening", 0.5, "调度令 2026-16 号：自排预降");
  await step(duty, opened, "approve", "同意，注意下游");
  await gate.tell({ do: "obey" });
  await until(
    "the gate has answered",
    async () => (await duty.call("GET", `/api/v1/commands/${opened}`)).state === "done",
  );
  const wide = await ask(other, GATE, "set-opening", 2, "调度令 2026-17 号");
  await step(duty, wide, "refuse", "下游有船只，先按 0.5 m 运行");
  const pumps = await ask(duty, PUMP, "set-running", 2, "内河水位上涨");
  await step(other, pumps, "approve");
  await until(
    "the pumps cannot be told",
    async () => (await duty.call("GET", `/api/v1/commands/${pumps}`)).state === "failed",
  );
  await ask(other, GATE, "set-opening", 0, "联合调度建议：关闸防倒灌");
  gate.end();
}
