/** Rows are walked with the arrows and opened with Enter; a dialog that is gone gives the keyboard back. */
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { openableRow, useFocusBack } from "./keyboard.ts";

describe("rows that open", () => {
  it("open by click, Enter and space, and say whether a key did it", () => {
    const open = vi.fn();
    render(
      <ul>
        <li {...openableRow(open)}>
          one <button type="button">own key</button>
        </li>
      </ul>,
    );
    const row = screen.getByText("one");
    fireEvent.click(row);
    fireEvent.keyDown(row, { key: "Enter" });
    fireEvent.keyDown(row, { key: " " });
    fireEvent.keyDown(screen.getByRole("button"), { key: "Enter" });
    expect(open.mock.calls).toEqual([[false], [true], [true]]);
  });

  it("are walked with the arrows, Home and End", () => {
    render(
      <ul>
        {["one", "two", "three"].map((word) => (
          <li key={word} {...openableRow(() => {})}>
            {word}
          </li>
        ))}
      </ul>,
    );
    screen.getByText("one").focus();
    const held = () => document.activeElement?.textContent;
    const press = (key: string) => fireEvent.keyDown(document.activeElement as Element, { key });
    press("ArrowDown");
    expect(held()).toBe("two");
    press("End");
    expect(held()).toBe("three");
    press("ArrowDown");
    expect(held()).toBe("three");
    press("Home");
    expect(held()).toBe("one");
  });
});

function Dialog() {
  useFocusBack();
  return <input aria-label="inside" />;
}

function Page({ keepOpener }: { keepOpener: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <main id="content" tabIndex={-1}>
      {(keepOpener || !open) && (
        <button type="button" onClick={() => setOpen(true)}>
          opener
        </button>
      )}
      {open && <Dialog />}
      <button type="button" onMouseDown={() => setOpen(false)}>
        closer
      </button>
    </main>
  );
}

describe("a dialog that is taken away", () => {
  it.each([
    [true, "button"],
    [false, "main"],
  ])("gives the keyboard back (its opener is still there: %s)", async (keepOpener, to) => {
    render(<Page keepOpener={keepOpener} />);
    screen.getByText("opener").focus();
    fireEvent.click(screen.getByText("opener"));
    screen.getByLabelText("inside").focus();
    fireEvent.mouseDown(screen.getByText("closer"));
    await waitFor(() => expect(document.activeElement?.tagName.toLowerCase()).toBe(to));
  });
});
