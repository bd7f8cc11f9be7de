/** Organisations, their posts and their people: looked at, added, changed, imported, and handed over when somebody leaves. */
import "./organisation.css";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Descriptions, Input, Modal, Select, Table, Tag, Tree } from "antd";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { time } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { OrganisationUnit, PersonDetail, Post } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CopyButton } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { ReasonField, useTellAsked } from "../approvals/waiting.tsx";
import { type Dialog, pageActions, personActions, postActions, unitActions } from "./actions.tsx";
import { GiveDialog, OrganisationDialog, PersonDialog, PostDialog } from "./dialogs.tsx";
import { HandOverDialog } from "./hand-over.tsx";
import { RosterDialog } from "./import-dialog.tsx";
import { EXPORT_PATH, endPost, peopleQuery, ROOM, renewPassword, setAccess, treeQuery } from "./queries.ts";
import { roleWord } from "./roles.ts";
import { SignInDrawer } from "./sign-in-drawer.tsx";
import { type Branch, groupsOf, matching } from "./tree.ts";

/** Administrators' accounts are changed by two people. */
const ADMINISTRATORS = ["admin", "security", "auditor"];

/** What somebody signs in with from now on. */
interface SignIn {
  person: { name: string; username: string };
  password: string;
}

/** A file that the server sends with its name. */
function download() {
  const link = document.createElement("a");
  link.href = EXPORT_PATH;
  link.download = "";
  link.click();
}

export function Page() {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const [parameters, setParameters] = useSearchParams();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [made, setMade] = useState<SignIn | null>(null);
  const tellAsked = useTellAsked();
  const tree = useQuery(treeQuery);
  const units = tree.data?.organisations;
  const unit = units?.find((u) => u.id === parameters.get("of"));
  const q = parameters.get("q") ?? "";
  const go = (of: string | undefined, text: string) => {
    const search: Record<string, string> = {};
    if (of) search.of = of;
    if (text) search.q = text;
    setParameters(search, { replace: true });
  };
  const context = { unit, open: setDialog, download };
  useActionKeys(pageActions, dialog || made ? null : context);
  const changed = () => void queryClient.invalidateQueries({ queryKey: ROOM });
  const close = () => setDialog(null);

  const confirm = (title: string, content: React.ReactNode, act: () => Promise<void>) =>
    modal.confirm({
      title,
      content,
      okText: t("organisation.yes"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await act();
          changed();
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
      },
    });
  /** What concerns an account: of an administrator's it is asked for, and the second person reads why. */
  const withReason = (
    title: string,
    text: string,
    person: PersonDetail,
    act: (reason: string) => Promise<void>,
  ) => {
    let reason = "";
    const content = ADMINISTRATORS.includes(person.role) ? (
      <div className="stack">
        <p>{text}</p>
        <p>{t("roles.needs-approval")}</p>
        <ReasonField onChange={(given) => (reason = given)} />
      </div>
    ) : (
      text
    );
    confirm(title, content, () => act(reason));
  };
  const renew = (person: PersonDetail) =>
    withReason(
      t("organisation.password-confirm", { name: person.name }),
      t("organisation.password-text"),
      person,
      async (reason) => {
        const answer = await renewPassword(person.id, reason);
        if ("password" in answer) setMade({ person, password: answer.password });
        else tellAsked(answer);
      },
    );
  const access = (person: PersonDetail, disabled: boolean) => {
    const which = disabled ? "disabled" : "enabled";
    withReason(
      t(`organisation.${which}-confirm`, { name: person.name }),
      t(`organisation.${which}-hint`),
      person,
      async (reason) => void tellAsked(await setAccess(person.id, disabled, reason)),
    );
  };
  const end = (holder: number, name: string, title: string) =>
    confirm(t("organisation.post-end-confirm", { name, title }), t("organisation.post-end-text"), () =>
      endPost(holder),
    );

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("organisation.title")}</h1>
        <Input.Search
          key={q}
          allowClear
          defaultValue={q}
          placeholder={t("organisation.search-people")}
          aria-label={t("organisation.search-people")}
          style={{ width: 240 }}
          maxLength={100}
          onSearch={(text) => go(unit?.id, text.trim())}
        />
        <span className="grow" />
        <ActionBar actions={pageActions} context={context} />
      </header>
      <Loaded query={tree} tall>
        {({ organisations, posts }) => (
          <div className="organisation-room">
            <Organisations units={organisations} chosen={unit?.id} choose={(id) => go(id, q)} />
            <section className="organisation-shown">
              {unit && <Unit unit={unit} units={organisations} open={setDialog} />}
              {unit && (
                <Posts posts={posts.filter((p) => p.organisation === unit.id)} open={setDialog} end={end} />
              )}
              <People
                units={organisations}
                filter={{ organisation: unit?.id, q: q || undefined }}
                open={setDialog}
                renew={renew}
                access={access}
              />
            </section>
          </div>
        )}
      </Loaded>
      {dialog?.kind === "organisation" && units && (
        <OrganisationDialog unit={dialog.unit} units={units} changed={changed} onClose={close} />
      )}
      {dialog?.kind === "post" && (
        <PostDialog organisation={dialog.organisation} post={dialog.post} changed={changed} onClose={close} />
      )}
      {dialog?.kind === "give" && <GiveDialog post={dialog.post} changed={changed} onClose={close} />}
      {dialog?.kind === "person" && units && (
        <PersonDialog
          person={dialog.person}
          organisation={dialog.organisation}
          units={units}
          made={setMade}
          changed={changed}
          onClose={close}
        />
      )}
      {dialog?.kind === "hand-over" && units && (
        <HandOverDialog person={dialog.person} units={units} changed={changed} onClose={close} />
      )}
      {dialog?.kind === "sign-in" && (
        <SignInDrawer
          person={dialog.person}
          isAdministrator={ADMINISTRATORS.includes(dialog.person.role)}
          confirm={confirm}
          onClose={close}
        />
      )}
      {dialog?.kind === "import" && <RosterDialog changed={changed} onClose={close} />}
      {made && <Password made={made} onClose={() => setMade(null)} />}
    </div>
  );
}

