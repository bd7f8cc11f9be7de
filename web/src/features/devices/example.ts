/** A command that a new device's owner can run at once. Pure. */
import type { AttributeKind, EntityKind, NewDevice } from "../../lib/types.ts";

const exampleValue: Record<AttributeKind["value"], unknown> = {
  number: 1,
  text: "ok",
  boolean: true,
  geometry: { type: "Point", coordinates: [113.166, 30.653] },
  relationship: "urn:ngsi-ld:Device:example",
  json: {},
};

/** A small NGSI-LD message (concise form) with what the type is about, else its first number. */
export function examplePayload(device: Pick<NewDevice, "id" | "type">, kind: EntityKind | undefined): string {
  const attributes = Object.entries(kind?.attributes ?? {});
  // What the pack charts is what the type is about.
  const main = kind?.view?.chart?.attributes[0];
  const [name, declared] =
    attributes.find(([n]) => n === main) ??
    attributes.find(([, a]) => a.value === "number") ??
    attributes[0] ??
    [];
  const value = declared ? exampleValue[declared.value] : 1;
  const attribute = { value, ...(declared?.unit ? { unitCode: declared.unit } : {}) };
  return JSON.stringify({ id: device.id, type: device.type, [name ?? "value"]: attribute });
}

/** Quotes for a POSIX shell. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function mosquittoCommand(device: NewDevice, payload: string): string {
  return [
    `mosquitto_pub -h HOST -p PORT -q 1 -i ${shellQuote(device.client_id)} \\`,
    `  -u ${shellQuote(device.username)} -P ${shellQuote(device.password)} \\`,
    `  -t ${shellQuote(device.topic)} \\`,
    `  -m ${shellQuote(payload)}`,
  ].join("\n");
}

export function pahoProgram(device: NewDevice, payload: string): string {
  const text = (value: string) => JSON.stringify(value);
  return [
    "import paho.mqtt.publish as publish  # pip install paho-mqtt",
    "",
    `publish.single(${text(device.topic)}, ${text(payload)}, qos=1,`,
    `    hostname="HOST", port=PORT, client_id=${text(device.client_id)},`,
    `    auth={"username": ${text(device.username)}, "password": ${text(device.password)}})`,
  ].join("\n");
}
