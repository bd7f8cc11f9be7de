/** Where the pages begin: the program, the page that is asked for and its first answers are fetched beside each other. */
import "./app.css";
import { askEarly } from "./lib/early.ts";
import { isSignOutOwed } from "./lib/kept.ts";
import { giveNonce } from "./lib/nonce.ts";

giveNonce(document);

const SESSION = ["/api/v1/session", "/api/v1/city"];
/** Pages that are opened from outside or by their address: what fetches their program, and what they read first. */
const PAGES: [at: RegExp, fetchProgram: () => Promise<unknown>, reads?: (found: string[]) => string][] = [
  [/^\/field$/, () => import("./features/field/page.tsx")],
  [/^\/plan$/, () => import("./features/plan/page.tsx"), () => "/api/v1/plan"],
  [
    /^\/plan\/([^/]+)$/,
    () => import("./features/plan/detail.tsx"),
    ([, id]) => `/api/v1/plan/indicators/${id}`,
  ],
  [/^\/projects$/, () => import("./features/projects/page.tsx"), () => "/api/v1/projects"],
  [
    /^\/projects\/([^/]+)$/,
    () => import("./features/projects/detail.tsx"),
    ([, id]) => `/api/v1/projects/${id}`,
  ],
  [/^\/forms$/, () => import("./features/forms/page.tsx"), () => "/api/v1/forms"],
  [/^\/reporting$/, () => import("./features/plan/reports.tsx"), () => "/api/v1/plan/reporting"],
  [/^\/map$/, () => import("./features/map/page.tsx")],
  [/^\/alerts$/, () => import("./features/alerts/page.tsx")],
  [/^\/cases$/, () => import("./features/cases/page.tsx")],
];

/** Pages that nobody needs to be signed in for. */
const FOR_ANYBODY = /^\/(sign-in|public|acknowledge|oidc)(\/|$)/;

const { pathname, search } = window.location;
const found = PAGES.map((page) => ({ page, at: page[0].exec(pathname) })).find(({ at }) => at !== null);
const reads = search === "" && found?.at ? found.page[2]?.(found.at) : undefined;
// Who signed out without a network is out: nothing is read in their name.
if (!FOR_ANYBODY.test(pathname) && !isSignOutOwed()) askEarly(reads ? [...SESSION, reads] : SESSION);
const program = import("./program.tsx");
found?.page[1]().catch(() => {});
await (await program).begin();
