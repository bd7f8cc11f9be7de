/** Reads and changes organisations, posts and people. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query, sendFile } from "../../lib/api.ts";
import type {
  Account,
  ApprovalAsked,
  HandOverDraft,
  HandOverReport,
  Items,
  OrganisationChange,
  OrganisationDraft,
  OrganisationTree,
  OrganisationUnit,
  OutsideIdentity,
  PersonChange,
  PersonDetail,
  PersonDraft,
  PersonMade,
  Post,
  PostChange,
  PostDraft,
  RosterReport,
  SecondFactors,
} from "../../lib/types.ts";

const ORGANISATION = "/api/v1/organisation";
const PEOPLE = "/api/v1/people";
const ACCOUNTS = "/api/v1/accounts";

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

/** The changed person, or what was asked for where a second person must agree. */
export const changePerson = (id: number, to: PersonChange) =>
  change<PersonDetail | ApprovalAsked>("PATCH", named(PEOPLE, id), to);

export const renewPassword = (id: number, reason: string) =>
  change<{ password: string } | ApprovalAsked>("POST", `${named(ACCOUNTS, id)}/password`, { reason });

export const setAccess = (id: number, disabled: boolean, reason: string) =>
  change<Account | ApprovalAsked>("POST", `${named(ACCOUNTS, id)}/access`, { disabled, reason });

export const previewHandOver = (id: number, draft: HandOverDraft) =>
  change<HandOverReport>("POST", `${named(PEOPLE, id)}/handover/preview`, draft);

export const handOver = (id: number, draft: HandOverDraft) =>
  change<HandOverReport | ApprovalAsked>("POST", `${named(PEOPLE, id)}/handover`, draft);

const USERS = "/api/v1/users";

export const factorsQuery = (username: string) =>
  queryOptions({
    queryKey: [...ROOM, "factors", username],
    queryFn: ({ signal }) => get<SecondFactors>(`${named(USERS, username)}/second-factors`, signal),
  });

/** Takes all second factors of a person away, and ends their sessions. */
export const resetFactors = (username: string) =>
  change<void>("DELETE", `${named(USERS, username)}/second-factors`);

/** Only where the city has an outside provider. */
export const identitiesOfQuery = (username: string) =>
  queryOptions({
    queryKey: [...ROOM, "identities", username],
    queryFn: ({ signal }) =>
      get<{ items: OutsideIdentity[] }>(`${named(USERS, username)}/identities`, signal),
  });

/** Unlinks who a person is at an outside provider, and ends their sessions. */
export const unlinkIdentityOf = (username: string, id: number) =>
  change<void>("DELETE", `${named(USERS, username)}/identities/${id}`);

/** Looks at a file of organisations, posts and people, or imports it. */
export const importRoster = (file: File, dry_run: boolean) =>
  sendFile<RosterReport>(`${ORGANISATION}/import${query({ file: file.name, dry_run })}`, file);

/** Where the workbook is had: what there is, or a template to fill. */
export const EXPORT_PATH = `${ORGANISATION}/export`;
