/** An attribute as its pack calls it; its stored name is shown where no pack declares it, and told on pointing at it. */
import { useQuery } from "@tanstack/react-query";
import { useT } from "../../i18n/index.tsx";
import { typesQuery } from "../map/queries.ts";

export function AttributeName({ type, name }: { type: string; name: string }) {
  const { p } = useT();
  const declared = useQuery(typesQuery).data?.get(type)?.attributes[name];
  if (!declared) return <code>{name}</code>;
  return <span title={name}>{p(declared.title_zh, declared.title_en)}</span>;
}
