/** The policies that hold, from wherever they come, to be searched and opened. */
import { useQuery } from "@tanstack/react-query";
import { Button, Input, Select } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import type { PolicyStated } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { PolicyList, SOURCES } from "./policies.tsx";
import { policiesQuery } from "./queries.ts";

/** Policies shown at first, and added each time more are asked for. */
const STEP = 100;

export function HeldTab() {
  const { t } = useT();
  const held = useQuery(policiesQuery);
  const [parameters, change] = useAddress();
  const [shown, setShown] = useState(STEP);
  const text = parameters.get("q") ?? "";
  const source = parameters.get("source");
  const set = (name: string, value: string | undefined) => {
    setShown(STEP);
    change({ [name]: value });
  };
  return (
    <Loaded query={held} tall>
      {({ policies, version }) => {
        const found = policies.filter(
          (policy) => (!source || policy.source === source) && says(policy, text.trim().toLowerCase()),
        );
        return (
          <section className="stack">
            <div className="toolbar">
              <Input.Search
                allowClear
                value={text}
                placeholder={t("policy.search")}
                aria-label={t("policy.search")}
                maxLength={200}
                className="policy-search"
                onChange={(event) => set("q", event.target.value)}
              />
              <Select
                allowClear
                value={source ?? undefined}
                placeholder={t("policy.source")}
                aria-label={t("policy.source")}
                className="policy-source"
                onChange={(value?: string) => set("source", value)}
                options={SOURCES.map((value) => ({ value, label: t(`policy-source.${value}`) }))}
              />
              <span className="quiet">
                {t("list.count", { n: found.length })}
                {version > 0 && ` · ${t("policy.version", { version })}`}
              </span>
            </div>
            {found.length === 0 ? (
              <Nothing
                title={t("policy.none")}
                mend={policies.length > 0 ? t("policy.none-mend") : undefined}
              />
            ) : (
              <PolicyList policies={found.slice(0, shown)} />
            )}
            {found.length > shown && (
              <div className="more">
                <Button onClick={() => setShown(shown + STEP)}>{t("list.more")}</Button>
              </div>
            )}
          </section>
        );
      }}
    </Loaded>
  );
}

function says(policy: PolicyStated, text: string): boolean {
  return [policy.zh, policy.en, policy.id, policy.text].some((part) => part?.toLowerCase().includes(text));
}
