/** Tells the service worker which files of a build it keeps: what the first page and the field page begin with, and the signs. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin, Rollup } from "vite";
import { FIRST_FILE } from "./first-view.ts";

/** The page that opens without a network. */
const PAGE = "/src/features/field/page.tsx";
/** Files without a hash that a page shows. */
const PUBLIC = ["/favicon.svg"];
/** The worker's own file, at the root: so far reaches its scope. */
export const WORKER_FILE = "sw.js";

/** The chunk, what it imports, and their styles. */
function needed(
  first: Rollup.OutputChunk,
  bundle: Rollup.OutputBundle,
  found = new Set<string>(),
): Set<string> {
  if (found.has(first.fileName)) return found;
  found.add(first.fileName);
  for (const file of [
    ...(first.viteMetadata?.importedCss ?? []),
    ...(first.viteMetadata?.importedAssets ?? []),
  ])
    found.add(file);
  for (const name of first.imports) {
    const next = bundle[name];
    if (next?.type === "chunk") needed(next, bundle, found);
  }
  return found;
}

export function keptAssets(): Plugin {
  return {
    name: "jingling-kept-assets",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const worker = chunks.find((chunk) => chunk.fileName === WORKER_FILE);
      const page = chunks.find((chunk) => chunk.facadeModuleId?.endsWith(PAGE));
      const first = chunks.find((chunk) => chunk.isEntry && chunk.name === "index");
      if (!worker || !page || !first)
        this.error("the worker, the first page or the field page was not built");
      if (worker.imports.length > 0 || worker.dynamicImports.length > 0)
        this.error(`the worker must be one file; it imports ${worker.imports}`);
      const script = Object.keys(bundle).find((name) => name.startsWith(FIRST_FILE));
      if (!script) this.error("the first script was not built");
      const files = [script, ...needed(page, bundle, needed(first, bundle))].sort();
      const digest = createHash("sha256");
      // The first page is nowhere else in the digest, and must be another version when it alone changed.
      digest.update(readFileSync(fileURLToPath(new URL("../index.html", import.meta.url))));
      for (const path of PUBLIC)
        digest.update(readFileSync(fileURLToPath(new URL(`../public${path}`, import.meta.url))));
      digest.update(files.join("\n"));
      const kept = [...files.map((file) => `/${file}`), ...PUBLIC];
      worker.code = worker.code
        .replaceAll("__KEPT_ASSETS__", JSON.stringify(kept))
        .replaceAll("__KEPT_VERSION__", JSON.stringify(digest.digest("hex").slice(0, 16)));
    },
  };
}
