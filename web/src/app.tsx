/** Puts together language, theme, data and routes. Pages are loaded when they are first visited. */
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { App as AntApp, ConfigProvider, type ThemeConfig } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { createBrowserRouter, Navigate, type RouteObject, RouterProvider, useLocation } from "react-router";
import { Page as SignIn } from "./features/session/page.tsx";
import { LanguageProvider, useT } from "./i18n/index.tsx";
import { ApiError, whenSignedOut } from "./lib/api.ts";
import { giveBack, type Kept } from "./lib/kept.ts";
import { sessionQuery } from "./lib/session.ts";
import type { User } from "./lib/types.ts";
import { firstPage } from "./shell/navigation.tsx";
import { Shell } from "./shell/shell.tsx";
import { Failed, Loading, Nothing } from "./ui/states.tsx";

const theme: ThemeConfig = {
  token: {
    colorPrimary: "#0e6b7c",
    colorPrimaryBg: "#e3f1f3",
    colorPrimaryBgHover: "#d3e8ec",
    colorInfo: "#0e6b7c",
    colorInfoBg: "#eaf4f6",
    colorInfoBorder: "#bcdce1",
    colorLink: "#0b6f8a",
    colorError: "#c9252d",
    colorBgLayout: "#f2f5f6",
    colorTextBase: "#16262c",
    // Hints and counts: the 45 % of the above that is usual cannot be read by everybody (2.75 : 1).
    colorTextDescription: "#5d7078",
    borderRadius: 6,
    fontFamily: "var(--font)",
    fontFamilyCode: "var(--mono)",
  },
  components: {
    Table: { headerBg: "#eef3f4", cellPaddingBlockSM: 7 },
    Card: { headerHeightSM: 42 },
    Menu: { darkItemBg: "transparent", darkItemSelectedBg: "rgba(255,255,255,0.14)" },
  },
};

function page(load: () => Promise<{ Page: React.ComponentType }>) {
  return lazy(async () => ({ default: (await load()).Page }));
}

const OverviewPage = page(() => import("./features/overview/page.tsx"));
const SystemPage = page(() => import("./features/overview/system.tsx"));
const WallPage = page(() => import("./features/wall/page.tsx"));
const ReplayPage = page(() => import("./features/replay/page.tsx"));
const MapPage = page(() => import("./features/map/page.tsx"));
const EntityPage = page(() => import("./features/entity/page.tsx"));
const AlertsPage = page(() => import("./features/alerts/page.tsx"));
const CasesPage = page(() => import("./features/cases/page.tsx"));
const ScoresPage = page(() => import("./features/cases/scores.tsx"));
const CasePage = page(() => import("./features/cases/detail.tsx"));
const FieldPage = page(() => import("./features/field/page.tsx"));
const DispatchPage = page(() => import("./features/dispatch/page.tsx"));
const DutyPage = page(() => import("./features/duty/page.tsx"));
const BulletinsPage = page(() => import("./features/bulletins/page.tsx"));
const ViewsPage = page(() => import("./features/views/page.tsx"));
const RulesPage = page(() => import("./features/rules/page.tsx"));
const RunsPage = page(() => import("./features/runs/page.tsx"));
const RunPage = page(() => import("./features/runs/detail.tsx"));
const ChargePage = page(() => import("./features/charge/page.tsx"));
const ChargingPage = page(() => import("./features/charging/page.tsx"));
const ChargingSessionPage = page(() => import("./features/charging/detail.tsx"));
const SupervisionPage = page(() => import("./features/charging-supervision/page.tsx"));
const DevicesPage = page(() => import("./features/devices/page.tsx"));
const DeadLettersPage = page(() => import("./features/dead-letters/page.tsx"));
const PersonalPage = page(() => import("./features/personal/page.tsx"));
const AuditPage = page(() => import("./features/audit/page.tsx"));
const PolicyPage = page(() => import("./features/policy/page.tsx"));
const ApprovalsPage = page(() => import("./features/approvals/page.tsx"));
const RolesPage = page(() => import("./features/roles/page.tsx"));
const SecurityPage = page(() => import("./features/security/page.tsx"));
const ClientsPage = page(() => import("./features/clients/page.tsx"));
const OrganisationPage = page(() => import("./features/organisation/page.tsx"));
const SqlPage = page(() => import("./features/sql/page.tsx"));
const PlanPage = page(() => import("./features/plan/page.tsx"));
const ReportingPage = page(() => import("./features/plan/reports.tsx"));
const IndicatorPage = page(() => import("./features/plan/detail.tsx"));
const FormsPage = page(() => import("./features/forms/page.tsx"));
const FormPage = page(() => import("./features/forms/detail.tsx"));
const ProjectsPage = page(() => import("./features/projects/page.tsx"));
const ProjectPage = page(() => import("./features/projects/detail.tsx"));
const AccountPage = page(() => import("./features/account/page.tsx"));
const NotificationsPage = page(() => import("./features/notifications/page.tsx"));
const PublicPage = page(() => import("./features/portal/page.tsx"));
const AcknowledgePage = page(async () => ({
  Page: (await import("./features/notifications/acknowledge.tsx")).AcknowledgePage,
}));
const ConsentPage = page(() => import("./features/oidc/page.tsx"));
const DevicePage = page(async () => ({ Page: (await import("./features/oidc/device.tsx")).DevicePage }));
const LogoutPage = page(async () => ({ Page: (await import("./features/oidc/logout.tsx")).LogoutPage }));

function Missing() {
  const { t } = useT();
  return <Nothing title={t("state.missing-page")} />;
}

/** For who may sign in and nothing else yet. */
function NoRights() {
  const { t } = useT();
  return <Nothing title={t("no-rights.title")} mend={t("no-rights.text")} />;
}

