/** The city's own policies: texts that are written here, checked, and let hold with a reason. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Collapse, Form, Input, Segmented } from "antd";
import { useRef, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { ApiError } from "../../lib/api.ts";
import type { Policies, PolicyTexts, PolicyTried } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { type CityContext, cityActions } from "./actions.tsx";
import { History } from "./history.tsx";
import { changePolicies, checkPolicies, cityTexts, policiesChanged, policiesQuery } from "./queries.ts";
import { SAMPLES, type Sample } from "./samples.ts";
import { type Spot, Tried } from "./tried.tsx";

/** Longest reason, characters. */
const REASON_LENGTH_MAX = 500;
/** Longest name of a document, characters. */
const NAME_LENGTH_MAX = 64;
const NAME = /^[a-z0-9.-]+$/;

/** Texts as they are being changed, and the version that they were made from. */
interface Draft {
  version: number;
  texts: PolicyTexts;
}

export function CityTab({ active }: { active: boolean }) {
  const held = useQuery(policiesQuery);
  return (
    <div className="stack">
      <Loaded query={held} tall>
        {(policies) => <Editor policies={policies} active={active} reload={held.refetch} />}
      </Loaded>
      <History />
    </div>
  );
}

function isSame(a: PolicyTexts, b: PolicyTexts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function Editor({
  policies,
  active,
  reload,
}: {
  policies: Policies;
  active: boolean;
  reload: () => Promise<unknown>;
}) {
  const { t, language } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const field = useRef<HTMLTextAreaElement>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [tried, setTried] = useState<{ texts: PolicyTexts; result: PolicyTried } | null>(null);
  /** What the server said when somebody else was sooner. */
  const [conflict, setConflict] = useState<ApiError | null>(null);
  /** The approval that a change waits for. */
  const [waiting, setWaiting] = useState<number | null>(null);
  const [dialog, setDialog] = useState<"add" | "apply" | null>(null);

  const held = cityTexts(policies);
  const texts = draft?.texts ?? held;
  const version = draft?.version ?? policies.version;
  const changed = !isSame(texts, held);
  const names = Object.keys(texts).sort();
  const name = chosen !== null && chosen in texts ? chosen : names[0];
  const isLate = draft !== null && changed && (conflict !== null || draft.version !== policies.version);

  const put = (next: PolicyTexts) => setDraft({ version, texts: next });
  const write = (at: string, text: string) => {
    setChosen(at);
    put({ ...texts, [at]: text });
  };
  const clear = () => {
    setDraft(null);
    setTried(null);
    setConflict(null);
  };
  const check = async (): Promise<PolicyTried> => {
    const result = await checkPolicies(texts);
    setTried({ texts, result });
    return result;
  };
  const context: CityContext = {
    changed,
    opened: name !== undefined,
    check,
    apply: async () => {
      const { problems } = await check();
      if (problems.length === 0) setDialog("apply");
    },
    add: () => setDialog("add"),
    remove: () => put(Object.fromEntries(Object.entries(texts).filter(([other]) => other !== name))),
    discard: clear,
  };
  useActionKeys(cityActions, active && dialog === null ? context : null);

  const apply = async (reason: string) => {
    try {
      const became = await changePolicies({ documents: texts, reason, version });
      setWaiting(became.holds ? null : became.approval);
      if (became.holds) message.success(t("policy.changed"));
      await policiesChanged(queryClient);
      clear();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "policy-version")) throw error;
      setConflict(error);
    }
    setDialog(null);
  };
  const goTo = ({ name: at, line, column }: Spot) => {
    if (!(at in texts)) return;
    setChosen(at);
    // The field shows the document only once it is drawn.
    requestAnimationFrame(() => {
      const before = (texts[at] ?? "").split("\n").slice(0, line - 1);
      // Columns count characters; the field counts UTF-16 units.
      const row = [...((texts[at] ?? "").split("\n")[line - 1] ?? "")];
      const place = before.join("\n").length + (line > 1 ? 1 : 0) + row.slice(0, column - 1).join("").length;
      field.current?.focus();
      field.current?.setSelectionRange(place, place + (row[column - 1]?.length ?? 0));
    });
  };
  const insert = (sample: Sample) => {
    const at = name ?? sample.name;
    const before = texts[at] ?? "";
    const gap = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    write(at, before + gap + sample.text);
  };

  return (
    <>
      <p className="prose quiet">{t("policy.city-about")}</p>
      {waiting !== null && (
        <Alert
          type="info"
          showIcon
          data-testid="policy-waiting"
          title={t("policy.waiting")}
          description={
            <Link to={`/approvals?id=${waiting}`}>{t("policy.waiting-open", { id: waiting })}</Link>
          }
          closable={{ onClose: () => setWaiting(null) }}
        />
      )}
      {isLate && (
        <Alert
          type="warning"
          showIcon
          data-testid="policy-conflict"
          title={t("problem.policy-version")}
          description={
            <>
              {conflict && language === "en" && <div className="quiet">{errorText(conflict, t)}</div>}
              {t("policy.late")}
            </>
          }
          action={
            <Button
              onClick={async () => {
                await reload();
                clear();
              }}
            >
              {t("policy.reload")}
            </Button>
          }
        />
      )}
      <div className="toolbar">
        <ActionBar actions={cityActions} context={context} />
        <span className="quiet">{t(changed ? "policy.unsaved" : "policy.holds")}</span>
      </div>
      <div className="toolbar">
        <span className="quiet">{t("policy.samples")}</span>
        {SAMPLES.map((sample) => (
          <Button key={sample.name} size="small" data-testid="policy-sample" onClick={() => insert(sample)}>
            {t(sample.title)}
          </Button>
        ))}
      </div>
      {name === undefined ? (
        <Nothing title={t("policy.city-none")} mend={t("policy.city-none-mend")} />
      ) : (
        <div>
          <Segmented
            className="policy-names"
            aria-label={t("policy.documents")}
            value={name}
            onChange={(value) => setChosen(value)}
            options={names.map((value) => ({
              value,
              label: texts[value] === held[value] ? value : `${value} *`,
            }))}
          />
          <textarea
            ref={field}
            className="policy-text"
            aria-label={t("policy.text", { name })}
            data-testid="policy-text"
            spellCheck={false}
            autoCapitalize="off"
            autoComplete="off"
            rows={16}
            value={texts[name]}
            onChange={(event) => write(name, event.target.value)}
          />
        </div>
      )}
      {tried && (
        <section aria-live="polite">
          {tried.texts !== texts && <p className="hint quiet">{t("policy.tried-before")}</p>}
          <Tried tried={tried.result} onSpot={goTo} />
        </section>
      )}
      <Collapse
        size="small"
        items={[
          {
            key: "schema",
            label: t("policy.schema"),
            children: <pre className="raw">{policies.schema}</pre>,
          },
        ]}
      />
      {dialog === "add" && (
        <AddDialog
          taken={names}
          onClose={() => setDialog(null)}
          add={(added) => {
            write(added, "");
            setDialog(null);
          }}
        />
      )}
      {dialog === "apply" && tried && (
        <ApplyDialog tried={tried.result} onClose={() => setDialog(null)} apply={apply} />
      )}
    </>
  );
}