function Organisations({
  units,
  chosen,
  choose,
}: {
  units: OrganisationUnit[];
  chosen: string | undefined;
  choose: (id: string | undefined) => void;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const [text, setText] = useState("");
  const groups = useMemo(() => groupsOf(matching(units, text)), [units, text]);
  const nameOf = (unit: OrganisationUnit) => p(unit.name_zh, unit.name_en);
  const kindOf = (kind: string) => {
    const key = keyOf("organisation-kind", kind);
    return key ? t(key) : kind;
  };
  if (phone) {
    // A tree beside the rest is one letter wide there.
    return (
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        value={chosen}
        onChange={(id?: string) => choose(id)}
        placeholder={t("organisation.choose")}
        aria-label={t("organisation.choose")}
        options={units.map((unit) => ({ value: unit.id, label: nameOf(unit) }))}
      />
    );
  }
  const node = ({
    unit,
    children,
  }: Branch): { key: string; title: React.ReactNode; children: unknown[] } => ({
    key: unit.id,
    title: (
      <span className={unit.disabled ? "organisation-closed" : undefined}>
        {nameOf(unit)} {unit.people > 0 && <span className="quiet">{unit.people}</span>}
      </span>
    ),
    children: children.map(node),
  });
  return (
    <aside className="organisation-tree" aria-label={t("organisation.tree")}>
      <Input
        allowClear
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t("organisation.search")}
        aria-label={t("organisation.search")}
        maxLength={100}
      />
      {groups.length === 0 && <p className="quiet">{t("organisation.none-match")}</p>}
      {groups.map((group) => (
        <section key={group.kind}>
          <h2>
            {kindOf(group.kind)} <span className="quiet">{group.branches.length}</span>
          </h2>
          <Tree
            blockNode
            defaultExpandAll
            selectedKeys={chosen ? [chosen] : []}
            onSelect={([key]) => choose(key === undefined ? undefined : String(key))}
            treeData={group.branches.map(node) as never}
          />
        </section>
      ))}
    </aside>
  );
}

