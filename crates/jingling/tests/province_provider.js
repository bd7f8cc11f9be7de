// oidc-provider, which nobody here wrote, as the province's sign-in, and a browser that goes between it and the running city.
// It prints its issuer, reads the city's address, a person's name and password, each a line, and plays the person. NODE_PATH is
// where the package lies.
const assert = require("node:assert/strict");
const http = require("node:http");
const readline = require("node:readline");
const { pathToFileURL } = require("node:url");

const SECRET = "a secret of the city, with & and %";

/** Who is at the provider's keyboard now; null turns back. */
let atKeyboard = null;

async function started(issuer, listener, city) {
  const { Provider } = await import(pathToFileURL(`${process.env.NODE_PATH}/oidc-provider/lib/index.js`));
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "city",
        client_secret: SECRET,
        redirect_uris: [`${city}/api/v1/session/outside/province/callback`],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    pkce: { required: () => true },
    cookies: { keys: ["k"] },
    features: { devInteractions: { enabled: false } },
    claims: { openid: ["sub"], profile: ["name"] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `姓名 ${id}` }) }),
    interactions: { url: (_ctx, interaction) => `/person/${interaction.uid}` },
    loadExistingGrant: async (ctx) => {
      const { client, provider: own, session } = ctx.oidc;
      const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid profile");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  listener.on("request", async (request, response) => {
    if (!request.url.startsWith("/person/")) return answer(request, response);
    const done = atKeyboard
      ? { login: { accountId: atKeyboard } }
      : { error: "access_denied", error_description: "the person turned back" };
    await provider.interactionFinished(request, response, done);
  });
}

/** A browser: cookies by site, and SameSite as browsers keep it. */
class Browser {
  #cookies = new Map();

  #keep(origin, answer) {
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const has = (word) => attributes.find((a) => a.toLowerCase().startsWith(word));
      const own = this.#cookies.get(origin) ?? new Map();
      this.#cookies.set(origin, own);
      if (!value || has("max-age=0")) own.delete(name);
      else own.set(name, { value, path: has("path=")?.slice(5) ?? "/", strict: has("samesite=strict") !== undefined });
    }
  }

  async ask(address, { from, ...init } = {}) {
    const url = new URL(address);
    const isOwn = from === undefined || from === url.origin;
    const own = [...(this.#cookies.get(url.origin) ?? [])];
    const sent = own.filter(([, c]) => url.pathname.startsWith(c.path) && (isOwn || !c.strict));
    const cookie = sent.map(([name, c]) => `${name}=${c.value}`).join("; ");
    const answer = await fetch(url, { redirect: "manual", ...init, headers: { ...init.headers, ...(cookie && { cookie }) } });
    this.#keep(url.origin, answer);
    return answer;
  }

  /** A page of the city asks it. */
  say(city, method, path, body) {
    const headers = { "x-jingling-csrf": "1", "content-type": "application/json" };
    return this.ask(city + path, { method, headers, body: body && JSON.stringify(body) });
  }

  /** Goes to an address from a page of the city, and on to wherever it is sent, until it is back at the city; the answer there. */
  async goes(city, address) {
    let [at, from] = [address, city];
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await this.ask(at, { from });
      const to = answer.headers.get("location");
      if (new URL(at).origin === city) return answer;
      assert.ok(to, `${at}: ${answer.status} ${await answer.text()}`);
      from = new URL(at).origin;
      at = new URL(to, at).href;
    }
    throw new Error("sent in a circle");
  }
}

async function main() {
  const listener = http.createServer();
  await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));
  const issuer = `http://127.0.0.1:${listener.address().port}`;
  console.log(issuer);
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value;
  const [city, username, password] = [await line(), await line(), await line()];
  await started(issuer, listener, city);

  const signIn = async (browser, return_to) => {
    const begun = await browser.say(city, "POST", "/api/v1/session/outside/province", { return_to });
    assert.equal(begun.status, 200, await begun.clone().text());
    return browser.goes(city, (await begun.json()).redirect_to);
  };
  const person = new Browser();

  // Nobody has linked it: a page that says which identity, and nobody is in.
  atKeyboard = "u-wang";
  const unknown = await signIn(person);
  assert.equal(unknown.status, 403);
  const page = await unknown.text();
  for (const word of ["outside-unlinked", "u-wang", "姓名 u-wang", 'href="/sign-in"']) assert.ok(page.includes(word), page);
  assert.equal((await person.say(city, "GET", "/api/v1/session")).status, 401);

  // The person links it in a session of their own.
  const local = await person.say(city, "POST", "/api/v1/session", { username, password });
  assert.equal(local.status, 200);
  const link = await person.say(city, "POST", "/api/v1/account/identities", { provider: "province" });
  const linked = await person.goes(city, (await link.json()).redirect_to);
  assert.deepEqual([linked.status, linked.headers.get("location")], [303, "/account?linked=1"]);
  const own = await (await person.say(city, "GET", "/api/v1/account/identities")).json();
  assert.deepEqual(
    own.items.map((one) => [one.provider, one.subject, one.shown, one.linked_by, one.last_used_at]),
    [["province", "u-wang", "姓名 u-wang", "person", null]],
  );
  assert.equal((await person.say(city, "DELETE", "/api/v1/session")).status, 204);

  // And signs in with it, to the page that was asked for.
  const back = await signIn(person, "/cases?status=open");
  assert.deepEqual([back.status, back.headers.get("location")], [303, "/cases?status=open"]);
  const who = await person.say(city, "GET", "/api/v1/session");
  assert.equal((await who.json()).user.username, username);
  const account = await (await person.say(city, "GET", "/api/v1/account")).json();
  assert.equal(account.sessions.find((s) => s.is_this).began_by, "province");

  // Another identity is not this person's.
  atKeyboard = "u-li";
  const stranger = new Browser();
  assert.equal((await signIn(stranger)).status, 403);
  // Who turns back there is told so here.
  atKeyboard = null;
  const turned = await signIn(new Browser());
  assert.ok(turned.status === 400 && (await turned.text()).includes("outside-turned-back"));

  // What began in one browser does not end in another.
  atKeyboard = "u-wang";
  const begun = await person.say(city, "POST", "/api/v1/session/outside/province", {});
  const other = new Browser();
  const wrong = await other.goes(city, (await begun.json()).redirect_to);
  assert.ok(wrong.status === 400 && (await wrong.text()).includes("sign-in-begin-again"));
  assert.equal((await other.say(city, "GET", "/api/v1/session")).status, 401);

  // Unlinked, it opens nothing.
  const gone = await person.say(city, "DELETE", `/api/v1/account/identities/${own.items[0].id}`);
  assert.equal(gone.status, 204);
  assert.equal((await signIn(new Browser())).status, 403);

  console.log("content");
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
