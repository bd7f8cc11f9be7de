/**
 * Charging for drivers (我要充电), made for a phone: find a place, scan a point's code, start, watch, stop, pay, complain,
 * reserve, ask for an invoice. Each part has its own address under /charge; `embed=1` leaves the console out (`lib/embed.ts`).
 */
import "./charge.css";
import {
  CalendarOutlined,
  CarOutlined,
  EnvironmentOutlined,
  FileTextOutlined,
  ScanOutlined,
} from "@ant-design/icons";
import { lazy, type ReactNode, Suspense } from "react";
import { Route, Routes, useLocation } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { isEmbedded } from "../../lib/embed.ts";
import { LanguageSwitch } from "../../shell/shell.tsx";
import { Loading, Nothing } from "../../ui/states.tsx";
import { Find } from "./find-page.tsx";
import { Invoices } from "./invoices.tsx";
import { To } from "./marks.tsx";
import { Orders } from "./orders.tsx";
import { PlacePage } from "./place.tsx";
import { Reservations } from "./reservations.tsx";
import { ReservePage } from "./reserve.tsx";
import { Scan } from "./scan.tsx";
import { StartPage } from "./start.tsx";

// The chart of the meter is only wanted there.
const OrderPage = lazy(async () => ({ default: (await import("./order.tsx")).OrderPage }));

interface Part {
  path: string;
  title: Key;
  icon: ReactNode;
  /** Ways below the part. */
  below: string[];
}

const PARTS: Part[] = [
  {
    path: "/charge",
    title: "charge-part.find",
    icon: <EnvironmentOutlined />,
    below: ["/charge/places/"],
  },
  { path: "/charge/scan", title: "charge-part.scan", icon: <ScanOutlined />, below: ["/charge/at/"] },
  { path: "/charge/orders", title: "charge-part.orders", icon: <CarOutlined />, below: ["/charge/orders/"] },
  {
    path: "/charge/reservations",
    title: "charge-part.reservations",
    icon: <CalendarOutlined />,
    below: ["/charge/reserve/"],
  },
  { path: "/charge/invoices", title: "charge-part.invoices", icon: <FileTextOutlined />, below: [] },
];

export function Page() {
  const { t } = useT();
  const isAlone = isEmbedded(useLocation().search);
  return (
    <div className={isAlone ? "page charge charge-alone" : "page charge"}>
      <header className="page-head">
        <h1>{t("charge.title")}</h1>
        <span className="charge-grow" />
        {isAlone && <LanguageSwitch light />}
      </header>
      <Parts />
      <Suspense fallback={<Loading tall />}>
        <Routes>
          <Route index element={<Find />} />
          <Route path="places/:id" element={<PlacePage />} />
          <Route path="scan" element={<Scan />} />
          <Route path="at/:station/:outlet" element={<StartPage />} />
          <Route path="orders" element={<Orders />} />
          <Route path="orders/:id" element={<OrderPage />} />
          <Route path="reservations" element={<Reservations />} />
          <Route path="invoices" element={<Invoices />} />
          <Route path="reserve/:station/:outlet" element={<ReservePage />} />
          <Route path="*" element={<Nothing title={t("state.missing-page")} />} />
        </Routes>
      </Suspense>
    </div>
  );
}

function Parts() {
  const { t } = useT();
  const { pathname } = useLocation();
  return (
    <nav className="charge-parts-bar" aria-label={t("charge.parts")}>
      {PARTS.map(({ path, title, icon, below }) => {
        const isHere = pathname === path || below.some((one) => pathname.startsWith(one));
        return (
          <To key={path} to={path} className="charge-part" aria-current={isHere ? "page" : undefined}>
            {icon}
            <span>{t(title)}</span>
          </To>
        );
      })}
    </nav>
  );
}
