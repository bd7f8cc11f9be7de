/** Where a value comes from: door, device, topic, time, and the message exactly as it was received. */
import { useQuery } from "@tanstack/react-query";
import { Alert, Descriptions, Drawer, Segmented } from "antd";
import { Fragment, type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ApiError } from "../../lib/api.ts";
import { attributeText, bytes, hexDump, prettyJson } from "../../lib/format.ts";
import type { Problem, Provenance, Update } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { CopyButton, QualityTag, Time } from "../../ui/tags.tsx";
import { typesQuery } from "../map/queries.ts";
import { provenanceQuery } from "./queries.ts";

/** Widest drawer, pixels. */
const WIDTH = 620;

export function ProvenanceDrawer({
  position,
  onClose,
  extra,
}: {
  position: number | null;
  onClose: () => void;
  /** What can be done with it. */
  extra?: ReactNode;
}) {
  const { t } = useT();
  return (
    <Drawer
      open={position !== null}
      onClose={onClose}
      size={Math.min(WIDTH, window.innerWidth)}
      title={t("provenance.title")}
      extra={extra}
      destroyOnHidden
    >
      {position !== null && <Message position={position} />}
    </Drawer>
  );
}

function Message({ position }: { position: number }) {
  const { t } = useT();
  const message = useQuery(provenanceQuery(position));
  if (message.error instanceof ApiError && message.error.status === 404) {
    return <Nothing title={t("provenance.trimmed")} />;
  }
  return <Loaded query={message}>{(found) => <MessageDetails message={found} />}</Loaded>;
}

/** The whole message with what is known of it; dead letters use it too. */
export function MessageDetails({
  message,
}: {
  message: Omit<Provenance, "updates" | "raw_withheld"> & { updates?: Update[]; raw_withheld?: boolean };
}) {
  const { t } = useT();
  return (
    <div className="stack">
      <Descriptions
        size="small"
        column={1}
        bordered
        styles={{ label: { whiteSpace: "nowrap" } }}
        items={[
          {
            key: "received",
            label: t("provenance.received"),
            children: <Time at={message.received_at} age />,
          },
          { key: "door", label: t("provenance.door"), children: message.door },
          { key: "device", label: t("provenance.device"), children: message.device_id ?? "—" },
          {
            key: "address",
            label: t("provenance.address"),
            children: <code style={{ overflowWrap: "anywhere" }}>{message.address ?? "—"}</code>,
          },
          { key: "position", label: t("provenance.position"), children: <code>{message.position}</code> },
          { key: "size", label: t("provenance.size"), children: bytes(message.size_bytes) },
        ]}
      />
      {message.problem && <ProblemBox problem={message.problem} />}
      {message.raw_withheld ? (
        <Alert type="info" showIcon title={t("provenance.withheld")} />
      ) : message.withheld ? (
        <Alert type="info" showIcon title={t("personal.withheld")} />
      ) : (
        <Raw text={message.raw_text} base64={message.raw_base64} />
      )}
      {message.updates && message.updates.length > 0 && (
        <section>
          <h3>{t("provenance.updates")}</h3>
          {message.updates.map((update) => (
            <Understood key={update.id} update={update} />
          ))}
        </section>
      )}
    </div>
  );
}

/** What the message said of one entity, in the words of its declared type. */
function Understood({ update }: { update: Update }) {
  const { p, language } = useT();
  const kind = useQuery(typesQuery).data?.get(update.type);
  return (
    <div className="understood">
      <Link to={`/entities/${encodeURIComponent(update.id)}`}>{update.id}</Link>
      <dl className="problem">
        {Object.entries(update.attributes).map(([name, said]) => {
          const declared = kind?.attributes[name];
          return (
            <Fragment key={name}>
              <dt>{declared ? p(declared.title_zh, declared.title_en) : name}</dt>
              <dd>
                {attributeText(language, said.value, said.unit, declared?.words)}{" "}
                <QualityTag quality={said.quality} hideGood />
              </dd>
            </Fragment>
          );
        })}
      </dl>
    </div>
  );
}

/** What is wrong in a few words of the person's language, and the server's own words where they say more. */
export function ProblemTitle({ problem }: { problem: Problem }) {
  const { t } = useT();
  const word = keyOf("problem", problem.code);
  if (!word) return <div>{problem.what}</div>;
  return (
    <div>
      {t(word)} <span className="quiet problem-what">{problem.what}</span>
    </div>
  );
}

export function ProblemBox({ problem }: { problem: Problem }) {
  const { t } = useT();
  return (
    <Alert
      type="warning"
      showIcon
      title={<ProblemTitle problem={problem} />}
      description={
        <dl className="problem">
          <dt>{t("dead.place")}</dt>
          <dd>
            <code>{problem.place || "—"}</code>
          </dd>
          <dt>{t("dead.mend")}</dt>
          <dd>{problem.mend || "—"}</dd>
          <dt>{t("dead.code")}</dt>
          <dd>
            <code>{problem.code}</code>
          </dd>
        </dl>
      }
    />
  );
}

// Control characters other than tab and line ends: such a text is easier to read in hexadecimal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

function Raw({ text, base64 }: { text: string | null; base64: string }) {
  const { t } = useT();
  const readable = text !== null && !UNPRINTABLE.test(text);
  const [view, setView] = useState<"text" | "hex">(readable ? "text" : "hex");
  const shown = view === "text" ? prettyJson(text ?? "") : hexDump(base64);
  return (
    <section>
      <header className="raw-head">
        <h3>{t("provenance.raw")}</h3>
        {text !== null && (
          <Segmented
            size="small"
            value={view}
            onChange={setView}
            options={[
              { value: "text", label: t("provenance.text") },
              { value: "hex", label: t("provenance.hex") },
            ]}
          />
        )}
        <CopyButton text={view === "text" ? (text ?? "") : shown} />
      </header>
      <pre className={view === "hex" ? "raw raw-hex" : "raw"}>{shown}</pre>
    </section>
  );
}
