/** What a page shows while it waits, when there is nothing, and when something failed. */
import { Button, Empty, Result, Spin } from "antd";
import { Component, type ReactNode, useRef } from "react";
import { type Translate, useT } from "../i18n/index.tsx";
import type { Key } from "../i18n/words.ts";
import { ApiError } from "../lib/api.ts";

export function Loading({ tall }: { tall?: boolean }) {
  const { t } = useT();
  return (
    <div className={tall ? "state state-tall" : "state"} role="status">
      <Spin description={<span className="loading-word">{t("state.loading")}</span>}>
        <div style={{ minWidth: 120, minHeight: 72 }} />
      </Spin>
    </div>
  );
}

export function Nothing({ title, mend, action }: { title: string; mend?: string; action?: ReactNode }) {
  return (
    <Empty
      className="state"
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <div>{title}</div>
          {mend && <div className="quiet">{mend}</div>}
        </>
      }
    >
      {action}
    </Empty>
  );
}

/** An error as one line. */
export function errorText(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return `${t("state.network")}。${t("state.network-mend")}`;
  const { detail, place, mend } = error.in(t.language);
  if (t.language === "zh" && error.chinese) {
    return `${detail}${place ? `（${place}）` : ""}${mend ? `。${mend}` : ""}`;
  }
  return [detail, place && `(${place})`, mend].filter(Boolean).join(" ");
}

/** What a kind of failure is called, and what helps, in the reader's language. */
function wordsOf(error: ApiError | null): [title: Key, mend: Key | null] {
  const status = error?.status ?? -1;
  if (status === 0) return ["state.network", "state.network-mend"];
  if (status === 403) return ["state.forbidden", "state.forbidden-mend"];
  if (status === 404) return ["state.missing", "state.missing-mend"];
  return ["state.error", status >= 500 ? "state.server-mend" : null];
}

/** What failed and what helps, then the server's own words, and a way to try again. */
export function Failed({
  error,
  retry,
  trying,
}: {
  error: unknown;
  retry?: () => void;
  /** It is being tried again now. */
  trying?: boolean;
}) {
  const { t } = useT();
  const known = error instanceof ApiError ? error : null;
  const [title, mend] = wordsOf(known);
  const unreached = known?.status === 0;
  const said = known?.in(t.language);
  return (
    <Result
      className="state"
      status={known?.status === 403 || known?.status === 404 ? "info" : "warning"}
      title={t(title)}
      subTitle={
        <>
          {mend && <div className="state-mend">{t(mend)}</div>}
          {!unreached && (
            <div className="quiet">
              {said ? said.detail : String(error)}
              {said?.place && (
                <div>
                  {t("state.place")}: <code>{said.place}</code>
                </div>
              )}
              {said?.mend && <div>{said.mend}</div>}
            </div>
          )}
        </>
      }
      extra={
        retry && (
          <Button onClick={retry} loading={trying}>
            {t("state.retry")}
          </Button>
        )
      }
    />
  );
}

/** What a page needs to know of a query. */
interface Asked<T = unknown> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/**
 * What failed, or null when there are data or nothing failed yet. A query forgets its error while it asks again, by
 * itself every few seconds: the page says what was wrong until there is an answer, and does not flicker.
 */
export function useFailure({ data, error, refetch }: Asked): ReactNode | null {
  const last = useRef<unknown>(null);
  if (data !== undefined) last.current = null;
  else if (error) last.current = error;
  if (!last.current) return null;
  return <Failed error={last.current} retry={() => void refetch()} trying={!error} />;
}

/** The three states of a query in one place: children are called only with data. */
export function Loaded<T>({
  query,
  children,
  tall,
}: {
  query: Asked<T>;
  children: (data: T) => ReactNode;
  tall?: boolean;
}) {
  const failure = useFailure(query);
  if (query.data !== undefined) return <>{children(query.data)}</>;
  return failure ?? <Loading tall={tall} />;
}

/** Keeps a failing page from taking the shell with it: never a blank screen. */
export class Guard extends Component<{
  children: ReactNode;
  resetKey: string;
  fallback: (e: Error) => ReactNode;
}> {
  override state: { error: Error | null } = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override componentDidUpdate(before: { resetKey: string }) {
    if (before.resetKey !== this.props.resetKey && this.state.error) this.setState({ error: null });
  }
  override render() {
    return this.state.error ? this.props.fallback(this.state.error) : this.props.children;
  }
}

export function Crash({ error }: { error: Error }) {
  const { t } = useT();
  return (
    <Result
      className="state"
      status="error"
      title={t("state.crash")}
      subTitle={<code>{error.message}</code>}
      extra={
        <Button type="primary" onClick={() => window.location.reload()}>
          {t("state.reload")}
        </Button>
      }
    />
  );
}
