/** Reads key projects, their months and the assessment; keeps them. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  ProjectAssessment,
  ProjectChange,
  ProjectDetail,
  ProjectDraft,
  ProjectMonth,
  Projects,
} from "../../lib/types.ts";

const PROJECTS = "/api/v1/projects";

/** Which projects are shown; empty: all. */
export interface Wanted {
  plan_box: string;
  organisation: string;
  status: string;
  indicator: string;
  q: string;
}

const one = (id: string) => `${PROJECTS}/${encodeURIComponent(id)}`;

export const projectPath = (id: string) => `/projects/${encodeURIComponent(id)}`;

export const projectsQuery = (wanted: Wanted) =>
  queryOptions({
    queryKey: ["projects", "list", wanted],
    queryFn: ({ signal }) => get<Projects>(`${PROJECTS}${query({ ...wanted })}`, signal),
  });

export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: ["projects", "one", id],
    queryFn: ({ signal }) => get<ProjectDetail>(one(id), signal),
  });

export const monthQuery = (month: string) =>
  queryOptions({
    queryKey: ["projects", "month", month],
    queryFn: ({ signal }) => get<ProjectMonth>(`/api/v1/project-months/${month}`, signal),
  });

export const assessmentQuery = (year: number) =>
  queryOptions({
    queryKey: ["projects", "assessment", year],
    queryFn: ({ signal }) => get<ProjectAssessment>(`/api/v1/project-assessments/${year}`, signal),
  });

export function add(draft: ProjectDraft): Promise<ProjectDetail> {
  return change("POST", PROJECTS, draft);
}

export function save(id: string, part: ProjectChange): Promise<ProjectDetail> {
  return change("PUT", one(id), part);
}

export function end(id: string, reason: string): Promise<ProjectDetail> {
  return change("POST", `${one(id)}/end`, { reason });
}

export function report(id: string, said: { month: string; progress: string; problems: string }) {
  return change<ProjectDetail>("POST", `${one(id)}/reports`, said);
}

export function remind(id: string, sent: { about: string; note: string; request_id: string }) {
  return change<ProjectDetail>("POST", `${one(id)}/reminders`, sent);
}
