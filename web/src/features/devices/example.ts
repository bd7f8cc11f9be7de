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

function publish(device: NewDevice, password: string, payload: string): string[] {
  return [
    `mosquitto_pub -h HOST -p PORT -q 1 -i ${shellQuote(device.client_id)} \\`,
    `  -u ${shellQuote(device.username)} -P ${password} \\`,
    `  -t ${shellQuote(device.topic)} \\`,
    `  -m ${shellQuote(payload)}`,
  ];
}

export function mosquittoCommand(device: NewDevice, payload: string): string {
  return publish(device, shellQuote(device.password ?? ""), payload).join("\n");
}

/** With a proof of the device's key, which OpenSSL computes: docs/identity.md. */
export function keyCommand(device: NewDevice, key: string, payload: string): string {
  return [
    "T=$(date +%s); N=$(openssl rand -hex 8)",
    `MAC=$(printf '%s\\n%s\\n%s\\n%s\\n%s\\n%s' jingling-device-v1 sha256 \\`,
    `  ${shellQuote(device.client_id)} ${shellQuote(device.username)} "$T" "$N" |`,
    `  openssl dgst -sha256 -mac HMAC -macopt hexkey:${key} -r | cut -c1-64)`,
    ...publish(device, '"v1.sha256.$T.$N.$MAC"', payload),
  ].join("\n");
}

const pythonText = (value: string) => JSON.stringify(value);

function single(device: NewDevice, password: string, payload: string): string[] {
  return [
    `publish.single(${pythonText(device.topic)}, ${pythonText(payload)}, qos=1,`,
    `    hostname="HOST", port=PORT, client_id=${pythonText(device.client_id)},`,
    `    auth={"username": ${pythonText(device.username)}, "password": ${password}})`,
  ];
}

export function pahoProgram(device: NewDevice, payload: string): string {
  return [
    "import paho.mqtt.publish as publish  # pip install paho-mqtt",
    "",
    ...single(device, pythonText(device.password ?? ""), payload),
  ].join("\n");
}

/** With a proof of the device's key: docs/identity.md. */
export function keyProgram(device: NewDevice, key: string, payload: string): string {
  return [
    "import hashlib, hmac, secrets, time",
    "import paho.mqtt.publish as publish  # pip install paho-mqtt",
    "",
    `key = bytes.fromhex(${pythonText(key)})`,
    "seconds, nonce = str(int(time.time())), secrets.token_hex(8)",
    `text = "\\n".join(["jingling-device-v1", "sha256", ${pythonText(device.client_id)},`,
    `    ${pythonText(device.username)}, seconds, nonce])`,
    "mac = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()",
    'proof = f"v1.sha256.{seconds}.{nonce}.{mac}"  # a new one for each connect',
    ...single(device, "proof", payload),
  ].join("\n");
}
