/** Talks to the server: one function for JSON, one for files, one error that says what, where and the mend. */
import { forgetEarly, takeEarly } from "./early.ts";
import type { Language } from "./format.ts";

/** What, where and the mend, in one language. */
export interface Said {
  detail: string;
  place: string | null;
  mend: string | null;
}

/** What went wrong, in the server's words where it gave any (RFC 9457). */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    /** Stable code for machines, e.g. `rate-limited`; `network` when the server could not be reached. */
    readonly code: string,
    readonly detail: string,
    readonly place: string | null = null,
    readonly mend: string | null = null,
    /** Seconds after which trying again makes sense, when the server said so. */
    readonly retryAfterSeconds: number | null = null,
    /** The same in Chinese, where the server says it in both languages. */
    readonly chinese: Said | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }

  /** The server's words in a language, in English where it has no other. */
  in(language: Language): Said {
    return (language === "zh" && this.chinese) || this;
  }

  /** Whether the same request may succeed later without anyone changing anything. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Called whenever the server says that nobody is signed in any more. */
let onSignedOut: () => void = () => {};
export function whenSignedOut(listener: () => void) {
  onSignedOut = listener;
}

const SESSION_PATH = "/api/v1/session";

async function problemOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  const retry = Number(response.headers.get("retry-after"));
  const retryAfterSeconds = Number.isFinite(retry) && retry > 0 ? retry : null;
  try {
    const body = JSON.parse(text) as Record<string, string | undefined>;
    return new ApiError(
      response.status,
      body.code ?? String(response.status),
      body.detail ?? body.title ?? response.statusText,
      body.place || null,
      body.mend || null,
      retryAfterSeconds,
      body.detail_zh
        ? { detail: body.detail_zh, place: body.place_zh || null, mend: body.mend_zh || null }
        : null,
    );
  } catch {
    const detail = text.slice(0, 300) || response.statusText || `HTTP ${response.status}`;
    return new ApiError(response.status, String(response.status), detail, null, null, retryAfterSeconds);
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "network", error instanceof Error ? error.message : String(error));
  }
  return answered(path, response);
}

/** An answer that is none of an error. */
async function answered(path: string, response: Response): Promise<Response> {
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && path !== SESSION_PATH) onSignedOut();
  throw problem;
}

/** Says whose request it is; the server refuses it (`other-person`) when somebody else is signed in. */
export function inNameOf(userId: number | undefined): Record<string, string> {
  return userId === undefined ? {} : { "x-jingling-person": String(userId) };
}

/** Reads JSON. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const early = takeEarly(path);
  if (early) {
    const answer = await early;
    if (answer !== undefined) return answer as T;
  }
  const response = await send(path, { signal, headers: { accept: "application/json" } });
  return (await response.json()) as T;
}

/** Reads a file. */
export async function getBlob(path: string): Promise<Blob> {
  return (await send(path, {})).blob();
}

/** Changes something; answers the new state, or `undefined` for 204. */
export async function change<T = void>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<T> {
  forgetEarly();
  const headers: Record<string, string> = { accept: "application/json", "x-jingling-csrf": "1", ...more };
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await send(path, {
    method,
    signal,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Sends one file as multipart form data, after the fields that say what it is. */
export async function upload<T>(
  path: string,
  file: Blob,
  name: string,
  fields: Record<string, string> = {},
  more: Record<string, string> = {},
): Promise<T> {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append("file", file, name);
  const headers = { "x-jingling-csrf": "1", ...more };
  const response = await send(path, { method: "POST", headers, body: form });
  return (await response.json()) as T;
}

export interface Sending {
  signal?: AbortSignal;
  /** How many bytes of the file have left this device. */
  onSent?: (sent: number, total: number) => void;
}

/** Sends one file as it is, or a form with one. `fetch` does not tell how much of a body was sent, so this is the older way. */
export function sendFile<T>(
  path: string,
  file: Blob | FormData,
  { signal, onSent }: Sending = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-jingling-csrf", "1");
    // Of a form the browser says it itself, with what its parts are divided by.
    if (file instanceof Blob) request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onSent?.(loaded, total);
    request.onload = () => {
      const retry = request.getResponseHeader("retry-after");
      const { status, statusText, responseText } = request;
      const headers = retry === null ? undefined : { "retry-after": retry };
      answered(path, new Response(responseText, { status, statusText, headers }))
        .then((response) => response.json())
        .then((answer) => resolve(answer as T), reject);
    };
    request.onerror = () => reject(new ApiError(0, "network", "the server was not reached"));
    request.onabort = () => reject(new DOMException("the file was not sent", "AbortError"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    if (signal?.aborted) reject(new DOMException("the file was not sent", "AbortError"));
    else request.send(file);
  });
}

/** `?a=1&b=2` from what is set; empty text, null and undefined are left out. */
export function query(parameters: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}
