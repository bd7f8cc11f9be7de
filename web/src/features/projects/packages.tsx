/** What the plan office offers to investors (对外推介): packages and lists of scenarios, how each stands, and how everybody would see it. */
import { EditOutlined, GlobalOutlined, RollbackOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Alert, Button, Card, Tag } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { type Action, ActionBar } from "../../lib/actions.tsx";
import type { InvestmentPackage } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { Package as Preview } from "../portal/opportunities.tsx";
import { PackageDialog, PublishDialog, WithdrawDialog } from "./package-dialogs.tsx";
import { packagesQuery } from "./queries.ts";
import "../portal/portal.css";

const COLOURS: Record<InvestmentPackage["state"], string> = {
  draft: "default",
  published: "green",
  expired: "orange",
  withdrawn: "red",
};

type Dialog = "edit" | "publish" | "withdraw";
interface PackageContext {
  one: InvestmentPackage;
  open: (dialog: Dialog) => void;
}

const packageActions: Action<PackageContext>[] = [
  {
    name: "package.edit",
    title: "package.edit",
    permission: "project.manage",
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ open }) => open("edit"),
  },
  {
    name: "package.publish",
    title: "package.publish",
    permission: "project.manage",
    icon: <GlobalOutlined />,
    primary: true,
    predicate: ({ one }) => one.state !== "published" || one.is_changed,
    perform: ({ open }) => open("publish"),
  },
  {
    name: "package.withdraw",
    title: "package.withdraw",
    permission: "project.manage",
    icon: <RollbackOutlined />,
    danger: true,
    predicate: ({ one }) => one.state === "published" || one.state === "expired",
    perform: ({ open }) => open("withdraw"),
  },
];

export function Packages() {
  const { t } = useT();
  const [adding, setAdding] = useState(false);
  const found = useQuery(packagesQuery);
  return (
    <>
      <Loaded query={found}>
        {({ items, is_open, may_manage }) => (
          <>
            {!is_open && <Alert type="info" showIcon title={t("package.closed")} />}
            {may_manage && (
              <Button
                type="primary"
                onClick={() => setAdding(true)}
                style={{ alignSelf: "flex-start" }}
                data-testid="package-add"
              >
                {t("package.add")}
              </Button>
            )}
            {items.length === 0 && <Nothing title={t("package.none")} mend={t("package.none-mend")} />}
            {items.map((one) => (
              <One key={one.id} one={one} isOpen={is_open} />
            ))}
          </>
        )}
      </Loaded>
      {adding && <PackageDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function One({ one, isOpen }: { one: InvestmentPackage; isOpen: boolean }) {
  const { t, p } = useT();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const opened = { one, onClose: () => setDialog(null) };
  return (
    <Card
      size="small"
      data-testid="package-card"
      title={p(one.content.title_zh, one.content.title_en)}
      extra={<Tag color={COLOURS[one.state]}>{t(`package.state-${one.state}`)}</Tag>}
    >
      <p className="package-line">
        {t("package.holds", {
          kind: t(`portal.kind-${one.content.kind}`),
          n: one.content.entries.length,
          day: one.content.valid_until ?? "—",
        })}
      </p>
      <p className="quiet package-line">
        {one.edition > 0 && one.published_at && (
          <>
            {t("package.edition", { n: one.edition })} · {one.published_by} · <Time at={one.published_at} />
            {" · "}
          </>
        )}
        {t("project.changed")} {one.changed_by} · <Time at={one.changed_at} />
      </p>
      {one.is_changed && <Alert type="warning" showIcon title={t("package.unpublished")} />}
      {one.withdrawn_why && (
        <p>{t("package.withdrawn", { by: one.withdrawn_by ?? "", why: one.withdrawn_why })}</p>
      )}
      <div className="package-actions">
        <ActionBar actions={packageActions} context={{ one, open: setDialog }} />
        {isOpen && one.state === "published" && (
          <a href="/public#opportunities" className="package-link">
            {t("package.to-portal")}
          </a>
        )}
      </div>
      <details>
        <summary>{t("package.preview")}</summary>
        <div className="portal portal-preview">
          <Preview shown={one.preview} speech={{ t, p }} />
        </div>
      </details>
      {dialog === "edit" && <PackageDialog {...opened} />}
      {dialog === "publish" && <PublishDialog {...opened} />}
      {dialog === "withdraw" && <WithdrawDialog {...opened} />}
    </Card>
  );
}
