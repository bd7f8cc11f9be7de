/** Reads key projects, their months and the assessment; keeps them. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query, type Sending, sendFile } from "../../lib/api.ts";
import type {
  InvestmentPackage,
  InvestmentPackages,
  PackageContent,
  ProjectAssessment,
  ProjectChange,
  ProjectDetail,
  ProjectDraft,
  ProjectHistory,
  ProjectMonth,
  ProjectParts,
  ProjectPhoto,
  ProjectPhotos,
  Projects,
  ProjectTasks,
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

/** What each project that serves an indicator contributes to its figure; read anew with the plan. */
export const partsQuery = (indicator: string) =>
  queryOptions({
    queryKey: ["plan", "parts", indicator],
    queryFn: ({ signal }) =>
      get<ProjectParts>(`/api/v1/plan/indicators/${encodeURIComponent(indicator)}/projects`, signal),
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

/** Which tasks of member departments; empty: of all. */
export interface WantedTasks {
  organisation: string;
  open: boolean;
}

export const tasksQuery = ({ organisation, open }: WantedTasks) =>
  queryOptions({
    queryKey: ["projects", "tasks", organisation, open],
    queryFn: ({ signal }) =>
      get<ProjectTasks>(`/api/v1/project-tasks${query({ organisation, open: open ? "true" : "" })}`, signal),
  });

/** The newest changes of a project. */
export const historyQuery = (id: string, limit: number) =>
  queryOptions({
    queryKey: ["projects", "history", id, limit],
    queryFn: ({ signal }) =>
      get<ProjectHistory>(`${one(id)}/history${query({ limit: String(limit) })}`, signal),
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

const photos = (id: string) => `${one(id)}/photos`;

export const photosQuery = (id: string) =>
  queryOptions({
    queryKey: ["projects", "photos", id],
    queryFn: ({ signal }) => get<ProjectPhotos>(photos(id), signal),
  });

/** The photo as it was sent, with what the camera wrote into it. */
export const photoUrl = (id: string, photo: number) => `${photos(id)}/${photo}`;
/** A small copy, and the whole without what the camera wrote into it: what pages show. */
export const photoSmallUrl = (id: string, photo: number) => `${photoUrl(id, photo)}/small`;
export const photoPlainUrl = (id: string, photo: number) => `${photoUrl(id, photo)}?plain=true`;

/** What is said of a photo; empty is not said. */
export interface PhotoSaid {
  taken_on: string;
  caption: string;
  milestone: string;
  lon?: number;
  lat?: number;
}

/** Adds a photo. What is said of it goes in the form: addresses are written to logs. */
export function addPhoto(id: string, file: File, said: PhotoSaid, sending?: Sending): Promise<ProjectPhoto> {
  const form = new FormData();
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined && value !== "") form.append(name, String(value));
  }
  form.append("file", file, file.name);
  return sendFile(photos(id), form, sending);
}

export function removePhoto(id: string, photo: number, reason: string): Promise<void> {
  return change("POST", `${photoUrl(id, photo)}/remove`, { reason });
}

const PACKAGES = "/api/v1/investment-packages";

export const packagesQuery = queryOptions({
  queryKey: ["projects", "packages"],
  queryFn: ({ signal }) => get<InvestmentPackages>(PACKAGES, signal),
});

/** Writes a new package, or one anew on top of the version that was seen. */
export function savePackage(id: number | null, version: number, content: PackageContent) {
  const body = { version, content };
  return id === null
    ? change<InvestmentPackage>("POST", PACKAGES, body)
    : change<InvestmentPackage>("PUT", `${PACKAGES}/${id}`, body);
}

export function publishPackage(id: number, version: number) {
  return change<InvestmentPackage>("POST", `${PACKAGES}/${id}/publish`, { version });
}

export function withdrawPackage(id: number, reason: string) {
  return change<InvestmentPackage>("POST", `${PACKAGES}/${id}/withdraw`, { reason });
}
