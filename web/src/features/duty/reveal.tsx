/** Shows the number of an outside contact whole for a purpose, until the dialog is closed. */
import { Alert, Descriptions, Form, Modal } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { OutsideContact } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { PurposeField } from "../personal/purpose-field.tsx";
import { revealedContact } from "./queries.ts";

export function RevealContact({ contact, onClose }: { contact: OutsideContact; onClose: () => void }) {
  const { t } = useT();
  const [form] = Form.useForm<{ purpose: string }>();
  const [seen, setSeen] = useState<OutsideContact | null>(null);
  useFocusBack();
  if (!seen) {
    return (
      <FormDialog
        form={form}
        perform={async ({ purpose }) => setSeen(await revealedContact(contact.id, purpose))}
        onClose={onClose}
        title={`${t("duty.contact-reveal")}: ${contact.unit} ${contact.name}`}
        okText={t("personal.reveal-do")}
        submitId="contact-reveal"
        intro={<Alert type="info" showIcon className="duty-intro" title={t("personal.reveal-about")} />}
      >
        <PurposeField />
      </FormDialog>
    );
  }
  const isWhole = seen.phone !== contact.phone;
  return (
    <Modal open onCancel={onClose} footer={null} title={`${seen.unit} ${seen.name}`} destroyOnHidden>
      <Descriptions
        size="small"
        column={1}
        bordered
        items={[
          {
            key: "phone",
            label: t("duty.phone"),
            children: isWhole ? (
              <a href={`tel:${seen.phone}`} data-testid="contact-whole">
                <strong>{seen.phone}</strong>
              </a>
            ) : (
              seen.phone
            ),
          },
        ]}
      />
      <p className="quiet">{t(isWhole ? "personal.reveal-close" : "duty.contact-masked")}</p>
    </Modal>
  );
}
