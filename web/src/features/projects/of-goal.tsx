/** On an indicator's page: the key projects that serve it; nothing for whom they are not, or when there are none. */
import { useQuery } from "@tanstack/react-query";
import { Card } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { can, useUser } from "../../lib/session.ts";
import { StatusTag, UnitName } from "./marks.tsx";
import { projectPath, projectsQuery } from "./queries.ts";
import "./projects.css";

export function ProjectsOfGoal({ id }: { id: string }) {
  const { t, p } = useT();
  const user = useUser();
  const wanted = { plan_box: "", organisation: "", status: "", indicator: id, q: "" };
  const found = useQuery({ ...projectsQuery(wanted), enabled: can(user, "project.read") });
  const items = found.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Card size="small" title={t("project.of-goal")}>
      <ul className="project-rows">
        {items.map((item) => (
          <li key={item.id}>
            <Link to={projectPath(item.id)}>{p(item.name_zh, item.name_en)}</Link>
            <StatusTag status={item.status} />
            <span className="quiet">
              <UnitName unit={item.organisation} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
