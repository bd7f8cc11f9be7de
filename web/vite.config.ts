/** How the pages are built, served while they are being written, and tested. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { firstView } from "./dev/first-view.ts";
import { keptAssets, WORKER_FILE } from "./dev/kept-assets.ts";
import { mockCity } from "./dev/mock.ts";

// `npm run dev` serves a made-up city; `JINGLING_URL=http://127.0.0.1:PORT npm run dev` a real one.
const server = process.env.JINGLING_URL;

export default defineConfig(({ command, mode }) => ({
  plugins: [
    react(),
    firstView(),
    keptAssets(),
    ...(command === "serve" && mode !== "test" && !server ? [mockCity()] : []),
  ],
  server: {
    host: "127.0.0.1",
    proxy: server ? { "/api": { target: server }, "/ngsi-ld": { target: server } } : undefined,
  },
  // The server puts each answer's own nonce in its place (crates/api/src/pages.rs); src/lib/nonce.ts gives it to styles.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1_500,
    // The licences of what is bundled travel with it.
    license: { fileName: "licences.md" },
    rolldownOptions: {
      input: { index: "index.html", public: "public.html", sw: "src/worker/sw.ts" },
      output: {
        entryFileNames: ({ name }) => (name === "sw" ? WORKER_FILE : "assets/[name]-[hash].js"),
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    restoreMocks: true,
    // One world for all files of a worker: building one for each took two thirds of the time. Whatever a test leaves behind is
    // the next one's trouble, in whichever order: `npx vitest run --sequence.shuffle.files`.
    isolate: false,
    maxWorkers: 2,
    // A machine that builds beside it is slow, not wrong.
    testTimeout: 30_000,
  },
}));
