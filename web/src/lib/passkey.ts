/**
 * Passkeys (WebAuthn) as the browser has them: the server's question goes in as bytes, the authenticator's answer comes out
 * as base64url. The bytes are turned by hand: not every browser of an office knows `parseCreationOptionsFromJSON`.
 */
import type { PasskeyAnswer, PasskeyMade } from "./types.ts";

interface Described {
  type: "public-key";
  id: string;
}
interface CreationQuestion {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials: Described[];
}
interface RequestQuestion {
  challenge: string;
  allowCredentials: Described[];
}

/** Whether this page can use passkeys: the browser knows them, and it is the page that they are made for. */
export function canUsePasskeys(origin: string | null | undefined): boolean {
  return Boolean(origin) && origin === window.location.origin && "PublicKeyCredential" in window;
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

export function textOf(bytes: ArrayBuffer): string {
  let plain = "";
  for (const byte of new Uint8Array(bytes)) plain += String.fromCharCode(byte);
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const described = (list: Described[]) => list.map((one) => ({ ...one, id: bytesOf(one.id) }));

/** Has an authenticator make a passkey. Throws a `DOMException` when the person turns back. */
export async function makePasskey(options: unknown): Promise<PasskeyMade> {
  const asked = options as CreationQuestion;
  const made = (await navigator.credentials.create({
    publicKey: {
      ...(options as PublicKeyCredentialCreationOptions),
      challenge: bytesOf(asked.challenge),
      user: { ...asked.user, id: bytesOf(asked.user.id) },
      excludeCredentials: described(asked.excludeCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!made) throw new DOMException("no passkey was made", "NotAllowedError");
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    client_data_json: textOf(response.clientDataJSON),
    attestation_object: textOf(response.attestationObject),
  };
}

/** Has an authenticator sign. Throws a `DOMException` when the person turns back. */
export async function showPasskey(options: unknown): Promise<PasskeyAnswer> {
  const asked = options as RequestQuestion;
  const shown = (await navigator.credentials.get({
    publicKey: {
      ...(options as PublicKeyCredentialRequestOptions),
      challenge: bytesOf(asked.challenge),
      allowCredentials: described(asked.allowCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!shown) throw new DOMException("no passkey signed", "NotAllowedError");
  const response = shown.response as AuthenticatorAssertionResponse;
  return {
    id: shown.id,
    client_data_json: textOf(response.clientDataJSON),
    authenticator_data: textOf(response.authenticatorData),
    signature: textOf(response.signature),
    user_handle: response.userHandle ? textOf(response.userHandle) : null,
  };
}

/** Whether the person turned back, or let the time pass: no error to tell. */
export function turnedBack(error: unknown): boolean {
  return error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");
}
