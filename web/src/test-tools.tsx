/** Puts a component on a page of its own for a test: language, data, routes, and a server of answers. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { App } from "antd";
import type { ReactElement } from "react";
import { MemoryRouter } from "react-router";
import { vi } from "vitest";
import { LanguageProvider } from "./i18n/index.tsx";
import type { Language } from "./lib/format.ts";
import { sessionQuery } from "./lib/session.ts";
import type { User } from "./lib/types.ts";

export function userWith(permissions: string[], role = "duty"): User {
  return { id: 7, username: "wang", name: "王敏", role, organisation: null, permissions };
}

export function show(
  element: ReactElement,
  {
    user = null,
    path = "/",
    language = "en",
  }: { user?: User | null; path?: string; language?: Language } = {},
) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  queryClient.setQueryData(sessionQuery.queryKey, user);
  const page = render(
    <QueryClientProvider client={queryClient}>
      <LanguageProvider initial={language}>
        <App>
          <MemoryRouter initialEntries={[path]}>{element}</MemoryRouter>
        </App>
      </LanguageProvider>
    </QueryClientProvider>,
  );
  return { ...page, queryClient };
}

/** What charts draw on where there is no screen: takes everything, draws nothing. */
export function drawNothing() {
  const context = new Proxy(
    {},
    { get: (_, name) => (name === "measureText" ? () => ({ width: 0 }) : () => undefined), set: () => true },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
  // A chart asks how large its place is.
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(800);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(300);
}

export interface Call {
  method: string;
  path: string;
  body: unknown;
}

/**
 * Answers `METHOD /path` (without the query; a `*` at the end takes all that begin so) with JSON, or with what a
 * function makes of the call, maybe later.
 */
export function serve(answers: Record<string, unknown>): Call[] {
  const calls: Call[] = [];
  const answerOf = async (method: string, path: string, sent: unknown): Promise<Response> => {
    const call = { method, path, body: typeof sent === "string" ? JSON.parse(sent) : sent };
    calls.push(call);
    const asked = `${method} ${path.split("?")[0]}`;
    const open = Object.keys(answers).find((key) => key.endsWith("*") && asked.startsWith(key.slice(0, -1)));
    const found = answers[asked] ?? (open && answers[open]);
    if (found === undefined) return new Response("{}", { status: 404 });
    const answer = await (typeof found === "function" ? (found as (c: Call) => unknown)(call) : found);
    return answer instanceof Response ? answer : Response.json(answer);
  };
  vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) =>
    answerOf(init.method ?? "GET", path, init.body),
  );
  vi.stubGlobal("XMLHttpRequest", requestOf(answerOf));
  return calls;
}

/** A request of the older kind, by which files are sent; it tells half of what has left, then all, then answers. */
function requestOf(answerOf: (method: string, path: string, sent: unknown) => Promise<Response>) {
  return class {
    upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
    onload = () => {};
    onabort = () => {};
    status = 0;
    statusText = "";
    responseText = "";
    #asked = ["GET", "/"] as [string, string];
    #isOver = false;
    open(method: string, path: string) {
      this.#asked = [method, path];
    }
    setRequestHeader() {}
    getResponseHeader() {
      return null;
    }
    abort() {
      if (this.#isOver) return;
      this.#isOver = true;
      this.onabort();
    }
    async send(body: Blob | FormData) {
      const total = body instanceof FormData ? 2 : body.size;
      this.upload.onprogress?.({ loaded: total / 2, total });
      this.upload.onprogress?.({ loaded: total, total });
      const answer = await answerOf(...this.#asked, body);
      if (this.#isOver) return;
      this.#isOver = true;
      this.status = answer.status;
      this.responseText = await answer.text();
      this.onload();
    }
  };
}
