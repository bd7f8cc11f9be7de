/**
 * A person's own account in a real browser: a passkey made by Chromium's virtual authenticator (through its DevTools
 * protocol), signed out, signed in with it alone and as the second step; time-based codes computed by Node's own hmac;
 * recovery codes; sessions. Throws where the way ends.
 */
import { createHmac } from "node:crypto";
import { openPage, PHONE, signIn } from "./browser.mjs";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The six digits that an authenticator app shows now, or `steps` of 30 seconds later (RFC 6238). */
export function totp(secret, steps = 0) {
  const bits = [...secret.replace(/\s/g, "")]
    .map((c) => BASE32.indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const act = (page, name) => page.locator(`[data-action="${name}"]`).first();
const gone = (page) => page.locator(".ant-modal-wrap").first().waitFor({ state: "hidden" });

async function signOut(page) {
  await page.evaluate(() =>
    fetch("/api/v1/session", { method: "DELETE", headers: { "x-jingling-csrf": "1" } }),
  );
  await page.goto("/sign-in");
  await page.locator("#username").waitFor();
}

const isIn = (page) => page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));

async function withPassword(page, username, password) {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(password);
  await page.locator("button[type=submit]").click();
}

/** `base` is the address that passkeys are for; gives what went wrong in the pages. */
export async function account(browser, base, username, password) {
  const { page, context, problems } = await openPage(browser, base, { size: PHONE });
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await signIn(page, username, password);
  await page.goto("/account");

  await act(page, "account.passkey-add").click();
  await page.locator("#name").fill("试验手机");
  await page.locator('[data-testid="passkey-submit"]').click();
  const shown = page.locator('[data-testid="recovery-codes"] code');
  await shown.nth(9).waitFor();
  const codes = await shown.allInnerTexts();
  await page.locator('[data-testid="recovery-kept"]').click();
  await gone(page);
  await page.locator('[data-testid="passkey"]', { hasText: "试验手机" }).waitFor();

  // With the passkey alone, without a name.
  await signOut(page);
  await page.locator('[data-testid="sign-in-passkey"]').click();
  await isIn(page);
  const who = await page.evaluate(async () => (await (await fetch("/api/v1/session")).json()).user.username);
  if (who !== username) throw new Error(`the passkey signed ${who} in`);

  // The password is half of it now; the passkey is the rest.
  await signOut(page);
  await withPassword(page, username, password);
  await page.locator('[data-testid="second-passkey"]').click();
  await isIn(page);

  // Time-based codes beside it.
  await page.goto("/account");
  await act(page, "account.totp-add").click();
  const secret = await page.locator('[data-testid="totp-secret"]').innerText();
  await page.locator(".totp-qr").waitFor();
  await page.locator("#code").fill(totp(secret));
  await page.locator('[data-testid="totp-submit"]').click();
  await act(page, "account.totp-remove").waitFor();

  // An authenticator that cannot see who it is is not enough; a wrong code is told; a right one lets in.
  await signOut(page);
  await withPassword(page, username, password);
  await page.locator("#code").fill("no code at all");
  await page.locator("button[type=submit]").click();
  await page.locator('[role="alert"]').first().waitFor();
  await page.locator("#code").fill(totp(secret, 1));
  await page.locator("button[type=submit]").click();
  await isIn(page);

  // A copy of the authenticator whose counter is behind: the key of the passkey is taken out and put back with a lower one.
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  const [kept] = credentials;
  await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId: kept.credentialId });
  await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { ...kept, signCount: 0 } });
  await signOut(page);
  await page.locator('[data-testid="sign-in-passkey"]').click();
  const told = await page.locator('[role="alert"]').first().innerText();
  if (!told.includes("复制")) throw new Error(`a copied passkey is told so: ${told}`);

  // The page of sessions, and giving both factors up.
  await withPassword(page, username, password);
  await page.locator("#code").fill(codes[0]);
  await page.locator("button[type=submit]").click();
  await isIn(page);
  await page.goto("/account");
  await page.locator('[data-testid="session"]').first().waitFor();
  for (const name of ["account.totp-remove", "account.passkey-remove"]) {
    await act(page, name).click();
    // Not while it grows: a click may land beside what moves.
    await page.locator(".ant-modal-confirm:not(.ant-zoom-appear) .ant-btn-dangerous").click();
    await page.locator(".ant-modal-confirm").first().waitFor({ state: "hidden" });
  }
  await act(page, "account.totp-add").waitFor();
  await signOut(page);
  await withPassword(page, username, password);
  await isIn(page);
  await context.close();
  return problems;
}
