/** My notices: what I was told of, newest first; a click takes note of one and opens what it is about. */
import "./notifications.css";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, Segmented } from "antd";
import { useEffect, useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { Notification } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, SeverityTag } from "../../ui/tags.tsx";
import { Doubt } from "../alerts/doubt.tsx";
import { notificationsActions } from "./actions.tsx";
import { NoticeAdministration } from "./administration.tsx";
import { notificationsQuery, read } from "./queries.ts";

type Which = "unread" | "all" | "administration";

export function Page() {
  const { t, p, language } = useT();
  const { message } = App.useApp();
  const user = useUser();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [parameters, setParameters] = useSearchParams();
  const [which, setWhich] = useState<Which>("all");
  const list = useInfiniteQuery({
    ...notificationsQuery(which === "unread"),
    enabled: which !== "administration",
  });
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const failure = useFailure(list);
  const fresh = () => void queryClient.invalidateQueries({ queryKey: ["notifications"] });
  // The link out of a message names its notice: whoever comes by it took note.
  const linked = Number(parameters.get("notice")) || null;
  useEffect(() => {
    if (linked === null) return;
    setParameters({}, { replace: true });
    read(linked).then(
      () => {
        message.success(t("notification.noted"));
        void queryClient.invalidateQueries({ queryKey: ["notifications"] });
      },
      (error) => message.error(errorText(error, t)),
    );
  }, [linked, setParameters, message, queryClient, t]);
  const open = async (one: Notification) => {
    try {
      if (!one.read_at) await read(one.id);
      fresh();
    } catch (error) {
      message.error(errorText(error, t));
    }
    navigate(one.path);
  };
  const rows = () => {
    if (failure) return failure;
    if (!list.data) return <Loading tall />;
    if (items.length === 0) {
      return <Nothing title={t(which === "unread" ? "notification.none-unread" : "notification.none")} />;
    }
    return (
      <ul className="card-list">
        {items.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              className={one.read_at ? "item-card" : "item-card notification-unread"}
              data-testid="notification"
              onClick={() => void open(one)}
            >
              <span className="item-card-head">
                <SeverityTag severity={one.severity} />
                <strong>{p(one.title_zh, one.title_en)}</strong>
              </span>
              {(language === "zh" ? one.affected_zh : one.affected_en).map((line) => (
                <span key={line} data-testid="notification-affected">
                  {line}
                </span>
              ))}
              <Doubt doubt={one.doubt} />
              <span className="quiet">
                <Age at={one.at} />
                {one.level > 1 && ` · ${t("notification.level", { n: one.level })}`}
                {` · ${t(one.read_at ? "notification.read" : "notification.unread")}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
    );
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("notification.title")}</h1>
        <Segmented<Which>
          value={which}
          onChange={setWhich}
          aria-label={t("notification.which")}
          options={[
            { value: "all", label: t("list.all") },
            { value: "unread", label: t("notification.unread") },
            ...(can(user, "notice.manage")
              ? [{ value: "administration" as const, label: t("notification.administration") }]
              : []),
          ]}
        />
        <ActionBar
          actions={notificationsActions}
          context={{
            newest: which === "administration" ? null : (items[0]?.id ?? null),
            unread: list.data?.pages[0]?.unread ?? 0,
            done: fresh,
          }}
        />
      </header>
      {which === "administration" ? (
        <NoticeAdministration />
      ) : (
        <>
          {rows()}
          <More list={list} />
        </>
      )}
    </div>
  );
}
