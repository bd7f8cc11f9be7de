/** Policies as a person reads them: what each is for, whether it permits, where it comes from; its text on opening. */
import { Collapse, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import type { PolicySource, PolicyStated, Seen } from "../../lib/types.ts";
import { CopyButton } from "../../ui/tags.tsx";

const SOURCE_COLOURS: Record<PolicySource, string> = {
  program: "default",
  pack: "blue",
  profile: "purple",
  city: "cyan",
};
export const SOURCES = Object.keys(SOURCE_COLOURS) as PolicySource[];

const SEEN_COLOURS: Record<Seen, string> = { hidden: "red", masked: "orange", shown: "green" };

/** How far a value may be seen. */
export function SeenTag({ seen }: { seen: Seen }) {
  const { t } = useT();
  return (
    <Tag color={SEEN_COLOURS[seen]} style={{ marginInlineEnd: 0 }}>
      {t(`policy-seen.${seen}`)}
    </Tag>
  );
}

/** An act by its title, and by its word where the two are not the same. */
export function useActTitle() {
  const { t } = useT();
  return (act: string) => {
    const key = keyOf("policy-act", act);
    return key ? `${t(key)} ${act}` : act;
  };
}

export function PolicyList({ policies }: { policies: PolicyStated[] }) {
  const { t, p } = useT();
  return (
    <Collapse
      size="small"
      className="policy-list"
      items={policies.map((policy) => ({
        key: policy.id,
        label: (
          <span className="policy-head" data-testid="policy">
            <Tag color={policy.permits ? "green" : "red"}>
              {t(policy.permits ? "policy.permits" : "policy.forbids")}
            </Tag>
            <strong>{p(policy.zh, policy.en) || <code>{policy.id}</code>}</strong>
            <Tag color={SOURCE_COLOURS[policy.source]}>{t(`policy-source.${policy.source}`)}</Tag>
            {(policy.zh || policy.en) && <code className="quiet">{policy.id}</code>}
          </span>
        ),
        children: (
          <>
            <CopyButton text={policy.text} />
            <pre className="raw">{policy.text}</pre>
          </>
        ),
      }))}
    />
  );
}
