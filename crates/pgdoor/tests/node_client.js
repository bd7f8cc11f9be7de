// node-postgres (the package `pg`) against the door: node node_client.js PORT PASSWORD. Many services and dashboards of
// Node.js use it.
"use strict";

const assert = require("node:assert/strict");
const { Client, Pool } = require("pg");

const [port, password] = process.argv.slice(2);
const where = { host: "127.0.0.1", port: Number(port), user: "wang", password, database: "city" };
const start = Date.UTC(2026, 10, 23, 8);

async function fails(client, question, code) {
  await assert.rejects(client.query(question), (error) => {
    assert.equal(error.code, code);
    return true;
  });
}

async function main() {
  const client = new Client(where);
  await client.connect();
  const { rows } = await client.query(
    "SELECT entity_id, observed_at, value_number, journal_position FROM observations" +
      " WHERE observed_at >= $1 AND value_number > $2 AND door = $3 ORDER BY journal_position LIMIT 2",
    [new Date(start + 100_000), 28.5, "mqtt"],
  );
  assert.deepEqual(rows, [
    { entity_id: "urn:ngsi-ld:WaterObserved:0", observed_at: new Date(start + 100_000), value_number: 29, journal_position: "100" },
    { entity_id: "urn:ngsi-ld:WaterObserved:1", observed_at: new Date(start + 101_000), value_number: 29.01, journal_position: "101" },
  ]);
  const cases = await client.query("SELECT * FROM cases ORDER BY id");
  assert.deepEqual(cases.rows, [
    { id: "1", title: "井盖 'lost'", opened_at: new Date(start + 10_500), cost: 12.5, closed: false, detail: { a: [1, 2] } },
    { id: "2", title: null, opened_at: null, cost: null, closed: true, detail: null },
  ]);
  // A prepared statement with a name, and several statements at once.
  for (let n = 0; n < 5; n += 1) {
    const question = { name: "few", text: "SELECT count(*)::int AS n FROM observations WHERE journal_position < $1", values: [n] };
    assert.deepEqual((await client.query(question)).rows, [{ n }]);
  }
  const several = await client.query("SELECT 1 AS a; SELECT 2 AS b");
  assert.deepEqual(several.map((one) => Object.entries(one.rows[0])), [[["a", "1"]], [["b", "2"]]]);
  await fails(client, "SELECT * FROM observatons", "42P01");
  await fails(client, { text: "SELECT count(*) FROM observations WHERE value_number > $1", values: ["much"] }, "22P02");
  await fails(client, "UPDATE cases SET id = 1", "25006");
  // The zone changes how a moment is written and read, and not the moment.
  await client.query("SET TIME ZONE 'Asia/Shanghai'");
  const zoned = await client.query("SELECT min(observed_at) AS at, min(observed_at)::text AS shown FROM observations");
  assert.equal(zoned.rows[0].at.getTime(), start);
  const local = await client.query("SELECT count(*)::int AS n FROM observations WHERE observed_at < $1", ["2026-11-23 16:00:10"]);
  assert.equal(local.rows[0].n, 10);
  await client.end();

  const pool = new Pool({ ...where, max: 3, options: "-c timezone=PRC -c statement_timeout=15s" });
  const shown = await Promise.all([1, 2, 3, 4].map(() => pool.query("SHOW timezone")));
  assert.deepEqual(shown.map((one) => one.rows[0].TimeZone), ["PRC", "PRC", "PRC", "PRC"]);
  await pool.end();
  console.log("all as expected");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
