/** The menu: its sections by what a person may do, the keyboard in it, and a phone's bar with its drawer. */
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { Route, Routes } from "react-router";
import { beforeEach, expect, test } from "vitest";
import type { User } from "../lib/types.ts";
import { serve, show, userWith } from "../test-tools.tsx";
import { barItems, NAV, navFor, sectionsOf } from "./navigation.tsx";
import { BottomBar, Rail } from "./rail.tsx";

const DUTY = userWith(["entity.read", "alert.read", "case.read", "indicator.read", "approval.decide"]);

beforeEach(() => {
  localStorage.clear();
  serve({
    "GET /api/v1/alerts*": { items: [], next: null },
    "GET /api/v1/approvals*": { items: [], next: null },
  });
});

function showRail(user: User, path: string) {
  return show(
    <Routes>
      <Route
        path="*"
        element={
          <>
            <Rail items={navFor(user)} user={user} />
            <main id="content" tabIndex={-1} />
          </>
        }
      />
    </Routes>,
    { user, path },
  );
}

const link = (name: RegExp) => screen.getByRole("link", { name });

test("a person sees the sections in which there is a page for them, and no other", () => {
  showRail(userWith(["audit.read"], "auditor"), "/");
  expect(screen.getAllByRole("button", { expanded: true }).map((b) => b.textContent)).toEqual([
    "Situation",
    "Administration",
  ]);
  expect(screen.getAllByRole("link").map((a) => a.getAttribute("href"))).toEqual(["/", "/audit"]);
});

test("every page is in one section, and none is lost on the way there", () => {
  const listed = sectionsOf(NAV).flatMap(({ items }) => items);
  expect(listed).toEqual(NAV);
  expect(new Set(NAV.map(({ path }) => path)).size).toBe(NAV.length);
});

test.each([
  ["/", "/"],
  ["/systems/water", "/"],
  ["/cases/12", "/cases"],
  ["/planning", null],
])("at %s the page %s is the current one", (path, href) => {
  showRail(DUTY, path);
  const current = screen.getAllByRole("link").filter((a) => a.getAttribute("aria-current") === "page");
  expect(current.map((a) => a.getAttribute("href"))).toEqual(href ? [href] : []);
});

test("arrows, Home and End go through the menu, Escape gives the keyboard to the page", () => {
  showRail(DUTY, "/map");
  const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key });
  act(() => link(/Map/).focus());
  press("ArrowDown");
  expect(document.activeElement).toBe(link(/Wall/));
  press("ArrowUp");
  press("ArrowUp");
  expect(document.activeElement).toBe(link(/Overview/));
  press("Home");
  expect(document.activeElement?.textContent).toBe("Situation");
  press("End");
  expect(document.activeElement).toBe(screen.getByTestId("rail-shape"));
  press("Escape");
  expect(document.activeElement?.id).toBe("content");
});

test("a closed section still shows the page that one is on, and stays closed", () => {
  const first = showRail(DUTY, "/map");
  act(() => screen.getByRole("button", { name: "Situation" }).focus());
  fireEvent.keyDown(document.activeElement ?? document.body, { key: "ArrowLeft" });
  expect(link(/Map/)).toBeTruthy();
  expect(screen.queryByRole("link", { name: /Wall/ })).toBeNull();
  first.unmount();
  showRail(DUTY, "/alerts");
  expect(screen.queryByRole("link", { name: /Map/ })).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Situation" }));
  expect(link(/Wall/)).toBeTruthy();
});

test("narrow, the menu keeps its words for who hears it", () => {
  showRail(DUTY, "/map");
  fireEvent.click(screen.getByTestId("rail-shape"));
  expect(screen.queryByText("Situation")).toBeNull();
  expect(link(/Map/).querySelector(".only-heard")?.textContent).toBe("Map");
  expect(JSON.parse(localStorage.getItem("jingling.menu") ?? "{}").narrow).toBe(true);
  fireEvent.click(screen.getByTestId("rail-shape"));
  expect(screen.getByText("Situation")).toBeTruthy();
});

test("a phone's bar has the most used pages; the drawer has all, and goes when one is chosen", async () => {
  show(<BottomBar items={navFor(DUTY)} user={DUTY} />, { user: DUTY, path: "/alerts" });
  expect(screen.getAllByRole("link").map((a) => a.getAttribute("href"))).toEqual([
    "/",
    "/map",
    "/alerts",
    "/cases",
  ]);
  fireEvent.click(screen.getByTestId("menu"));
  const drawer = within(await screen.findByRole("dialog"));
  expect(drawer.getAllByRole("link").length).toBe(navFor(DUTY).length);
  fireEvent.click(drawer.getByRole("link", { name: /Rules/ }));
  await waitFor(() => expect(screen.getByTestId("menu").getAttribute("aria-expanded")).toBe("false"));
});

test("a bar whose person has few of the pages wanted there is filled with others", () => {
  const auditor = navFor(userWith(["audit.read", "security.read", "organisation.read"], "auditor"));
  expect(barItems(auditor, 4).map(({ path }) => path)).toEqual(["/", "/organisation", "/audit", "/security"]);
});
