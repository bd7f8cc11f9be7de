/** A contact's number is shown whole for a purpose alone, and stays masked where the policies say so. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve, show } from "../../test-tools.tsx";
import { RevealContact } from "./reveal.tsx";

const contact = {
  id: 4,
  organisation: "command-centre",
  name: "赵工",
  unit: "省水文中心",
  title: "",
  phone: "139****1234",
};
const CONTACTS = "GET /api/v1/duty/contacts";
const city = { purposes: [{ id: "emergency", title_zh: "应急处置", title_en: "Emergency" }] };

async function choose() {
  fireEvent.click(await screen.findByLabelText("Emergency"));
  fireEvent.click(screen.getByTestId("contact-reveal"));
}

describe("a contact's number", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is asked for with a purpose, of this contact alone", async () => {
    const whole = { ...contact, phone: "13900001234" };
    const calls = serve({ "GET /api/v1/city": city, [CONTACTS]: { items: [whole] } });
    show(<RevealContact contact={contact} onClose={vi.fn()} />);
    fireEvent.click(await screen.findByTestId("contact-reveal"));
    expect(await screen.findByText("Choose the purpose")).toBeTruthy();
    expect(calls.some((call) => call.path.includes("/contacts"))).toBe(false);
    await choose();
    await waitFor(() => expect(screen.getByTestId("contact-whole").textContent).toBe("13900001234"));
    const asked = calls.find((call) => call.path.includes("/contacts"))?.path;
    expect(asked).toContain("id=4");
    expect(asked).toContain("purpose=emergency");
  });

  it("stays masked where the policies say so, and says that", async () => {
    serve({ "GET /api/v1/city": city, [CONTACTS]: { items: [contact] } });
    show(<RevealContact contact={contact} onClose={vi.fn()} />);
    await choose();
    expect(await screen.findByText(/By the policies/)).toBeTruthy();
    expect(screen.queryByTestId("contact-whole")).toBeNull();
  });
});
