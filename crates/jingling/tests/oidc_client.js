// openid-client, which nobody here wrote, signs a person in to a department's system through the running city. Arguments:
// the issuer, the person's name and password, an admin's token. NODE_PATH is where the package lies.
const assert = require("node:assert/strict");
const http = require("node:http");
const { pathToFileURL } = require("node:url");

const [issuer, username, password, admin] = process.argv.slice(2);
const CSRF = { "x-jingling-csrf": "1", "content-type": "application/json" };

async function registered(draft) {
  const made = await fetch(`${issuer}/api/v1/oidc/clients`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify(draft),
  });
  assert.equal(made.status, 201);
  const { client, client_secret } = await made.json();
  return [client.client_id, client_secret];
}

async function signIn() {
  const answer = await fetch(`${issuer}/api/v1/session`, {
    method: "POST",
    headers: CSRF,
    body: JSON.stringify({ username, password }),
  });
  assert.equal(answer.status, 200);
  const cookie = answer.headers.get("set-cookie").split(";")[0];
  return {
    read: async (path) => (await fetch(issuer + path, { headers: { cookie } })).json(),
    say: (path, body) =>
      fetch(issuer + path, { method: "POST", headers: { ...CSRF, cookie }, body: JSON.stringify(body) }),
  };
}

/** The person goes where the system sends them and says yes. */
async function approves(person, address) {
  const page = await fetch(address, { redirect: "manual" });
  assert.equal(page.status, 303);
  const [where, query] = page.headers.get("location").split(/\?(.*)/s);
  assert.equal(where, "/oidc/authorize");
  await person.read(`/api/v1/oidc/authorization?${query}`);
  const answer = await person.say("/api/v1/oidc/authorization", { query, approve: true });
  assert.equal(answer.status, 200);
  return new URL((await answer.json()).redirect_to);
}

async function main() {
  const client = await import(pathToFileURL(`${process.env.NODE_PATH}/openid-client/build/index.js`));
  const found = (id, authentication) =>
    client.discovery(new URL(issuer), id, undefined, authentication, {
      execute: [client.allowInsecureRequests],
    });

  const told = Promise.withResolvers?.() ?? withResolvers();
  const listener = http.createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      response.end();
      told.resolve(new URLSearchParams(body).get("logout_token"));
    });
  });
  await new Promise((ready) => listener.listen(0, "127.0.0.1", ready));

  const redirect_uri = "https://water.example/callback";
  const [id, secret] = await registered({
    name: "水利调度",
    redirect_uris: [redirect_uri],
    post_logout_redirect_uris: ["https://water.example/bye"],
    backchannel_logout_uri: `http://127.0.0.1:${listener.address().port}/ended`,
    grants: ["authorization_code", "refresh_token"],
    scopes: ["openid", "profile", "offline_access"],
  });
  const config = await found(id, client.ClientSecretPost(secret));
  assert.ok(config.serverMetadata().supportsPKCE());
  const person = await signIn();
  const signedIn = async () => {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const address = client.buildAuthorizationUrl(config, {
      redirect_uri,
      scope: "openid profile offline_access",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      max_age: "3600",
    });
    return client.authorizationCodeGrant(config, await approves(person, address), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
      maxAge: 3600,
    });
  };
  const tokens = await signedIn();
  const { sub, preferred_username, sid } = tokens.claims();
  assert.equal(preferred_username, username);
  assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).name, "王敏");

  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  assert.ok((await client.tokenIntrospection(config, next.access_token)).active);
  await client.tokenRevocation(config, next.refresh_token);
  assert.ok(!(await client.tokenIntrospection(config, next.access_token)).active);
  const gone = { error: "invalid_grant" };
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), gone);

  // One that comes again ends the sign-in.
  const again = await signedIn();
  const after = await client.refreshTokenGrant(config, again.refresh_token);
  await assert.rejects(client.refreshTokenGrant(config, again.refresh_token), gone);
  await assert.rejects(client.refreshTokenGrant(config, after.refresh_token), gone);

  const [machineId, machineSecret] = await registered({
    name: "数据同步",
    grants: ["client_credentials"],
    scopes: ["role"],
  });
  const machine = await found(machineId, client.ClientSecretBasic(machineSecret));
  const own = await client.clientCredentialsGrant(machine, { scope: "role" });
  assert.equal(own.scope, "role");
  const wrong = await found(machineId, client.ClientSecretBasic("jls_wrong"));
  await assert.rejects(client.clientCredentialsGrant(wrong, { scope: "role" }), { status: 401 });

  // A screen asks, waits as long as it is told to, and asks again.
  const [screenId] = await registered({
    name: "大屏",
    is_public: true,
    grants: ["device_code"],
    scopes: ["openid"],
  });
  const screen = await found(screenId, client.None());
  const begun = await client.initiateDeviceAuthorization(screen, { scope: "openid" });
  const shown = client.pollDeviceAuthorizationGrant(screen, begun);
  const said = await person.say("/api/v1/oidc/device", { user_code: begun.user_code, approve: true });
  assert.equal(said.status, 204);
  assert.equal((await shown).claims().sub, sub);

  // Signing out.
  const address = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: "https://water.example/bye",
  });
  const page = await fetch(address, { redirect: "manual" });
  const query = page.headers.get("location").split(/\?(.*)/s)[1];
  const out = await person.say("/api/v1/oidc/logout", { query });
  assert.deepEqual(await out.json(), { redirect_to: "https://water.example/bye" });
  const logout = (await told.promise).split(".")[1];
  assert.equal(JSON.parse(Buffer.from(logout, "base64url")).sid, sid);
  listener.close();
  console.log("content");
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error, error?.cause ?? "");
    process.exit(1);
  },
);
