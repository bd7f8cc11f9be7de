/** Where the pages begin. */
import "./app.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { isSignOutOwed, type Kept, readKept } from "./lib/kept.ts";
import { giveNonce } from "./lib/nonce.ts";
import { watchPages } from "./lib/pages-worker.ts";

giveNonce(document);
watchPages();

/** The page that opens without a network: with what was read on an earlier visit, then with what is so now. */
const KEPT_PAGE = "/field";

async function kept(): Promise<Kept | null> {
  return window.location.pathname === KEPT_PAGE && !isSignOutOwed() ? readKept() : null;
}

// Its program is fetched beside the session, not after it.
if (window.location.pathname === KEPT_PAGE) import("./features/field/page.tsx").catch(() => {});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const found = await kept().catch(() => null);
createRoot(root).render(<App kept={found} />);