function Unit({
  unit,
  units,
  open,
}: {
  unit: OrganisationUnit;
  units: OrganisationUnit[];
  open: (dialog: Dialog) => void;
}) {
  const { t, p } = useT();
  const above = units.find((u) => u.id === unit.parent);
  const kind = keyOf("organisation-kind", unit.kind);
  const item = (key: string, label: string, children: React.ReactNode) => ({
    key,
    label,
    children: children || "—",
  });
  return (
    <section data-testid="organisation-unit">
      <div className="organisation-head">
        <h2>{p(unit.name_zh, unit.name_en)}</h2>
        {unit.disabled && <Tag color="red">{t("organisation.closed")}</Tag>}
        {unit.of_profile && <Tag>{t("organisation.of-profile")}</Tag>}
        <span className="grow" />
        <ActionBar actions={unitActions} context={{ unit, open, download }} size="small" />
      </div>
      <Descriptions
        size="small"
        column={{ xs: 1, md: 3 }}
        items={[
          item("id", t("organisation.id"), <code>{unit.id}</code>),
          item("kind", t("organisation.kind"), kind ? t(kind) : unit.kind),
          item("parent", t("organisation.parent"), above && p(above.name_zh, above.name_en)),
          item("code", t("organisation.credit-code"), unit.credit_code && <code>{unit.credit_code}</code>),
          item("division", t("organisation.division"), unit.division && <code>{unit.division}</code>),
        ]}
      />
    </section>
  );
}

function Posts({
  posts,
  open,
  end,
}: {
  posts: Post[];
  open: (dialog: Dialog) => void;
  end: (holder: number, name: string, title: string) => void;
}) {
  const { t, p } = useT();
  const manages = can(useUser(), "role.grant");
  if (posts.length === 0) return <p className="quiet">{t("organisation.no-posts")}</p>;
  const holders = (post: Post) =>
    post.holders.length === 0 ? (
      <span className="quiet">{t("organisation.vacant")}</span>
    ) : (
      post.holders.map((holder) => (
        <Tag
          key={holder.id}
          closable={manages}
          onClose={(event) => {
            // It goes when the server says so.
            event.preventDefault();
            end(holder.id, holder.name, p(post.title_zh, post.title_en));
          }}
        >
          {holder.name}
          {holder.until && ` → ${time(holder.until)}`}
        </Tag>
      ))
    );
  return (
    <section>
      <h3>{t("organisation.posts")}</h3>
      <Table<Post>
        size="small"
        rowKey="id"
        dataSource={posts}
        pagination={false}
        scroll={{ x: 760 }}
        columns={[
          {
            title: t("organisation.post-title"),
            render: (_, post) => (
              <>
                <div>
                  {p(post.title_zh, post.title_en)}{" "}
                  {post.disabled && <Tag color="red">{t("organisation.closed")}</Tag>}
                </div>
                {post.duty && <div className="quiet organisation-duty">{post.duty}</div>}
              </>
            ),
          },
          { title: t("organisation.role"), width: 150, render: (_, post) => roleWord(post.role, t) },
          {
            title: t("organisation.division"),
            width: 120,
            render: (_, post) => (post.division ? <code>{post.division}</code> : "—"),
          },
          { title: t("organisation.holders"), render: (_, post) => holders(post) },
          {
            title: t("word.operations"),
            width: 190,
            render: (_, post) => (
              <div className="organisation-acts">
                <ActionBar actions={postActions} context={{ post, open }} size="small" />
              </div>
            ),
          },
        ]}
      />
    </section>
  );
}

