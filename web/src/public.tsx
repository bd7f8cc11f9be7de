/** Where the page of everybody begins: without the console, its library, its routes and its service worker. */
import { createRoot } from "react-dom/client";
import { Page } from "./features/portal/page.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("public.html has no #root");
createRoot(root).render(<Page />);
