/** Policies: what holds, what the city adds of its own, and why somebody may see something or may not. */
import "./policy.css";
import { Tabs } from "antd";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { CityTab } from "./city.tsx";
import { HeldTab } from "./held.tsx";
import { WhyTab } from "./why.tsx";

const TABS = ["held", "city", "why"] as const;
type Tab = (typeof TABS)[number];

export function Page() {
  const { t } = useT();
  const [parameters, setParameters] = useSearchParams();
  const tab: Tab = TABS.find((name) => name === parameters.get("tab")) ?? "held";
  const contents: Record<Tab, React.ReactNode> = {
    held: <HeldTab />,
    city: <CityTab active={tab === "city"} />,
    why: <WhyTab active={tab === "why"} />,
  };
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("policy.title")}</h1>
        <span className="quiet">{t("policy.about")}</span>
      </header>
      <Tabs
        activeKey={tab}
        onChange={(name) =>
          setParameters((before) => {
            const next = new URLSearchParams(before);
            next.set("tab", name);
            return next;
          })
        }
        items={TABS.map((name) => ({ key: name, label: t(`policy.tab-${name}`), children: contents[name] }))}
      />
    </div>
  );
}
