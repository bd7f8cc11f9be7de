/**
 * What a person can do, described once: toolbar, menu and keyboard all use the same Action, so that a
 * permission or a condition cannot differ between them.
 */
import { App, Button, type ButtonProps, Tooltip } from "antd";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useT } from "../i18n/index.tsx";
import type { Key } from "../i18n/words.ts";
import { errorText } from "../ui/states.tsx";
import { can, useUser } from "./session.ts";
import type { User } from "./types.ts";

export interface Action<Context> {
  /** Stable name, e.g. `alert.acknowledge`. */
  name: string;
  title: Key;
  /** The permission that the server will ask for; null when being signed in is enough. */
  permission: string | null;
  icon?: ReactNode;
  /** Shown in red and confirmed by the page that performs it. */
  danger?: boolean;
  primary?: boolean;
  /** One key, lower case, that performs it while its page is open; `mod+enter` for Ctrl or Cmd. */
  shortcut?: string;
  /** Whether it makes sense now. */
  predicate(context: Context): boolean;
  perform(context: Context): unknown | Promise<unknown>;
}

/** The actions that this person may perform now. */
export function available<C>(actions: readonly Action<C>[], context: C, user: User | null): Action<C>[] {
  return actions.filter((a) => (a.permission === null || can(user, a.permission)) && a.predicate(context));
}

/** Performs an action; what goes wrong is shown. */
export function usePerform() {
  const { message } = App.useApp();
  const { t } = useT();
  return async <C,>(action: Action<C>, context: C) => {
    try {
      await action.perform(context);
    } catch (error) {
      message.error(errorText(error, t), 6);
    }
  };
}

export function ActionButton<C>({
  action,
  context,
  iconOnly,
  ...rest
}: { action: Action<C>; context: C; iconOnly?: boolean } & Omit<ButtonProps, "action">) {
  const { t } = useT();
  const perform = usePerform();
  const [busy, setBusy] = useState(false);
  const hint = action.shortcut ? `${t(action.title)} (${action.shortcut.toUpperCase()})` : t(action.title);
  const button = (
    <Button
      icon={action.icon}
      danger={action.danger}
      type={action.primary ? "primary" : "default"}
      loading={busy}
      data-action={action.name}
      aria-label={iconOnly ? t(action.title) : undefined}
      {...rest}
      onClick={async (event) => {
        event.stopPropagation();
        setBusy(true);
        await perform(action, context);
        setBusy(false);
      }}
    >
      {iconOnly ? null : t(action.title)}
    </Button>
  );
  return iconOnly || action.shortcut ? <Tooltip title={hint}>{button}</Tooltip> : button;
}

/** Buttons for all actions that are possible now. */
export function ActionBar<C>({
  actions,
  context,
  size,
}: {
  actions: readonly Action<C>[];
  context: C;
  size?: ButtonProps["size"];
}) {
  const user = useUser();
  const shown = available(actions, context, user);
  // Two main buttons side by side would be none.
  const main = shown.find((action) => action.primary);
  return (
    <>
      {shown.map((action) => (
        <ActionButton
          key={action.name}
          action={action === main ? action : { ...action, primary: false }}
          context={context}
          size={size}
        />
      ))}
    </>
  );
}

/** The keyboard's way to the same actions. Keys typed into a field are left to the field. */
export function useActionKeys<C>(actions: readonly Action<C>[], context: C | null) {
  const user = useUser();
  const perform = usePerform();
  const latest = useRef({ actions, context, user, perform });
  latest.current = { actions, context, user, perform };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const now = latest.current;
      const pressed = shortcutOf(event);
      // An editor keeps a key with Ctrl from making a line of it, and leaves the rest to the page.
      const taken = event.defaultPrevented && !pressed.startsWith("mod+");
      if (now.context === null || taken) return;
      const target = event.target as HTMLElement;
      const typing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (typing && !pressed.startsWith("mod+")) return;
      const hit = available(now.actions, now.context, now.user).find((a) => a.shortcut === pressed);
      if (!hit) return;
      event.preventDefault();
      void now.perform(hit, now.context);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function shortcutOf(event: KeyboardEvent): string {
  if (event.altKey) return "";
  return `${event.ctrlKey || event.metaKey ? "mod+" : ""}${event.key.toLowerCase()}`;
}
