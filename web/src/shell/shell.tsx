/** The frame around every page: city, navigation, live state, language, person. */
import { InfoCircleOutlined, TranslationOutlined, UserOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Badge, Button, Dropdown, Popover, Tag, Tooltip } from "antd";
import { Suspense, useEffect, useRef } from "react";
import { Outlet, useLocation, useNavigate } from "react-router";
import { organisationsQuery } from "../features/cases/queries.ts";
import { unsentCount } from "../features/field/store.ts";
import { Bell } from "../features/notifications/bell.tsx";
import { useT } from "../i18n/index.tsx";
import { keyOf } from "../i18n/words.ts";
import { isEmbedded } from "../lib/embed.ts";
import { type LiveState, useConnected, useLiveState } from "../lib/live.ts";
import { useRenewal, useRenewed } from "../lib/pages-worker.ts";
import { can, signOut, useCity } from "../lib/session.ts";
import type { City, User } from "../lib/types.ts";
import { Crash, errorText, Guard, Loading } from "../ui/states.tsx";
import { usePhone } from "../ui/use-phone.ts";
import { isAt, navFor } from "./navigation.tsx";
import { BottomBar, Rail } from "./rail.tsx";
import { useLiveCache } from "./use-live-cache.tsx";

export function Shell({ user }: { user: User }) {
  const { t, p } = useT();
  const city = useCity();
  const phone = usePhone();
  const location = useLocation();
  // Inside another app there is that app's own way around.
  const isAlone = isEmbedded(location.search);
  const items = navFor(user);
  useLiveCache(user);
  useConnected();
  useRenewal(location.pathname);
  useEffect(() => {
    const here = items.find((item) => isAt(item, location.pathname));
    const names = [here && t(here.title), city && p(city.name_zh, city.name_en), t("app.name")];
    document.title = names.filter(Boolean).join(" · ");
  });
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t("nav.skip")}
      </a>
      {!isAlone && (
        <header className="header">
          <Brand city={city} />
          <div className="header-end">
            <LiveMark />
            <Bell />
            <LanguageSwitch />
            <UserMenu user={user} />
          </div>
        </header>
      )}
      {!isAlone && !phone && <Rail items={items} user={user} />}
      <main id="content" className="content" tabIndex={-1}>
        <Renewed />
        <Guard resetKey={location.pathname} fallback={(error) => <Crash error={error} />}>
          <Suspense fallback={<Loading tall />}>
            <Outlet />
          </Suspense>
        </Guard>
      </main>
      {!isAlone && phone && <BottomBar items={items} user={user} />}
    </div>
  );
}

/** Says that a newer program is there; it is loaded with the next page at the latest. */
function Renewed() {
  const { t } = useT();
  if (!useRenewed()) return null;
  return (
    <Alert
      banner
      type="info"
      title={t("state.renewed")}
      action={
        <Button size="small" onClick={() => window.location.reload()} data-testid="renew">
          {t("state.renew")}
        </Button>
      }
    />
  );
}

function Brand({ city }: { city: City | undefined }) {
  const { t, p } = useT();
  const notes = city ? (p(city.notes_zh.join("\n"), city.notes_en.join("\n")) || "").split("\n") : [];
  return (
    <div className="brand">
      <img src="/favicon.svg" alt="" width={26} height={26} />
      <strong>{t("app.name")}</strong>
      {city && <span className="brand-city">{p(city.name_zh, city.name_en)}</span>}
      {city?.demo && (
        <Popover
          title={t("city.notes")}
          trigger={["click"]}
          content={
            <ul className="notes">
              {notes.filter(Boolean).map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          }
        >
          <button type="button" className="demo-button" aria-haspopup="dialog">
            <Tag className="demo" icon={<InfoCircleOutlined />}>
              <span className="demo-word">{t("city.demo")}</span>
            </Tag>
          </button>
        </Popover>
      )}
    </div>
  );
}

const LIVE_STATUS: Record<LiveState, "success" | "processing" | "error" | "default"> = {
  off: "default",
  connecting: "processing",
  live: "success",
  broken: "error",
};

function LiveMark() {
  const { t } = useT();
  const state = useLiveState();
  return (
    <Tooltip title={t("live.hint")}>
      <span className={`live live-${state}`} role="status" data-live={state}>
        <Badge status={LIVE_STATUS[state]} />
        <span className="live-word">{t(`live.${state}`)}</span>
      </span>
    </Tooltip>
  );
}

export function LanguageSwitch({ light }: { light?: boolean }) {
  const { t, language, setLanguage } = useT();
  return (
    <Button
      type="text"
      className={light ? undefined : "header-button"}
      icon={<TranslationOutlined />}
      title={t("language.hint")}
      data-testid="language"
      onClick={() => setLanguage(language === "zh" ? "en" : "zh")}
    >
      <span className="language-word">{t("language.switch")}</span>
    </Button>
  );
}

const menuHasFocus = () => document.activeElement?.closest(".ant-dropdown") !== null;

function UserMenu({ user }: { user: User }) {
  const { t, p } = useT();
  const known = useQuery({
    ...organisationsQuery,
    enabled: user.organisation !== null && can(user, "case.read"),
  }).data?.items.find((o) => o.id === user.organisation);
  const organisation = known ? p(known.name_zh, known.name_en) : user.organisation;
  const { message, modal } = App.useApp();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    try {
      await signOut(queryClient);
      navigate("/sign-in", { replace: true });
    } catch (error) {
      message.error(errorText(error, t));
    }
  };
  const askToLeave = async () => {
    const n = user.id !== null && can(user, "case.handle") ? await unsentCount(user.id) : 0;
    if (n === 0) return leave();
    modal.confirm({
      title: t("field.leave-title", { n }),
      content: t("field.leave-text"),
      okText: t("field.leave"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: leave,
    });
  };
  const role = keyOf("role", user.role);
  const name = user.name || user.username;
  const button = useRef<HTMLButtonElement>(null);
  return (
    <Dropdown
      trigger={["click"]}
      autoFocus
      onOpenChange={(open) => {
        // Closed by Escape, the menu takes the keyboard with it; its button gets it back.
        if (open || !menuHasFocus()) return;
        requestAnimationFrame(() => button.current?.focus());
      }}
      menu={{
        items: [
          {
            key: "who",
            disabled: true,
            label: (
              <div>
                <strong>{name}</strong>
                <div>{role ? t(role) : user.role}</div>
                {organisation && <div className="quiet">{organisation}</div>}
              </div>
            ),
          },
          { type: "divider" },
          { key: "account", label: t("user.account"), onClick: () => navigate("/account") },
          {
            key: "out",
            label: t("user.sign-out"),
            onClick: askToLeave,
          },
        ],
      }}
    >
      <Button
        ref={button}
        type="text"
        className="header-button"
        icon={<UserOutlined />}
        aria-label={`${name}, ${t("user.menu")}`}
      >
        <span className="user-word">{name}</span>
      </Button>
    </Dropdown>
  );
}
