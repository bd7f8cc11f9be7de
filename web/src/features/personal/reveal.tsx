/** Shows an entity's personal values for a purpose, until the dialog is closed. */
import { Alert, Descriptions, Form, Modal } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { quantity } from "../../lib/format.ts";
import type { EntityDetail } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { PurposeField } from "./purpose-field.tsx";
import { revealed } from "./queries.ts";

export function RevealDialog({ entity, onClose }: { entity: EntityDetail; onClose: () => void }) {
  const { t, p } = useT();
  const [form] = Form.useForm<{ purpose: string }>();
  const [seen, setSeen] = useState<EntityDetail | null>(null);
  useFocusBack();
  if (seen) {
    const names = Object.keys(entity.attributes).filter((name) => entity.attributes[name]?.masked);
    return (
      <Modal open onCancel={onClose} footer={null} title={t("personal.title")} destroyOnHidden>
        <Descriptions
          size="small"
          column={1}
          bordered
          items={names.map((name) => {
            const declared = entity.kind?.attributes[name];
            return {
              key: name,
              label: declared ? p(declared.title_zh, declared.title_en) : name,
              children: <strong>{quantity(seen.attributes[name]?.value, null)}</strong>,
            };
          })}
        />
        <p className="quiet">{t("personal.reveal-close")}</p>
      </Modal>
    );
  }
  return (
    <FormDialog
      form={form}
      perform={async ({ purpose }) => setSeen(await revealed(entity.id, purpose))}
      onClose={onClose}
      title={t("personal.reveal")}
      okText={t("personal.reveal-do")}
      submitId="reveal-submit"
      intro={<Alert type="info" showIcon title={t("personal.reveal-about")} style={{ marginBottom: 16 }} />}
    >
      <PurposeField />
    </FormDialog>
  );
}
