/** Bytes go to the authenticator as they came from the server, and come back as they left it. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesOf, canUsePasskeys, makePasskey, showPasskey, textOf, turnedBack } from "./passkey.ts";

const bytes = (given: unknown) => Array.from(given as Uint8Array);
const buffer = (...bytes: number[]) => new Uint8Array(bytes).buffer;

describe("passkeys", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("reads and writes base64url", () => {
    expect([...bytesOf("-_8B")]).toEqual([0xfb, 0xff, 1]);
    expect(textOf(buffer(0xfb, 0xff, 1))).toBe("-_8B");
    expect(textOf(buffer(1))).toBe("AQ");
    expect([...bytesOf("AQ")]).toEqual([1]);
  });

  it("hands the question over as bytes and the answer back as text", async () => {
    const create = vi.fn(async (_: CredentialCreationOptions) => ({
      response: { clientDataJSON: buffer(1), attestationObject: buffer(2) },
    }));
    const get = vi.fn(async (_: CredentialRequestOptions) => ({
      id: "aWQ",
      response: {
        clientDataJSON: buffer(1),
        authenticatorData: buffer(2),
        signature: buffer(3),
        userHandle: null,
      },
    }));
    vi.stubGlobal("navigator", { credentials: { create, get } });
    const known = [{ type: "public-key", id: "Bw" }];
    const asked = {
      challenge: "AQ",
      user: { id: "Ag", name: "wang", displayName: "王敏" },
      excludeCredentials: known,
    };
    expect(await makePasskey(asked)).toEqual({ client_data_json: "AQ", attestation_object: "Ag" });
    const given = create.mock.calls[0]?.[0].publicKey;
    expect(bytes(given?.challenge)).toEqual([1]);
    expect(bytes(given?.user.id)).toEqual([2]);
    expect(bytes(given?.excludeCredentials?.[0]?.id)).toEqual([7]);
    expect(await showPasskey({ challenge: "AQ", allowCredentials: known })).toEqual({
      id: "aWQ",
      client_data_json: "AQ",
      authenticator_data: "Ag",
      signature: "Aw",
      user_handle: null,
    });
  });

  it("knows who turned back, and where passkeys work", async () => {
    vi.stubGlobal("navigator", { credentials: { get: async () => null } });
    const refused = await showPasskey({ challenge: "AQ", allowCredentials: [] }).catch((e: unknown) => e);
    expect(turnedBack(refused)).toBe(true);
    expect(turnedBack(new Error("no"))).toBe(false);
    vi.stubGlobal("PublicKeyCredential", class {});
    expect(canUsePasskeys(window.location.origin)).toBe(true);
    expect(canUsePasskeys("https://elsewhere.example")).toBe(false);
    expect(canUsePasskeys(null)).toBe(false);
  });
});
