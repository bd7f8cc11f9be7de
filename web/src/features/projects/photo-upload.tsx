/** Adds photos of a project's site: taken or chosen, each with its day, words and milestone; what failed is sent again. */
import { CameraOutlined, DeleteOutlined, PictureOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Modal, Progress, Select } from "antd";
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { bytes } from "../../lib/format.ts";
import type { ProjectDetail, ProjectPhotos } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { locate } from "../field/locate.ts";
import { addPhoto, type PhotoSaid, photosQuery } from "./queries.ts";

const CAPTION_CHARS_MAX = 200;
/** A picture older than this was not taken here and now, milliseconds: neither the day nor the phone's place is its own. */
const FRESH_MS = 120_000;
const KINDS = "image/jpeg,image/png,image/webp";

/** A photo that is to be sent. */
interface Pending {
  key: number;
  file: File;
  url: string;
  said: PhotoSaid;
  /** How much of it has left, percent; null before and after. */
  sent: number | null;
  failure: unknown;
}

export function PhotosDialog({
  project,
  photos,
  onClose,
}: {
  project: ProjectDetail;
  photos: ProjectPhotos;
  onClose: () => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [pending, setPending] = useState<Pending[]>([]);
  const [busy, setBusy] = useState(false);
  const camera = useRef<HTMLInputElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const urls = useRef<string[]>([]);
  const count = useRef(0);
  useFocusBack();
  useEffect(() => {
    const made = urls.current;
    return () => {
      for (const url of made) URL.revokeObjectURL(url);
    };
  }, []);
  const alter = (key: number, next: Partial<Pending>) =>
    setPending((before) => before.map((one) => (one.key === key ? { ...one, ...next } : one)));
  const say = (one: Pending, said: Partial<PhotoSaid>) => alter(one.key, { said: { ...one.said, ...said } });

  const take = async (files: FileList | null) => {
    const fitting = [...(files ?? [])].filter((file) => file.size <= photos.bytes_max);
    if (fitting.length < (files?.length ?? 0))
      message.error(t("project-photo.large", { size: bytes(photos.bytes_max) }));
    const added = fitting.map((file): Pending => {
      const url = URL.createObjectURL(file);
      urls.current.push(url);
      count.current += 1;
      const isFresh = Date.now() - file.lastModified < FRESH_MS;
      const said: PhotoSaid = { taken_on: isFresh ? photos.day : "", caption: "", milestone: "" };
      return { key: count.current, file, url, said, sent: null, failure: null };
    });
    setPending((before) => [...before, ...added]);
    const fresh = added.filter(({ said }) => said.taken_on !== "");
    if (fresh.length === 0) return;
    // The photo is there at once; its place follows when the phone knows it, or never.
    const located = await locate();
    if (!("spot" in located)) return;
    const { lon, lat } = located.spot;
    setPending((before) =>
      before.map((one) =>
        fresh.some(({ key }) => key === one.key) ? { ...one, said: { ...one.said, lon, lat } } : one,
      ),
    );
  };

  const send = async () => {
    setBusy(true);
    let left = 0;
    for (const one of pending) {
      alter(one.key, { sent: 0, failure: null });
      try {
        await addPhoto(project.item.id, one.file, one.said, {
          onSent: (sent, total) => alter(one.key, { sent: Math.round((100 * sent) / Math.max(1, total)) }),
        });
        setPending((before) => before.filter(({ key }) => key !== one.key));
      } catch (failure) {
        left += 1;
        alter(one.key, { sent: null, failure });
      }
    }
    await queryClient.invalidateQueries({ queryKey: photosQuery(project.item.id).queryKey });
    setBusy(false);
    if (left > 0) return;
    message.success(t("project-photo.added", { n: pending.length }));
    onClose();
  };

  const inputOf = (ref: typeof picker, isCamera: boolean) => (
    <input
      ref={ref}
      type="file"
      accept={KINDS}
      multiple={!isCamera}
      capture={isCamera ? "environment" : undefined}
      hidden
      data-testid={isCamera ? "project-photo-camera" : "project-photo-file"}
      onChange={(event) => {
        void take(event.target.files);
        event.target.value = "";
      }}
    />
  );
  const failed = pending.some(({ failure }) => failure !== null);
  return (
    <Modal
      open
      title={t("project-photo.add")}
      onCancel={onClose}
      onOk={() => void send()}
      okText={failed ? t("project-photo.again") : t("project-photo.send", { n: pending.length })}
      okButtonProps={{
        disabled: pending.length === 0,
        loading: busy,
        "data-testid": "project-photo-send",
      }}
      cancelButtonProps={{ disabled: busy }}
      closable={!busy}
      mask={{ closable: false }}
      destroyOnHidden
    >
      <p className="quiet">{t("project-photo.rule", { size: bytes(photos.bytes_max) })}</p>
      <div className="project-photo-adds">
        <Button icon={<CameraOutlined />} disabled={busy} onClick={() => camera.current?.click()}>
          {t("project-photo.take")}
        </Button>
        <Button icon={<PictureOutlined />} disabled={busy} onClick={() => picker.current?.click()}>
          {t("project-photo.choose")}
        </Button>
        {inputOf(camera, true)}
        {inputOf(picker, false)}
      </div>
      <ul className="project-photo-pending">
        {pending.map((one, n) => (
          <li key={one.key} className="project-entry">
            <img src={one.url} alt={one.file.name} />
            <div>
              <div className="project-entry-head">
                <span className="quiet ellipsis">
                  {one.file.name} · {bytes(one.file.size)}
                </span>
                <Button
                  size="small"
                  icon={<DeleteOutlined />}
                  disabled={busy}
                  aria-label={t("project-photo.drop", { n: n + 1 })}
                  onClick={() => setPending((before) => before.filter(({ key }) => key !== one.key))}
                />
              </div>
              <Input
                type="date"
                aria-label={t("project-photo.day-of", { n: n + 1 })}
                max={photos.day}
                value={one.said.taken_on}
                disabled={busy}
                onChange={(event) => say(one, { taken_on: event.target.value })}
              />
              {one.said.taken_on === "" && <span className="quiet">{t("project-photo.day-own")}</span>}
              <Input
                aria-label={t("project-photo.caption-of", { n: n + 1 })}
                placeholder={t("project-photo.caption")}
                maxLength={CAPTION_CHARS_MAX}
                value={one.said.caption}
                disabled={busy}
                onChange={(event) => say(one, { caption: event.target.value })}
              />
              <span className="quiet">{t("project-photo.milestone")}</span>
              <Select
                allowClear
                aria-label={t("project-photo.milestone-of", { n: n + 1 })}
                value={one.said.milestone || undefined}
                disabled={busy}
                onChange={(milestone?: string) => say(one, { milestone: milestone ?? "" })}
                options={project.kept.milestones.map(({ name }) => ({ value: name, label: name }))}
              />
              {one.said.lon !== undefined && <span className="quiet">{t("project-photo.here")}</span>}
              {one.sent !== null && <Progress percent={one.sent} size="small" />}
              {one.failure !== null && (
                <div className="rejected" role="alert">
                  {errorText(one.failure, t)}
                </div>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Modal>
  );
}
