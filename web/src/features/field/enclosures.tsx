/** What goes with a step: photos with their place, voice notes, signatures. Taken without a network as well. */
import "./field.css";
import { AudioOutlined, CameraOutlined, CloseOutlined, EditOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { bytes, number } from "../../lib/format.ts";
import type { CaseLimits } from "../../lib/types.ts";
import { useNow } from "../../ui/tags.tsx";
import { type Located, locate } from "./locate.ts";
import type { Enclosure } from "./outbox.ts";
import { useRecorder } from "./recorder.ts";
import { SignaturePad } from "./signature.tsx";

/** What holds while the server's own limits were never heard. */
export const LIMITS: Omit<CaseLimits, "now"> & { clockOffMs: number } = {
  clock_off_seconds_max: 3_600,
  attachment_bytes_max: 10 * 1024 * 1024,
  voice_bytes_max: 2 * 1024 * 1024,
  voice_seconds_max: 120,
  offline_hours_max: 72,
  signature_bytes_max: 256 * 1024,
  signer_chars_max: 50,
  text_chars_max: 2_000,
  capacities: ["party", "reporter", "merchant", "witness", "worker", "other"],
  clockOffMs: 0,
};
/** A picture older than this was not taken here and now, milliseconds: the phone's place is not its own. */
const FRESH_MS = 120_000;

export function Enclosures({
  enclosures,
  limits,
  wantsSignature,
  onChange,
}: {
  enclosures: Enclosure[];
  limits: typeof LIMITS;
  wantsSignature: boolean;
  onChange: (next: (before: Enclosure[]) => Enclosure[]) => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const picker = useRef<HTMLInputElement>(null);
  const [place, setPlace] = useState<Located | null>(null);
  const [signing, setSigning] = useState(false);
  const now = useNow(1_000);
  const recorder = useRecorder(limits.voice_seconds_max, limits.voice_bytes_max, (made) =>
    onChange((before) => [
      ...before,
      {
        kind: "voice",
        name: made.name,
        blob: made.blob,
        takenAt: made.startedAt,
        durationMs: made.durationMs,
      },
    ]),
  );

  const add = async (files: FileList | null) => {
    const taken = [...(files ?? [])];
    const fitting = taken.filter((file) => file.size <= limits.attachment_bytes_max);
    if (fitting.length < taken.length)
      message.error(t("field.photo-large", { size: bytes(limits.attachment_bytes_max) }));
    if (fitting.length === 0) return;
    const photos = fitting.map(
      (file): Enclosure => ({
        kind: "photo",
        name: file.name,
        blob: file,
        takenAt: new Date(file.lastModified).toISOString(),
      }),
    );
    onChange((before) => [...before, ...photos]);
    const fresh = photos.filter((_, i) => Date.now() - (fitting[i]?.lastModified ?? 0) < FRESH_MS);
    if (fresh.length === 0) return;
    // The photo is kept at once; its place follows when the phone knows it, or never.
    const located = await locate();
    setPlace(located);
    if (!("spot" in located)) return;
    onChange((before) =>
      before.map((e) => (fresh.some((p) => p.blob === e.blob) ? { ...e, spot: located.spot } : e)),
    );
  };

  const remove = (gone: Enclosure) => () => onChange((before) => before.filter((e) => e.blob !== gone.blob));
  const seconds = Math.max(0, Math.round((now - recorder.startedMs) / 1_000));
  return (
    <div className="field-enclosures">
      <EnclosureList enclosures={enclosures} onRemove={remove} />
      <div className="field-adds">
        <button type="button" className="field-add" onClick={() => picker.current?.click()}>
          <CameraOutlined />
          {t("field.photo")}
        </button>
        {recorder.state === "recording" ? (
          <button
            type="button"
            className="field-add field-add-on"
            onClick={recorder.stop}
            data-testid="field-voice-stop"
          >
            <AudioOutlined />
            {t("field.voice-stop", { seconds, max: limits.voice_seconds_max })}
          </button>
        ) : (
          <button
            type="button"
            className="field-add"
            disabled={recorder.state === "asking"}
            onClick={() => void recorder.start()}
            data-testid="field-voice"
          >
            <AudioOutlined />
            {t("field.voice")}
          </button>
        )}
        <button
          type="button"
          className={wantsSignature ? "field-add field-add-wanted" : "field-add"}
          onClick={() => setSigning(true)}
          disabled={signing}
          data-testid="field-sign"
        >
          <EditOutlined />
          {t("field.sign")}
        </button>
      </div>
      <input
        ref={picker}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        data-testid="field-photo"
        onChange={(event) => {
          void add(event.target.files);
          event.target.value = "";
        }}
      />
      {recorder.trouble && (
        <div className="field-missing" role="alert">
          {t(`field.voice-${recorder.trouble}`)}
        </div>
      )}
      {place && "refused" in place && (
        <div className="quiet" role="status">
          {t(`field.place-${place.refused}`)}
        </div>
      )}
      {signing && (
        <SignaturePad
          limits={limits}
          onCancel={() => setSigning(false)}
          onDone={(made) => {
            setSigning(false);
            onChange((before) => [...before, made]);
          }}
        />
      )}
    </div>
  );
}

/** What was taken; with a way to save it to the phone where it is otherwise only in this page. */
export function EnclosureList({
  enclosures,
  onRemove,
  saves,
}: {
  enclosures: Enclosure[];
  onRemove?: (gone: Enclosure) => () => void;
  saves?: boolean;
}) {
  if (enclosures.length === 0) return null;
  return (
    <ul className="field-list">
      {enclosures.map((enclosure, i) => (
        <li key={`${enclosure.name}-${i}`}>
          <EnclosureView enclosure={enclosure} onRemove={onRemove?.(enclosure)} saves={saves} />
        </li>
      ))}
    </ul>
  );
}

function EnclosureView({
  enclosure,
  onRemove,
  saves,
}: {
  enclosure: Enclosure;
  onRemove?: () => void;
  saves?: boolean;
}) {
  const { t } = useT();
  const url = useBlobUrl(enclosure.blob);
  const { kind, name, spot, signed, durationMs } = enclosure;
  const capacity = signed && keyOf("capacity", signed.capacity);
  return (
    <figure className={`field-thing field-thing-${kind}`} data-kind={kind}>
      {url && kind !== "voice" && <img src={url} alt={name} />}
      {/* biome-ignore lint/a11y/useMediaCaption: a note that was just spoken has no text. */}
      {url && kind === "voice" && <audio controls src={url} preload="metadata" />}
      <figcaption>
        {kind === "voice" && durationMs !== undefined && (
          <span>{t("field.voice-length", { seconds: Math.max(1, Math.round(durationMs / 1_000)) })}</span>
        )}
        {signed && (
          <span>
            {signed.signer} · {capacity ? t(capacity) : signed.capacity}
          </span>
        )}
        {spot && <span>{t("field.place-accuracy", { metres: number(Math.ceil(spot.accuracy), 0) })}</span>}
        {saves && url && (
          <a href={url} download={name}>
            {t("field.save")}
          </a>
        )}
      </figcaption>
      {enclosure.sentAs && <span className="field-sent">✓</span>}
      {onRemove && (
        <Button
          size="small"
          shape="circle"
          icon={<CloseOutlined />}
          aria-label={t(`field.${kind}-remove`)}
          onClick={onRemove}
        />
      )}
    </figure>
  );
}

function useBlobUrl(blob: Blob): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}