const pages: RouteObject[] = [
  { index: true, element: <First /> },
  { path: "systems/:id", element: <SystemPage /> },
  { path: "replay", element: <ReplayPage /> },
  { path: "map", element: <MapPage /> },
  { path: "entities/:id", element: <EntityPage /> },
  { path: "alerts", element: <AlertsPage /> },
  { path: "cases", element: <CasesPage /> },
  { path: "cases/scores", element: <ScoresPage /> },
  { path: "cases/:id", element: <CasePage /> },
  { path: "field", element: <FieldPage /> },
  { path: "dispatch", element: <DispatchPage /> },
  { path: "duty", element: <DutyPage /> },
  { path: "bulletins", element: <BulletinsPage /> },
  { path: "rules", element: <RulesPage /> },
  { path: "runs", element: <RunsPage /> },
  { path: "runs/:id", element: <RunPage /> },
  { path: "views", element: <ViewsPage /> },
  { path: "views/:id", element: <ViewsPage /> },
  { path: "charge/*", element: <ChargePage /> },
  { path: "charging", element: <ChargingPage /> },
  { path: "charging/sessions/:id", element: <ChargingSessionPage /> },
  { path: "charging/supervision", element: <SupervisionPage /> },
  { path: "devices", element: <DevicesPage /> },
  { path: "dead-letters", element: <DeadLettersPage /> },
  { path: "personal", element: <PersonalPage /> },
  { path: "organisation", element: <OrganisationPage /> },
  { path: "clients", element: <ClientsPage /> },
  { path: "audit", element: <AuditPage /> },
  { path: "policy", element: <PolicyPage /> },
  { path: "approvals", element: <ApprovalsPage /> },
  { path: "roles", element: <RolesPage /> },
  { path: "no-rights", element: <NoRights /> },
  { path: "security", element: <SecurityPage /> },
  { path: "sql", element: <SqlPage /> },
  { path: "plan", element: <PlanPage /> },
  { path: "plan/:id", element: <IndicatorPage /> },
  { path: "reporting", element: <ReportingPage /> },
  { path: "forms", element: <FormsPage /> },
  { path: "forms/:id/:division/:period", element: <FormPage /> },
  { path: "projects", element: <ProjectsPage /> },
  { path: "projects/:id", element: <ProjectPage /> },
  { path: "account", element: <AccountPage /> },
  { path: "notifications", element: <NotificationsPage /> },
  { path: "*", element: <Missing /> },
];

const router = createBrowserRouter([
  { path: "/sign-in", element: <SignIn /> },
  { path: "/oidc/authorize", element: <Alone page={ConsentPage} /> },
  { path: "/oidc/device", element: <Alone page={DevicePage} /> },
  { path: "/oidc/logout", element: <Alone page={LogoutPage} /> },
  // The server gives it a first page of its own; whoever has the console's at hand comes here.
  { path: "/public", element: <Alone page={PublicPage} /> },
  { path: "/acknowledge/:token", element: <Alone page={AcknowledgePage} /> },
  {
    path: "/wall",
    element: (
      <SignedIn>
        {(user) => (
          <Suspense fallback={<Loading tall />}>
            <WallPage key={user.id} />
          </Suspense>
        )}
      </SignedIn>
    ),
  },
  { path: "/", element: <SignedIn>{(user) => <Shell user={user} />}</SignedIn>, children: pages },
]);

/** A page without the console around it: whoever comes from another system sees that one thing is asked. */
function Alone({ page: Content }: { page: React.ComponentType }) {
  return (
    <Suspense fallback={<Loading tall />}>
      <Content />
    </Suspense>
  );
}

/** The city at a glance; who may see nothing of it is told so. */
function First() {
  const { data: user } = useQuery(sessionQuery);
  const first = firstPage(user ?? null);
  return first === "/" ? <OverviewPage /> : <Navigate to={first} replace />;
}

/** Shows the pages to who is signed in, and sends everyone else to sign in first. */
function SignedIn({ children }: { children: (user: User) => ReactNode }) {
  const session = useQuery(sessionQuery);
  const location = useLocation();
  if (session.data) return children(session.data);
  if (session.data === null) {
    const from = location.pathname + location.search;
    return <Navigate to="/sign-in" state={from === "/" ? null : { from }} replace />;
  }
  if (session.error) return <Failed error={session.error} retry={() => void session.refetch()} />;
  return <Loading tall />;
}

function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // "Offline" is shown as an error with its mend, not as waiting without an end.
        networkMode: "always",
        // What the server refused stays refused; what did not arrive may arrive.
        retry: (count, error) =>
          count < 2 && error instanceof ApiError && error.passing && error.status !== 429,
        refetchInterval: (query) =>
          query.state.error instanceof ApiError && query.state.error.status === 0 ? 5_000 : false,
      },
    },
  });
}

function Themed() {
  const { language } = useT();
  return (
    <ConfigProvider
      theme={theme}
      locale={language === "zh" ? zhCN : enUS}
      button={{ autoInsertSpace: false }}
    >
      <AntApp notification={{ placement: "bottomRight", maxCount: 3 }} message={{ maxCount: 3 }}>
        <RouterProvider router={router} />
      </AntApp>
    </ConfigProvider>
  );
}

export function App({ kept }: { kept: Kept | null }) {
  const [queryClient] = useState(() => {
    const made = makeQueryClient();
    if (kept) giveBack(made, kept, sessionQuery.queryKey);
    return made;
  });
  useEffect(() => {
    whenSignedOut(() => queryClient.setQueryData(sessionQuery.queryKey, null));
  }, [queryClient]);
  return (
    <QueryClientProvider client={queryClient}>
      <LanguageProvider>
        <Themed />
      </LanguageProvider>
    </QueryClientProvider>
  );
}
