/** Reads and changes organisations, posts and people. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query, sendFile } from "../../lib/api.ts";
import type {
  HandOverDraft,
  HandOverReport,
  Items,
  OrganisationChange,
  OrganisationDraft,
  OrganisationTree,
  OrganisationUnit,
  PersonChange,
  PersonDetail,
  PersonDraft,
  PersonMade,
  Post,
  PostChange,
  PostDraft,
  RosterReport,
} from "../../lib/types.ts";

const ORGANISATION = "/api/v1/organisation";
const PEOPLE = "/api/v1/people";

/** Everything that this room shows is asked again after a change. */
export const ROOM = ["organisation"] as const;

export const treeQuery = queryOptions({
  queryKey: [...ROOM, "tree"],
  queryFn: ({ signal }) => get<OrganisationTree>(ORGANISATION, signal),
});

export interface PeopleFilter {
  q?: string;
  organisation?: string;
  disabled?: boolean;
}

export const peopleQuery = (filter: PeopleFilter) =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "people", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<PersonDetail>>(`${PEOPLE}${query({ ...filter, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

const named = (path: string, id: string | number) => `${path}/${encodeURIComponent(id)}`;

export const addOrganisation = (draft: OrganisationDraft) =>
  change<OrganisationUnit>("POST", `${ORGANISATION}/organisations`, draft);

export const changeOrganisation = (id: string, to: OrganisationChange) =>
  change<OrganisationUnit>("PATCH", named(`${ORGANISATION}/organisations`, id), to);

export const addPost = (draft: PostDraft) => change<Post>("POST", `${ORGANISATION}/posts`, draft);

export const changePost = (id: string, to: PostChange) =>
  change<Post>("PATCH", named(`${ORGANISATION}/posts`, id), to);

/** Gives a post; times are RFC 3339, now and without an end when left out. */
export const givePost = (id: string, user_id: number, from?: string, until?: string) =>
  change("POST", `${named(`${ORGANISATION}/posts`, id)}/holders`, { user_id, from, until });

export const endPost = (holder: number) => change("DELETE", named(`${ORGANISATION}/holders`, holder));

export const addPerson = (draft: PersonDraft) => change<PersonMade>("POST", PEOPLE, draft);

export const changePerson = (id: number, to: PersonChange) =>
  change<PersonDetail>("PATCH", named(PEOPLE, id), to);

export const renewPassword = (id: number) => change<PersonMade>("POST", `${named(PEOPLE, id)}/password`);

export const previewHandOver = (id: number, draft: HandOverDraft) =>
  change<HandOverReport>("POST", `${named(PEOPLE, id)}/handover/preview`, draft);

export const handOver = (id: number, draft: HandOverDraft) =>
  change<HandOverReport>("POST", `${named(PEOPLE, id)}/handover`, draft);

/** Looks at a file of organisations, posts and people, or imports it. */
export const importRoster = (file: File, dry_run: boolean) =>
  sendFile<RosterReport>(`${ORGANISATION}/import${query({ file: file.name, dry_run })}`, file);

/** Where the workbook is had: what there is, or a template to fill. */
export const EXPORT_PATH = `${ORGANISATION}/export`;
