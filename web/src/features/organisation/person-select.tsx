/** Choose a person by typing part of the name: the server searches, for a city has thousands. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Select } from "antd";
import { useDeferredValue, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { errorText } from "../../ui/states.tsx";
import { peopleQuery } from "./queries.ts";

export function PersonSelect({
  id,
  value,
  onChange,
  organisation,
  without,
}: {
  id?: string;
  value?: number;
  onChange?: (id: number | undefined) => void;
  /** Only people of this organisation. */
  organisation?: string;
  /** Not this person. */
  without?: number;
}) {
  const { t } = useT();
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim()) || undefined;
  const people = useInfiniteQuery(peopleQuery({ q, organisation, disabled: false }));
  const found = people.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Select
      id={id}
      allowClear
      value={value}
      onChange={(chosen?: number) => onChange?.(chosen)}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      loading={people.isFetching}
      placeholder={t("organisation.person-search")}
      aria-label={t("organisation.person-search")}
      notFoundContent={people.error ? errorText(people.error, t) : t("organisation.no-people")}
      options={found
        .filter((person) => person.id !== without)
        .map((person) => ({ value: person.id, label: `${person.name} (${person.username})` }))}
    />
  );
}
