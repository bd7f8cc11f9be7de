/** The files of a case: photos with their place and time, voice notes, signatures, documents. */
import "./cases.css";
import { AudioOutlined, FileOutlined } from "@ant-design/icons";
import { Button, Image, Tag } from "antd";
import { useEffect, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { bytes, number, time } from "../../lib/format.ts";
import type { Attachment } from "../../lib/types.ts";
import { errorText } from "../../ui/states.tsx";
import { duration } from "./due.tsx";
import { attachmentUrl, readAttachment } from "./queries.ts";

export function Attachments({ items }: { items: Attachment[] }) {
  const { t } = useT();
  if (items.length === 0) return <span className="quiet">{t("case.attachments-none")}</span>;
  const of = (kind: string) => items.filter((item) => item.kind === kind);
  const pictures = [...of("photo"), ...of("signature")];
  return (
    <>
      {pictures.length > 0 && (
        <Image.PreviewGroup>
          <div className="photos">
            {pictures.map((picture) => (
              <figure key={picture.id} data-kind={picture.kind}>
                <Image
                  src={attachmentUrl(picture.id)}
                  alt={picture.signed ? `${t("case.signature")} ${picture.signed.signer}` : picture.name}
                  width={120}
                  height={120}
                  className={picture.kind === "signature" ? "signature" : undefined}
                />
                <figcaption className="quiet" title={picture.sha256}>
                  {picture.signed ? <Signer signed={picture.signed} /> : <Named file={picture} />}
                  <Taken file={picture} />
                </figcaption>
              </figure>
            ))}
          </div>
        </Image.PreviewGroup>
      )}
      {of("voice").map((note) => (
        <div key={note.id} className="voice" data-kind="voice">
          <Voice note={note} />
          <div className="quiet">
            {note.uploaded_by} <Taken file={note} />
          </div>
        </div>
      ))}
      {of("document").map((file) => (
        <p key={file.id}>
          <FileOutlined />{" "}
          <a href={attachmentUrl(file.id)} download={file.name}>
            {file.name}
          </a>{" "}
          <span className="quiet">{bytes(file.size_bytes)}</span>
        </p>
      ))}
    </>
  );
}

function Named({ file }: { file: Attachment }) {
  return (
    <div className="ellipsis">
      {file.name} · {bytes(file.size_bytes)}
    </div>
  );
}

function Signer({ signed }: { signed: NonNullable<Attachment["signed"]> }) {
  const { t } = useT();
  const capacity = keyOf("capacity", signed.capacity);
  return (
    <div>
      {signed.signer} · {capacity ? t(capacity) : signed.capacity}
      {signed.is_typed && ` · ${t("case.signature-typed")}`}
    </div>
  );
}

/** When and where it was made, and whether that clock was wrong. */
function Taken({ file }: { file: Attachment }) {
  const { t } = useT();
  const place = file.location && `${file.location[0].toFixed(5)}°E, ${file.location[1].toFixed(5)}°N`;
  return (
    <>
      {file.taken_at && <div>{t("case.taken", { time: time(file.taken_at) })}</div>}
      {place && (
        <div>
          {file.accuracy_m === null
            ? t("case.place-plain", { place })
            : t("case.place-of", { place, metres: number(Math.ceil(file.accuracy_m), 0) })}
        </div>
      )}
      {file.clock_off_s !== null && (
        <Tag color="gold">{t("case.clock-off", { time: duration(file.clock_off_s, true, t) })}</Tag>
      )}
    </>
  );
}

/** Fetched when it is wanted, and played from memory: some browsers ask for pieces that are not served. */
function Voice({ note }: { note: Attachment }) {
  const { t } = useT();
  const [url, setUrl] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  const length =
    note.duration_ms === null
      ? bytes(note.size_bytes)
      : t("field.voice-length", { seconds: Math.max(1, Math.round(note.duration_ms / 1_000)) });
  // biome-ignore lint/a11y/useMediaCaption: a spoken note has no text.
  if (url) return <audio controls autoPlay src={url} aria-label={t("case.voice")} />;
  const play = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setUrl(URL.createObjectURL(await readAttachment(note.id)));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button icon={<AudioOutlined />} loading={busy} onClick={() => void play()} data-testid="voice-play">
        {t("case.voice-play")} · {length}
      </Button>
      {failure !== null && (
        <div className="rejected" role="alert">
          {errorText(failure, t)}
        </div>
      )}
    </>
  );
}
