/** Reads the bulletins that packs declare. */
import { queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { Language } from "../../lib/format.ts";
import type { Bulletin, BulletinListed } from "../../lib/types.ts";

const BULLETINS = "/api/v1/bulletins";

const one = (id: string) => `${BULLETINS}/${encodeURIComponent(id)}`;

export const bulletinsQuery = queryOptions({
  queryKey: ["bulletins"],
  queryFn: ({ signal }) => get<BulletinListed[]>(BULLETINS, signal),
});

/** A bulletin as it stands when it is asked for: it changes when its reader wants a new one, not while it is read. */
export const bulletinQuery = (id: string, language: Language) =>
  queryOptions({
    queryKey: ["bulletin", id, language],
    queryFn: ({ signal }) => get<Bulletin>(`${one(id)}${query({ language })}`, signal),
    refetchOnWindowFocus: false,
  });

/** Where a bulletin is had as a file. */
export const bulletinPath = (id: string, format: "pdf" | "docx", language: Language) =>
  `${one(id)}${query({ format, language })}`;
