/** The telephone list: an organisation's own people, and contacts outside; numbers in part. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Table } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import type { OutsideContact, PersonDetail } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { contactActions, contactPageActions, type PageContext } from "./actions.tsx";
import { contactsQuery, peopleQuery, ROOM } from "./queries.ts";
import { RevealContact } from "./reveal.tsx";

function Inside({ organisation }: { organisation: string }) {
  const { t, p } = useT();
  const people = useQuery(peopleQuery(organisation));
  const failure = useFailure(people);
  if (failure) return failure;
  if (!people.data) return <Loading />;
  if (people.data.items.length === 0) return <Nothing title={t("duty.contacts-none")} />;
  return (
    <Table<PersonDetail>
      size="small"
      rowKey="id"
      dataSource={people.data.items}
      pagination={false}
      scroll={{ x: 520 }}
      columns={[
        { title: t("duty.name"), dataIndex: "name" },
        {
          title: t("duty.job"),
          render: (_, one) => one.posts.map((post) => p(post.title_zh, post.title_en)).join("、"),
        },
        { title: t("duty.phone"), width: 160, render: (_, one) => one.phone ?? "—" },
      ]}
    />
  );
}

function Outside({ organisation }: { organisation: string }) {
  const { t } = useT();
  const [shown, setShown] = useState<OutsideContact | null>(null);
  const client = useQueryClient();
  const contacts = useQuery(contactsQuery(organisation));
  const failure = useFailure(contacts);
  if (failure) return failure;
  if (!contacts.data) return <Loading />;
  if (contacts.data.items.length === 0) return <Nothing title={t("duty.contacts-none")} />;
  const changed = () => client.invalidateQueries({ queryKey: ROOM });
  return (
    <>
      <Table<OutsideContact>
        size="small"
        rowKey="id"
        dataSource={contacts.data.items}
        pagination={false}
        scroll={{ x: 760 }}
        columns={[
          { title: t("duty.unit"), dataIndex: "unit" },
          { title: t("duty.name"), dataIndex: "name" },
          { title: t("duty.job"), dataIndex: "title" },
          { title: t("duty.phone"), width: 160, dataIndex: "phone" },
          {
            title: t("word.operations"),
            width: 220,
            render: (_, contact) => (
              <div className="duty-acts">
                <ActionBar
                  actions={contactActions}
                  context={{ contact, changed, reveal: setShown }}
                  size="small"
                />
              </div>
            ),
          },
        ]}
      />
      {shown && <RevealContact key={shown.id} contact={shown} onClose={() => setShown(null)} />}
    </>
  );
}

export function Contacts({ organisation, context }: { organisation: string; context: PageContext }) {
  const { t } = useT();
  return (
    <div className="stack">
      <section>
        <h3>{t("duty.contacts-inside")}</h3>
        <Inside organisation={organisation} />
      </section>
      <section>
        <div className="duty-bar">
          <h3>{t("duty.contacts-outside")}</h3>
          <span className="grow" />
          <ActionBar actions={contactPageActions} context={context} />
        </div>
        <Outside organisation={organisation} />
      </section>
    </div>
  );
}
