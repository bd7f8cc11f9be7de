/** The frame around every page: city, navigation, live state, language, person. */
import { EllipsisOutlined, InfoCircleOutlined, TranslationOutlined, UserOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Badge, Button, Drawer, Dropdown, Popover, Tag, Tooltip } from "antd";
import { Suspense, useEffect, useRef, useState } from "react";
import { NavLink, Outlet, useLocation, useNavigate } from "react-router";
import { useActiveAlertCount } from "../features/alerts/queries.ts";
import { useWaitingCount } from "../features/approvals/queries.ts";
import { organisationsQuery } from "../features/cases/queries.ts";
import { Bell } from "../features/notifications/bell.tsx";
import { useT } from "../i18n/index.tsx";
import { keyOf } from "../i18n/words.ts";
import { type LiveState, useConnected, useLiveState } from "../lib/live.ts";
import { can, signOut, useCity } from "../lib/session.ts";
import type { City, User } from "../lib/types.ts";
import { Crash, errorText, Guard, Loading } from "../ui/states.tsx";
import { usePhone } from "../ui/use-phone.ts";
import { isAt, type NavItem, navFor } from "./navigation.tsx";
import { useLiveCache } from "./use-live-cache.tsx";

/** Places in the phone's bottom bar; what does not fit goes under "more". */
const BAR_ITEMS_MAX = 5;

export function Shell({ user }: { user: User }) {
  const { t, p } = useT();
  const city = useCity();
  const phone = usePhone();
  const location = useLocation();
  const items = navFor(user);
  useLiveCache(user);
  useConnected();
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
      <header className="header">
        <Brand city={city} />
        {!phone && <TopNav items={items} user={user} />}
        <div className="header-end">
          <LiveMark />
          <Bell />
          <LanguageSwitch />
          <UserMenu user={user} />
        </div>
      </header>
      <main id="content" className="content" tabIndex={-1}>
        <Guard resetKey={location.pathname} fallback={(error) => <Crash error={error} />}>
          <Suspense fallback={<Loading tall />}>
            <Outlet />
          </Suspense>
        </Guard>
      </main>
      {phone && <BottomBar items={items} user={user} />}
    </div>
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

/** The number of active alerts, or of approvals that wait, beside the word, so that it is seen from any page. */
function NavWord({ item, user }: { item: NavItem; user: User }) {
  const { t } = useT();
  const alerts = useActiveAlertCount(item.path === "/alerts" && can(user, "alert.read"));
  const waiting = useWaitingCount(item.path === "/approvals" && can(user, "approval.decide"));
  const count = { "/alerts": alerts, "/approvals": waiting }[item.path] ?? 0;
  return (
    <>
      {t(item.title)}
      {count > 0 && <span className="nav-count">{count > 99 ? "99+" : count}</span>}
    </>
  );
}

function TopNav({ items, user }: { items: NavItem[]; user: User }) {
  const { t } = useT();
  return (
    <nav className="nav" aria-label={t("nav.main")}>
      {items.map((item) => (
        <NavLink key={item.path} to={item.path} end={item.path === "/"} className="nav-link">
          {item.icon}
          <span className="nav-word">
            <NavWord item={item} user={user} />
          </span>
        </NavLink>
      ))}
    </nav>
  );
}

function BottomBar({ items, user }: { items: NavItem[]; user: User }) {
  const { t } = useT();
  const [open, setOpen] = useState(false);
  const fits = items.length <= BAR_ITEMS_MAX;
  const shown = fits ? items : items.slice(0, BAR_ITEMS_MAX - 1);
  const rest = fits ? [] : items.slice(BAR_ITEMS_MAX - 1);
  const link = (item: NavItem) => (
    <NavLink
      key={item.path}
      to={item.path}
      end={item.path === "/"}
      className="bar-link"
      onClick={() => setOpen(false)}
    >
      {item.icon}
      <span>
        <NavWord item={item} user={user} />
      </span>
    </NavLink>
  );
  return (
    <nav className="bar" aria-label={t("nav.main")}>
      {shown.map(link)}
      {rest.length > 0 && (
        <button type="button" className="bar-link" onClick={() => setOpen(true)} aria-haspopup="dialog">
          <EllipsisOutlined />
          <span>{t("nav.more")}</span>
        </button>
      )}
      <Drawer placement="bottom" size={150} open={open} onClose={() => setOpen(false)} title={t("nav.more")}>
        <div className="bar-rest">{rest.map(link)}</div>
      </Drawer>
    </nav>
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
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const role = keyOf("role", user.role);
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
                <strong>{user.name || user.username}</strong>
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
            onClick: async () => {
              try {
                await signOut(queryClient);
                navigate("/sign-in", { replace: true });
              } catch (error) {
                message.error(errorText(error, t));
              }
            },
          },
        ],
      }}
    >
      <Button
        ref={button}
        type="text"
        className="header-button"
        icon={<UserOutlined />}
        aria-label={t("user.menu")}
      >
        <span className="user-word">{user.name || user.username}</span>
      </Button>
    </Dropdown>
  );
}
