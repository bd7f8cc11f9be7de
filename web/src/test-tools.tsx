/** Puts a component on a page of its own for a test: language, data, routes, and a server of answers. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { App } from "antd";
import type { ReactElement } from "react";
import { MemoryRouter } from "react-router";
import { vi } from "vitest";
import { LanguageProvider } from "./i18n/index.tsx";
import { sessionQuery } from "./lib/session.ts";
import type { User } from "./lib/types.ts";

export function userWith(permissions: string[], role = "duty"): User {
  return { id: 7, username: "wang", name: "王敏", role, organisation: null, permissions };
}

export function show(
  element: ReactElement,
  { user = null, path = "/" }: { user?: User | null; path?: string } = {},
) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  queryClient.setQueryData(sessionQuery.queryKey, user);
  const page = render(
    <QueryClientProvider client={queryClient}>
      <LanguageProvider initial="en">
        <App>
          <MemoryRouter initialEntries={[path]}>{element}</MemoryRouter>
        </App>
      </LanguageProvider>
    </QueryClientProvider>,
  );
  return { ...page, queryClient };
}

export interface Call {
  method: string;
  path: string;
  body: unknown;
}

/** Answers `METHOD /path` (without the query) with JSON, or with what a function makes of the call. */
export function serve(answers: Record<string, unknown>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? "GET";
    const call = { method, path, body: typeof init.body === "string" ? JSON.parse(init.body) : init.body };
    calls.push(call);
    const found = answers[`${method} ${path.split("?")[0]}`];
    if (found === undefined) return new Response("{}", { status: 404 });
    const answer = typeof found === "function" ? (found as (c: Call) => unknown)(call) : found;
    return answer instanceof Response ? answer : Response.json(answer);
  });
  return calls;
}
