/** The monthly dispatch (月调度): what was stated for a month, and who has not. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Card, DatePicker } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { ProjectMonth, ProjectReportState } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { ReportTag, UnitName } from "./marks.tsx";
import { photoWord } from "./photos.tsx";
import { monthQuery, photoSmallUrl, projectPath } from "./queries.ts";

/** Those that are missing come first. */
const ORDER: ProjectReportState[] = ["missing", "open", "late", "in_time"];

/** A month as an address names it; null when it is none. */
const monthOf = (text: string | null) => (text && /^\d{4}-(0[1-9]|1[0-2])$/.test(text) ? text : null);

export function Months() {
  const { t } = useT();
  const asked = useSearchParams()[0].get("month");
  // A link may lead to the dispatch of a month.
  const [month, setMonth] = useState(() => dayjs(monthOf(asked) ?? undefined).startOf("month"));
  const found = useQuery(monthQuery(month.format("YYYY-MM")));
  return (
    <>
      <DatePicker
        picker="month"
        allowClear={false}
        aria-label={t("project.month")}
        value={month}
        onChange={(value) => value && setMonth(value.startOf("month"))}
        style={{ alignSelf: "flex-start" }}
      />
      <Loaded query={found}>{(body) => <Month body={body} />}</Loaded>
    </>
  );
}

function Month({ body }: { body: ProjectMonth }) {
  const { t, p } = useT();
  const items = [...body.items].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const without = items.filter(({ report }) => report === null).length;
  return (
    <>
      <p className="quiet" style={{ margin: 0 }}>
        {t("project.month-due", { due: body.due })} · {t("project.month-count", { n: items.length, without })}
      </p>
      {items.length === 0 && <Nothing title={t("project.month-none")} mend={t("project.month-none-mend")} />}
      {items.map((item) => (
        <Card
          key={item.id}
          size="small"
          data-testid="project-month"
          title={<Link to={projectPath(item.id)}>{p(item.name_zh, item.name_en)}</Link>}
          extra={<ReportTag state={item.state} />}
        >
          <UnitName unit={item.organisation} />
          {item.photo && (
            <Link className="project-photo-month-newest" to={projectPath(item.id)}>
              <img
                src={photoSmallUrl(item.id, item.photo.id)}
                alt={photoWord(item.photo, t)}
                loading="lazy"
              />
              <span className="quiet">{t("project-photo.newest", { photo: photoWord(item.photo, t) })}</span>
            </Link>
          )}
          {item.report && (
            <dl className="project-facts">
              <dt>{t("project.progress")}</dt>
              <dd>{item.report.progress}</dd>
              <dt>{t("project.problems")}</dt>
              <dd>{item.report.problems || t("project.problems-none")}</dd>
              <dt>{t("project.stated")}</dt>
              <dd>
                {item.report.by} · <Time at={item.report.at} />
              </dd>
            </dl>
          )}
        </Card>
      ))}
      {body.nobody.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("project.month-nobody", { n: body.nobody.length })}
          description={
            <ul className="project-rows">
              {body.nobody.map(({ id, name_zh, name_en }) => (
                <li key={id}>
                  <Link to={projectPath(id)}>{p(name_zh, name_en)}</Link>
                </li>
              ))}
            </ul>
          }
        />
      )}
    </>
  );
}
