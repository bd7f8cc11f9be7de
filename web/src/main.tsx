/** Where the pages begin. */
import "./app.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { giveNonce } from "./lib/nonce.ts";

giveNonce(document);

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(<App />);
