/** What everybody may read of the plan, and where its files are. */
import { get } from "../../lib/api.ts";
import type { PublicPackages, PublicPlan } from "../../lib/types.ts";

export const readPlan = (signal: AbortSignal) => get<PublicPlan>("/api/v1/public/plan", signal);

export const readPackages = (signal: AbortSignal) =>
  get<PublicPackages>("/api/v1/public/packages.json", signal);

export const FILES = {
  csv: "/api/v1/public/plan.csv",
  json: "/api/v1/public/plan.json",
  catalogue: "/api/v1/public/catalog.jsonld",
  "packages-csv": "/api/v1/public/packages.csv",
  "packages-json": "/api/v1/public/packages.json",
} as const;
