/** The files that prove a reported figure: as a list with size, hash and who brought them, and to add and take away in the dialog. */
import { DeleteOutlined, PaperClipOutlined, PlusOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useRef } from "react";
import { useT } from "../../i18n/index.tsx";
import { bytes } from "../../lib/format.ts";
import type { IndicatorFilingFile } from "../../lib/types.ts";
import { CopyButton, Time } from "../../ui/tags.tsx";
import { fileUrl, reportingQuery } from "./queries.ts";

/** What the server takes, by its bytes. */
const KINDS = ".pdf,.jpg,.jpeg,.png,.webp,.xlsx,.docx,.csv";
/** Characters of a hash that are shown; the whole one is copied. */
const HASH_SHOWN = 12;

/** The files of a report, each a link to itself. */
export function EvidenceFiles({ report, files }: { report: number; files: IndicatorFilingFile[] }) {
  const { t } = useT();
  if (files.length === 0) return null;
  return (
    <ul className="evidence" aria-label={t("reports.files")} data-testid="evidence">
      {files.map((file) => (
        <li key={file.id}>
          <PaperClipOutlined />{" "}
          <a
            href={fileUrl(report, file.id)}
            {...(file.media_type.startsWith("image/")
              ? { target: "_blank", rel: "noreferrer" }
              : { download: file.name })}
          >
            {file.name}
          </a>{" "}
          <span className="quiet">
            {bytes(file.size_bytes)} · {file.added_by} · <Time at={file.added_at} /> · SHA-256{" "}
            <code title={file.sha256}>{file.sha256.slice(0, HASH_SHOWN)}…</code>
          </span>{" "}
          <CopyButton text={file.sha256} label={t("reports.file-hash", { name: file.name })} />
        </li>
      ))}
    </ul>
  );
}

/** Files that a report has, which can be taken away, and those that are still to be sent. */
export function EvidenceField({
  kept,
  pending,
  onPending,
  onRemove,
}: {
  kept: IndicatorFilingFile[];
  pending: File[];
  onPending: (pending: File[]) => void;
  onRemove: (file: IndicatorFilingFile) => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const picker = useRef<HTMLInputElement>(null);
  const limits = useQuery(reportingQuery).data;
  const take = (chosen: FileList | null) => {
    const all = [...(chosen ?? [])];
    const fitting = all.filter((file) => file.size <= (limits?.file_bytes_max ?? Number.POSITIVE_INFINITY));
    if (limits && fitting.length < all.length) {
      message.error(t("reports.file-large", { size: bytes(limits.file_bytes_max) }));
    }
    const most = (limits?.files_max ?? Number.POSITIVE_INFINITY) - kept.length;
    const next = [...pending, ...fitting];
    if (next.length > most) message.error(t("reports.files-full", { n: limits?.files_max ?? 0 }));
    onPending(next.slice(0, Math.max(0, most)));
  };
  return (
    <fieldset className="evidence-field">
      <legend>{t("reports.files")}</legend>
      <ul className="evidence">
        {kept.map((file) => (
          <li key={file.id}>
            <PaperClipOutlined /> {file.name} <span className="quiet">{bytes(file.size_bytes)}</span>{" "}
            <Button
              size="small"
              type="text"
              icon={<DeleteOutlined />}
              aria-label={t("reports.file-remove", { name: file.name })}
              onClick={() => onRemove(file)}
            />
          </li>
        ))}
        {pending.map((file, n) => (
          <li key={`${n} ${file.name}`} data-testid="evidence-pending">
            <PlusOutlined /> {file.name} <span className="quiet">{bytes(file.size)}</span>{" "}
            <Button
              size="small"
              type="text"
              icon={<DeleteOutlined />}
              aria-label={t("reports.file-remove", { name: file.name })}
              onClick={() => onPending(pending.filter((_, at) => at !== n))}
            />
          </li>
        ))}
      </ul>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        accept={KINDS}
        data-testid="evidence-input"
        onChange={(event) => {
          take(event.target.files);
          // The same file chosen again is a choice.
          event.target.value = "";
        }}
      />
      <Button size="small" icon={<PaperClipOutlined />} onClick={() => picker.current?.click()}>
        {t("reports.file-add")}
      </Button>
      <p className="quiet">{t("reports.files-rule")}</p>
    </fieldset>
  );
}
