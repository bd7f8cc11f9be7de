/** The figure of the plan that a case is about: what was claimed, and what was measured. */
import { useQuery } from "@tanstack/react-query";
import { Card } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import { claimOfCaseQuery } from "./queries.ts";

export function ClaimCard({ caseId }: { caseId: number }) {
  const { t, p } = useT();
  const [claim] = useQuery(claimOfCaseQuery(caseId)).data?.items ?? [];
  if (!claim) return null;
  return (
    <Card size="small" title={t("reports.of-claim")} data-testid="claim-card">
      <Link to={`/plan/${encodeURIComponent(claim.indicator_id)}`}>{p(claim.name_zh, claim.name_en)}</Link>{" "}
      {claim.period} · {t("reports.claimed")} <strong>{number(claim.claimed)}</strong> ·{" "}
      {t("reports.measured")} <strong>{number(claim.measured)}</strong>
    </Card>
  );
}