function AddDialog({
  taken,
  add,
  onClose,
}: {
  taken: string[];
  add: (name: string) => void;
  onClose: () => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ name: string }>();
  return (
    <FormDialog
      form={form}
      perform={async ({ name }) => add(name)}
      onClose={onClose}
      title={t("policy.add")}
      okText={t("policy.add")}
      submitId="policy-add-submit"
    >
      <Form.Item
        name="name"
        label={t("policy.name")}
        extra={t("policy.name-hint")}
        rules={[
          { required: true, message: t("policy.name-hint") },
          { pattern: NAME, message: t("policy.name-hint") },
          {
            validator: async (_, value: string) => {
              if (taken.includes(value)) throw new Error(t("policy.name-taken"));
            },
          },
        ]}
      >
        <Input autoFocus maxLength={NAME_LENGTH_MAX} className="mono" />
      </Form.Item>
    </FormDialog>
  );
}

/** Shows once more what the change does, and asks why it is made. */
function ApplyDialog({
  tried,
  apply,
  onClose,
}: {
  tried: PolicyTried;
  apply: (reason: string) => Promise<void>;
  onClose: () => void;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ reason: string }>();
  return (
    <FormDialog
      form={form}
      perform={({ reason }) => apply(reason.trim())}
      onClose={onClose}
      title={t("policy.apply-title")}
      okText={t("policy.apply")}
      submitId="policy-apply-submit"
      intro={
        <div className="policy-again">
          <Tried tried={tried} onSpot={onClose} />
        </div>
      }
    >
      <Form.Item
        name="reason"
        label={t("policy.reason")}
        rules={[{ required: true, whitespace: true, message: t("policy.reason-missing") }]}
      >
        <Input.TextArea autoFocus rows={3} maxLength={REASON_LENGTH_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
