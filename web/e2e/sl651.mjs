/** A station of SL 651 as a program of its own, written in Python from the standard's text (`crates/jingling/tests/sl651_station.py`). */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../crates/jingling/tests/sl651_station.py", import.meta.url));
/** Stations write Beijing time. */
const ZONE_MS = 8 * 3_600_000;

/** `yyMMddHHmmss`, or less of it, of now. */
const written = (digits) =>
  new Date(Date.now() + ZONE_MS)
    .toISOString()
    .replace(/\D/g, "")
    .slice(2, 2 + digits);

/** Connects to `door` (`host:port`); `tell` gives an order and waits for the line that says what came of it. */
export function station(door, address, password) {
  const [host, port] = door.split(":");
  const child = spawn("python3", [SCRIPT, "tcp", host, port, address, password], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let serial = 0;
  const tell = async (order) => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the station ended at ${JSON.stringify(order)}`);
    return JSON.parse(value);
  };
  /** Sends a timed report (32), and waits until it is confirmed. */
  const report = async (elements) => {
    serial += 1;
    const order = {
      do: "report",
      function: "32",
      serial,
      sent: written(12),
      observed: written(10),
      elements,
    };
    const { acks } = await tell(order);
    if (acks.length !== 1 || acks[0].serial !== serial)
      throw new Error(`not confirmed: ${JSON.stringify(acks)}`);
  };
  return { tell, report, end: () => child.kill() };
}
