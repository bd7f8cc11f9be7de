/**
 * Builds the first script of a page (`src/first`) into one file of its own, and lets it start the program: the page loads it before all
 * else, and fetches the program's files when the figures are on the screen, or at once where there are none to wait for.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rollup } from "vite";

const ENTRY = fileURLToPath(new URL("../src/first/first.ts", import.meta.url));
/** The page that it is for. */
const PAGE = "index.html";
/** How its file begins; a digest of what is in it follows. */
export const FIRST_FILE = "assets/first-";
/** Characters of the digest. */
const DIGEST_CHARS = 12;
/** What the build puts into the page to start the program. */
const PROGRAM = /<script type="module"([^>]*) src="([^"]+)"([^>]*)><\/script>/;
/** A file that the program needs at once. */
const PART = /\s*<link rel="modulepreload"[^>]* href="([^"]+)"[^>]*>/g;
/** Behind what says how its bytes are to be read. */
const CHARSET = /<meta charset="utf-8" ?\/?>/;

async function built(): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: ENTRY, output: { format: "iife" } },
    },
  });
  const chunks = [made].flat().flatMap((each) => ("output" in each ? each.output : []));
  const first = chunks.find((file): file is Rollup.OutputChunk => file.type === "chunk");
  if (!first || chunks.length !== 1)
    throw new Error(`the first script must be one file: ${chunks.map(({ fileName }) => fileName)}`);
  return first.code;
}

export function firstView(): Plugin {
  let fileName = "";
  return {
    name: "jingling-first-view",
    apply: "build",
    async buildStart() {
      const source = await built();
      const digest = createHash("sha256").update(source).digest("base64url").slice(0, DIGEST_CHARS);
      fileName = `${FIRST_FILE}${digest}.js`;
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { filename }) {
        if (!filename.endsWith(PAGE)) return html;
        const program = PROGRAM.exec(html)?.[2];
        if (!program) throw new Error(`${PAGE} starts no program`);
        const files = [...html.matchAll(PART)].map(([, href]) => href).join(" ");
        const script = `<script src="/${fileName}" async fetchpriority="high" data-program="${program}" data-files="${files}"></script>`;
        return (
          html
            .replaceAll(PART, "")
            // By its first file, whose name changes with every other, the service worker knows a build.
            .replace(PROGRAM, `<link rel="modulepreload" fetchpriority="low"$1 href="$2"$3>`)
            .replace(CHARSET, `$&\n    ${script}`)
        );
      },
    },
  };
}