function People({
  units,
  filter,
  open,
  renew,
  access,
}: {
  units: OrganisationUnit[];
  filter: { organisation?: string; q?: string };
  open: (dialog: Dialog) => void;
  renew: (person: PersonDetail) => void;
  access: (person: PersonDetail, disabled: boolean) => void;
}) {
  const { t, p } = useT();
  const phone = usePhone();
  const people = useInfiniteQuery(peopleQuery(filter));
  const items = useMemo(() => people.data?.pages.flatMap((page) => page.items) ?? [], [people.data]);
  const nameOf = (id: string | null) => {
    const unit = units.find((u) => u.id === id);
    return unit ? p(unit.name_zh, unit.name_en) : (id ?? "—");
  };
  const failure = useFailure(people);
  const name = (person: PersonDetail) => (
    <>
      {person.name} {person.disabled && <Tag color="red">{t("organisation.closed")}</Tag>}
    </>
  );
  const posts = (person: PersonDetail) =>
    person.posts.map((post) => (
      <Tag key={post.holder_id} title={nameOf(post.organisation)}>
        {post.organisation === person.organisation ? "" : `${nameOf(post.organisation)} / `}
        {p(post.title_zh, post.title_en)}
      </Tag>
    ));
  const call = (person: PersonDetail) => {
    if (!person.phone) return "—";
    return person.phone.includes("*") ? person.phone : <a href={`tel:${person.phone}`}>{person.phone}</a>;
  };
  const acts = (person: PersonDetail) => (
    <ActionBar actions={personActions} context={{ person, open, renew, access }} size="small" />
  );
  const list = () => {
    if (failure) return failure;
    if (!people.data) return <Loading />;
    if (items.length === 0) return <Nothing title={t("organisation.no-people")} />;
    if (phone) {
      return (
        <ul className="card-list">
          {items.map((person) => (
            <li key={person.id} className="item-card" style={{ cursor: "default" }} data-testid="person-row">
              <strong>{name(person)}</strong>
              <span className="quiet">
                {person.username} · {roleWord(person.role, t)} · {nameOf(person.organisation)}
              </span>
              <span>{call(person)}</span>
              <span>{posts(person)}</span>
              <span className="organisation-acts">{acts(person)}</span>
            </li>
          ))}
        </ul>
      );
    }
    return (
      <Table<PersonDetail>
        size="small"
        rowKey="id"
        dataSource={items}
        pagination={false}
        scroll={{ x: 850 }}
        onRow={() => ({ "data-testid": "person-row" }) as React.HTMLAttributes<HTMLElement>}
        columns={[
          {
            title: t("organisation.person"),
            width: 120,
            render: (_, person) => (
              <>
                <div>{name(person)}</div>
                <code className="quiet">{person.username}</code>
              </>
            ),
          },
          { title: t("organisation.role"), width: 110, render: (_, person) => roleWord(person.role, t) },
          { title: t("organisation.of"), width: 140, render: (_, person) => nameOf(person.organisation) },
          { title: t("organisation.phone"), width: 110, render: (_, person) => call(person) },
          { title: t("organisation.posts"), render: (_, person) => posts(person) },
          {
            title: t("word.operations"),
            width: 290,
            render: (_, person) => <div className="organisation-acts">{acts(person)}</div>,
          },
        ]}
      />
    );
  };
  return (
    <section>
      <h3>{t("organisation.people")}</h3>
      {list()}
      <More list={people} />
    </section>
  );
}

/** A password that is shown once. */
function Password({ made, onClose }: { made: SignIn; onClose: () => void }) {
  const { t } = useT();
  return (
    <Modal
      open
      title={t("organisation.password-made", { name: made.person.name })}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onClose} data-testid="password-kept">
          {t("organisation.password-kept")}
        </Button>
      }
    >
      <p>{t("organisation.password-once")}</p>
      <p>
        <code>{made.person.username}</code>
      </p>
      <p>
        <code data-testid="password">{made.password}</code> <CopyButton text={made.password} />
      </p>
    </Modal>
  );
}
