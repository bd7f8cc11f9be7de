/** The photos of a project's site: by month, large one by one, and two beside each other to see what was built between them. */
import { DeleteOutlined, LeftOutlined, RightOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Form, Input, Modal, Select } from "antd";
import { useEffect, useState } from "react";
import { type Translate, useT } from "../../i18n/index.tsx";
import type { ProjectDetail, ProjectPhoto, ProjectPhotos } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { photoPlainUrl, photoSmallUrl, photosQuery, photoUrl, removePhoto } from "./queries.ts";

const REASON_CHARS_MAX = 1_000;

/** What a photo is called: its day, and what it shows. */
export function photoWord(photo: ProjectPhoto, t: Translate): string {
  return `${photo.taken_on} ${photo.caption || photo.milestone || t("project-photo.plain")}`;
}

/** What its file is called on the reader's machine. */
function fileName(project: string, { id, taken_on, media_type }: ProjectPhoto): string {
  const ending = media_type === "image/jpeg" ? "jpg" : media_type.split("/")[1];
  return `${project}-${taken_on}-${id}.${ending}`;
}

/** The months of photos, the newest first, each with its photos as they come. */
export function byMonth(photos: ProjectPhoto[]): [month: string, photos: ProjectPhoto[]][] {
  const months = new Map<string, ProjectPhoto[]>();
  for (const photo of photos) {
    const month = photo.taken_on.slice(0, 7);
    months.set(month, [...(months.get(month) ?? []), photo]);
  }
  return [...months];
}

function Picture({ project, photo, small }: { project: string; photo: ProjectPhoto; small?: boolean }) {
  const { t } = useT();
  const url = small ? photoSmallUrl : photoPlainUrl;
  return <img src={url(project, photo.id)} alt={photoWord(photo, t)} loading="lazy" />;
}

export function Photos({ project }: { project: ProjectDetail }) {
  const { t } = useT();
  const found = useQuery(photosQuery(project.item.id));
  return (
    <Card size="small" title={t("project-photo.title")} data-testid="project-photos">
      <Loaded query={found}>{(photos) => <Gallery project={project.item.id} photos={photos} />}</Loaded>
    </Card>
  );
}

