/** The menu: pages in sections, as a rail at the side of the page or, on a phone, a bar with a drawer. */
import { DoubleLeftOutlined, DoubleRightOutlined, DownOutlined, MenuOutlined } from "@ant-design/icons";
import { Drawer, Tooltip } from "antd";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { useActiveAlertCount } from "../features/alerts/queries.ts";
import { useWaitingCount } from "../features/approvals/queries.ts";
import { useT } from "../i18n/index.tsx";
import { can } from "../lib/session.ts";
import type { User } from "../lib/types.ts";
import { neighbour } from "../ui/keyboard.ts";
import { barItems, isAt, type NavItem, type NavSection, sectionsOf } from "./navigation.tsx";
import { useRailShape } from "./rail-shape.ts";

/** Places in the phone's bottom bar beside the menu's. */
const BAR_PLACES_MAX = 4;

interface Menu {
  items: NavItem[];
  user: User;
}

/** What waits behind a page: active alerts, approvals to decide. Seen from every page. */
function useCount({ path }: NavItem, user: User): number {
  const alerts = useActiveAlertCount(path === "/alerts" && can(user, "alert.read"));
  const waiting = useWaitingCount(path === "/approvals" && can(user, "approval.decide"));
  return { "/alerts": alerts, "/approvals": waiting }[path] ?? 0;
}

function Count({ count }: { count: number }) {
  return count > 0 ? <span className="nav-count">{count > 99 ? "99+" : count}</span> : null;
}

interface Entry {
  item: NavItem;
  user: User;
  className: string;
  /** The word is heard and shown beside the mouse only. */
  narrow?: boolean;
  onGo?: () => void;
}

function Entry({ item, user, className, narrow = false, onGo }: Entry) {
  const { t } = useT();
  const isHere = isAt(item, useLocation().pathname);
  const count = useCount(item, user);
  const link = (
    <Link
      to={item.path}
      className={className}
      aria-current={isHere ? "page" : undefined}
      data-nav=""
      onClick={onGo}
    >
      {item.icon}
      <span className={narrow ? "only-heard" : "nav-word"}>{t(item.title)}</span>
      <Count count={count} />
    </Link>
  );
  return narrow ? (
    <Tooltip title={t(item.title)} placement="right">
      {link}
    </Tooltip>
  ) : (
    link
  );
}

/** Up and down, Home and End go through the menu; left and right close and open the section that has the focus. */
function onMenuKey(event: KeyboardEvent<HTMLElement>) {
  const held = (event.target as HTMLElement).closest<HTMLElement>("[data-nav]");
  if (!held || event.altKey || event.ctrlKey || event.metaKey) return;
  const open = held.getAttribute("aria-expanded");
  const turn =
    (open === "true" && event.key === "ArrowLeft") || (open === "false" && event.key === "ArrowRight");
  if (turn) {
    event.preventDefault();
    held.click();
    return;
  }
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-nav]")];
  const next = neighbour(all, all.indexOf(held), event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** A section; closed, it shows the page that one is on and no other. */
function Section({
  section,
  items,
  narrow,
  open,
  onToggle,
  ...entry
}: Menu & {
  section: NavSection;
  narrow: boolean;
  open: boolean;
  onToggle: () => void;
  onGo?: () => void;
}) {
  const { t } = useT();
  const { pathname } = useLocation();
  const title = t(`nav-section.${section}`);
  const id = useId();
  const shown = open || narrow ? items : items.filter((item) => isAt(item, pathname));
  return (
    <li className="nav-section">
      {!narrow && (
        <button
          type="button"
          className="nav-section-title"
          aria-expanded={open}
          aria-controls={id}
          data-nav=""
          onClick={onToggle}
        >
          <span>{title}</span>
          <DownOutlined className="nav-section-mark" aria-hidden />
        </button>
      )}
      <ul id={id} className="plain-list" aria-label={title}>
        {shown.map((item) => (
          <li key={item.path}>
            <Entry item={item} className="nav-link" narrow={narrow} {...entry} />
          </li>
        ))}
      </ul>
    </li>
  );
}

function Sections({ items, user, narrow = false, onGo }: Menu & { narrow?: boolean; onGo?: () => void }) {
  const { isOpen, toggle } = useRailShape();
  const { pathname } = useLocation();
  const list = useRef<HTMLUListElement>(null);
  // A long menu on a low screen: the page that one is on is in sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked for anew on every page
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView?.({ block: "nearest" });
  }, [pathname]);
  return (
    <ul ref={list} className="nav-sections plain-list">
      {sectionsOf(items).map((each) => (
        <Section
          key={each.section}
          {...each}
          user={user}
          narrow={narrow}
          open={isOpen(each.section)}
          onToggle={() => toggle(each.section)}
          onGo={onGo}
        />
      ))}
    </ul>
  );
}

/** The menu at the side; Escape gives the keyboard to the page. */
export function Rail(menu: Menu) {
  const { t } = useT();
  const { isNarrow, setNarrow } = useRailShape();
  const word = t(isNarrow ? "nav.wide" : "nav.narrow");
  return (
    <nav
      className={isNarrow ? "rail rail-narrow" : "rail"}
      aria-label={t("nav.main")}
      onKeyDown={(event) => {
        if (event.key === "Escape") document.getElementById("content")?.focus();
        else onMenuKey(event);
      }}
    >
      <Sections {...menu} narrow={isNarrow} />
      <button
        type="button"
        className="nav-link rail-shape"
        aria-label={word}
        title={word}
        data-nav=""
        data-testid="rail-shape"
        onClick={() => setNarrow(!isNarrow)}
      >
        {isNarrow ? <DoubleRightOutlined /> : <DoubleLeftOutlined />}
        {!isNarrow && <span className="nav-word">{word}</span>}
      </button>
    </nav>
  );
}

/** A phone's menu: the pages most used at the bottom, all of them in a drawer. */
export function BottomBar({ items, user }: Menu) {
  const { t } = useT();
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <nav className="bar" aria-label={t("nav.main")}>
        {barItems(items, BAR_PLACES_MAX).map((item) => (
          <Entry key={item.path} item={item} user={user} className="bar-link" />
        ))}
        <button
          type="button"
          className="bar-link"
          data-testid="menu"
          aria-haspopup="dialog"
          aria-expanded={open}
          onClick={() => setOpen(true)}
        >
          <MenuOutlined />
          <span className="nav-word">{t("nav.menu")}</span>
        </button>
      </nav>
      <Drawer
        placement="right"
        size={288}
        open={open}
        onClose={close}
        title={t("nav.menu")}
        rootClassName="menu-drawer"
      >
        <nav aria-label={t("nav.main")} onKeyDown={onMenuKey}>
          <Sections items={items} user={user} onGo={close} />
        </nav>
      </Drawer>
    </>
  );
}
