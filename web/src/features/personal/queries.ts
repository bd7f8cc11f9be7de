/** Asks for personal data: of one entity for a purpose, of a person by the identifier, and who looked. */
import { change, get, query } from "../../lib/api.ts";
import type { EntityDetail, SubjectData, Viewers } from "../../lib/types.ts";

/** An entity with its personal values whole. It is not kept in the cache: what was seen for a purpose is seen once. */
export const revealed = (id: string, purpose: string): Promise<EntityDetail> =>
  get(`/api/v1/entities/${encodeURIComponent(id)}${query({ purpose })}`);

/** Everything held about a person. The identifier goes in the body: addresses are kept by browsers and logs. */
export const subjectData = (subject: string, purpose: string): Promise<SubjectData> =>
  change("POST", "/api/v1/personal/subject", { subject, purpose });

export const viewersOf = (subject: string): Promise<Viewers> =>
  change("POST", "/api/v1/personal/viewers", { subject });