function Gallery({ project, photos }: { project: string; photos: ProjectPhotos }) {
  const { t } = useT();
  const { items, removed } = photos;
  const [shown, setShown] = useState<number | null>(null);
  const [removing, setRemoving] = useState<ProjectPhoto | null>(null);
  const [comparing, setComparing] = useState(false);
  const at = items.findIndex(({ id }) => id === shown);
  return (
    <>
      {items.length === 0 && <span className="quiet">{t("project-photo.none")}</span>}
      {items.length > 1 && (
        <Button
          size="small"
          aria-expanded={comparing}
          onClick={() => setComparing(!comparing)}
          data-testid="project-photo-compare"
        >
          {t("project-photo.compare")}
        </Button>
      )}
      {comparing && items.length > 1 && <Compare project={project} items={items} />}
      {byMonth(items).map(([month, of], n) => (
        <details key={month} open={n === 0} className="project-photo-month">
          <summary>
            <span className="number">{month}</span> · {t("project-photo.count", { n: of.length })}
          </summary>
          <ul className="project-photo-grid">
            {of.map((photo) => (
              <li key={photo.id}>
                <button type="button" onClick={() => setShown(photo.id)} data-testid="project-photo">
                  <Picture project={project} photo={photo} small />
                </button>
                <span className="number">{photo.taken_on}</span>
                {photo.milestone && <span className="quiet"> · {photo.milestone}</span>}
                {photo.caption && <div className="ellipsis">{photo.caption}</div>}
              </li>
            ))}
          </ul>
        </details>
      ))}
      {removed.length > 0 && (
        <details className="project-photo-month">
          <summary className="quiet">{t("project-photo.removed", { n: removed.length })}</summary>
          <ul className="project-rows">
            {removed.map((gone) => (
              <li key={gone.id}>
                <span className="number">{gone.taken_on}</span>
                <span>{gone.reason}</span>
                <span className="quiet">
                  {gone.by} · <Time at={gone.at} />
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {at >= 0 && (
        <Lightbox
          project={project}
          items={items}
          at={at}
          go={setShown}
          onClose={() => setShown(null)}
          remove={
            photos.may_edit
              ? (photo) => {
                  setShown(null);
                  setRemoving(photo);
                }
              : undefined
          }
        />
      )}
      {removing && <RemoveDialog project={project} photo={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

/** What is said of a photo, below it. */
function Said({ photo }: { photo: ProjectPhoto }) {
  const { t } = useT();
  const place = photo.location && `${photo.location[0].toFixed(5)}°E, ${photo.location[1].toFixed(5)}°N`;
  return (
    <p className="project-photo-said">
      <span className="number">{photo.taken_on}</span>
      {photo.milestone && ` · ${photo.milestone}`}
      {photo.caption && ` · ${photo.caption}`}
      <br />
      <span className="quiet">
        {place && `${place} · `}
        {photo.added_by} · <Time at={photo.added_at} />
        {photo.own_day && ` · ${t("project-photo.own-day", { day: photo.own_day })}`}
      </span>
    </p>
  );
}

/** One photo, large; arrow keys go to its neighbours. */
function Lightbox({
  project,
  items,
  at,
  go,
  onClose,
  remove,
}: {
  project: string;
  items: ProjectPhoto[];
  at: number;
  go: (id: number) => void;
  onClose: () => void;
  remove?: (photo: ProjectPhoto) => void;
}) {
  const { t } = useT();
  const photo = items[at];
  const newer = items[at - 1]?.id;
  const older = items[at + 1]?.id;
  useFocusBack();
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent) => {
      const next = key === "ArrowLeft" ? newer : key === "ArrowRight" ? older : undefined;
      if (next !== undefined) go(next);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [newer, older, go]);
  if (!photo) return null;
  const step = (id: number | undefined) => () => id !== undefined && go(id);
  return (
    <Modal
      open
      title={photoWord(photo, t)}
      onCancel={onClose}
      width="min(96vw, 1100px)"
      destroyOnHidden
      footer={
        <div className="project-photo-steps">
          <Button icon={<LeftOutlined />} disabled={newer === undefined} onClick={step(newer)}>
            {t("project-photo.newer")}
          </Button>
          <span className="number">
            {at + 1} / {items.length}
          </span>
          <Button icon={<RightOutlined />} disabled={older === undefined} onClick={step(older)}>
            {t("project-photo.older")}
          </Button>
          {remove && (
            <Button danger icon={<DeleteOutlined />} onClick={() => remove(photo)}>
              {t("project-photo.remove")}
            </Button>
          )}
        </div>
      }
    >
      <div className="project-photo-large">
        <Picture project={project} photo={photo} />
      </div>
      <Said photo={photo} />
      <p className="project-photo-files">
        <a href={photoPlainUrl(project, photo.id)} download={fileName(project, photo)}>
          {t("project-photo.load-plain")}
        </a>
        <a href={photoUrl(project, photo.id)} download={fileName(project, photo)}>
          {t("project-photo.load")}
        </a>
      </p>
    </Modal>
  );
}

/** Two photos beside each other: at first the oldest and the newest. */
function Compare({ project, items }: { project: string; items: ProjectPhoto[] }) {
  const { t } = useT();
  const [chosen, setChosen] = useState<[number?, number?]>([]);
  const of = (n: 0 | 1) => items.find(({ id }) => id === chosen[n]) ?? (n === 0 ? items.at(-1) : items[0]);
  const options = items.map((photo) => ({ value: photo.id, label: photoWord(photo, t) }));
  const side = (n: 0 | 1) => {
    const photo = of(n);
    if (!photo) return null;
    return (
      <figure>
        <Select
          aria-label={t(n === 0 ? "project-photo.before" : "project-photo.after")}
          value={photo.id}
          options={options}
          onChange={(id: number) => setChosen(n === 0 ? [id, chosen[1]] : [chosen[0], id])}
        />
        <Picture project={project} photo={photo} />
        <figcaption>
          <Said photo={photo} />
        </figcaption>
      </figure>
    );
  };
  return (
    <div className="project-photo-compare" data-testid="project-photo-pair">
      {side(0)}
      {side(1)}
    </div>
  );
}

/** A photo is removed with the reason, which stays to be read. */
function RemoveDialog({
  project,
  photo,
  onClose,
}: {
  project: string;
  photo: ProjectPhoto;
  onClose: () => void;
}) {
  const { t } = useT();
  const queryClient = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ reason: string }>();
  useFocusBack();
  const perform = async ({ reason }: { reason: string }) => {
    await removePhoto(project, photo.id, reason);
    await queryClient.invalidateQueries({ queryKey: photosQuery(project).queryKey });
    message.success(t("project-photo.gone"));
    onClose();
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("project-photo.remove-of", { photo: photoWord(photo, t) })}
      okText={t("project-photo.remove")}
      submitId="project-photo-remove"
      danger
      intro={<p className="quiet">{t("project-photo.remove-rule")}</p>}
    >
      <Form.Item
        name="reason"
        label={t("project.reason")}
        rules={[{ required: true, whitespace: true, message: t("project.missing") }]}
      >
        <Input.TextArea rows={2} maxLength={REASON_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** The photo that shows that a milestone was reached. */
export function Evidence({ project, id }: { project: string; id: number }) {
  const { t } = useT();
  const photo = useQuery(photosQuery(project)).data?.items.find((one) => one.id === id);
  const word = photo ? photoWord(photo, t) : t("project-photo.plain");
  return (
    <a
      className="project-photo-evidence"
      href={photoPlainUrl(project, id)}
      target="_blank"
      rel="noreferrer"
      aria-label={t("project-photo.evidence", { photo: word })}
    >
      <img src={photoSmallUrl(project, id)} alt={word} loading="lazy" />
    </a>
  );
}

/** A photo of the project to choose, or none. */
export function PhotoSelect({
  project,
  ...control
}: {
  project: string;
  id?: string;
  value?: string;
  onChange?: (id?: string) => void;
}) {
  const { t } = useT();
  const photos = useQuery(photosQuery(project)).data?.items ?? [];
  return (
    <Select
      {...control}
      allowClear
      options={photos.map((photo) => ({ value: String(photo.id), label: photoWord(photo, t) }))}
    />
  );
}
