/** Toolbar and keyboard offer the same actions, and only those that are permitted and possible. */
import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { show, userWith } from "../test-tools.tsx";
import { type Action, ActionBar, available, useActionKeys } from "./actions.tsx";

interface Context {
  open: boolean;
  done: (name: string) => void;
}
const action = (name: string, more: Partial<Action<Context>>): Action<Context> => ({
  name,
  title: "alert.acknowledge",
  permission: "alert.acknowledge",
  predicate: () => true,
  perform: ({ done }) => done(name),
  ...more,
});
const actions = [
  action("acknowledge", { shortcut: "a" }),
  action("close", { title: "word.close", shortcut: "x", predicate: ({ open }) => open }),
  action("remove", { title: "device.remove", permission: "device.manage", shortcut: "r" }),
  action("run", { title: "sql.run", permission: null, shortcut: "mod+enter" }),
];

function Page({ context }: { context: Context }) {
  useActionKeys(actions, context);
  return (
    <>
      <ActionBar actions={actions} context={context} />
      <input aria-label="field" />
    </>
  );
}

describe("actions", () => {
  it("offers what the permission and the predicate allow", () => {
    const names = (user: ReturnType<typeof userWith> | null, open: boolean) =>
      available(actions, { open, done: () => {} }, user).map((a) => a.name);
    expect(names(userWith(["alert.acknowledge"]), true)).toEqual(["acknowledge", "close", "run"]);
    expect(names(userWith(["device.manage"]), false)).toEqual(["remove", "run"]);
    expect(names(null, true)).toEqual(["run"]);
  });

  it("performs by button and by key, but leaves a field its letters", async () => {
    const done = vi.fn();
    show(<Page context={{ open: false, done }} />, { user: userWith(["alert.acknowledge"]) });
    fireEvent.click(screen.getByRole("button", { name: /Acknowledge/ }));
    await vi.waitFor(() => expect(done).toHaveBeenLastCalledWith("acknowledge"));
    fireEvent.keyDown(window.document.body, { key: "A" });
    await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(2));
    fireEvent.keyDown(window.document.body, { key: "x" });
    fireEvent.keyDown(window.document.body, { key: "r" });
    fireEvent.keyDown(screen.getByLabelText("field"), { key: "a" });
    expect(done).toHaveBeenCalledTimes(2);
    fireEvent.keyDown(screen.getByLabelText("field"), { key: "Enter", ctrlKey: true });
    await vi.waitFor(() => expect(done).toHaveBeenLastCalledWith("run"));
  });

  it("shows why an action failed", async () => {
    const failing = [
      action("fail", { permission: null, perform: () => Promise.reject(new Error("the gate is stuck")) }),
    ];
    show(<ActionBar actions={failing} context={{ open: true, done: () => {} }} />);
    fireEvent.click(screen.getByRole("button"));
    expect(await screen.findByText("the gate is stuck")).toBeTruthy();
  });
});
