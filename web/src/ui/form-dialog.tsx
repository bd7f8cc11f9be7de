/** A form in a dialog: its button sends what was entered once it is complete, waits, and says what went wrong. */
import { App, Form, type FormInstance, Modal } from "antd";
import { type ReactNode, useState } from "react";
import { useT } from "../i18n/index.tsx";
import { errorText } from "./states.tsx";

/** How long an error stays, seconds: it says what, where and the mend. */
const ERROR_S = 6;
/** Widest dialog, pixels; a phone's is as wide as the phone. */
const WIDE = 760;

export function FormDialog<Entered extends object>({
  form,
  perform,
  onClose,
  title,
  okText,
  submitId,
  danger,
  wide,
  onWrong,
  open = true,
  initialValues,
  intro,
  children,
}: {
  form: FormInstance<Entered>;
  /** Sends what was entered, and closes the dialog; what it throws is shown, and the dialog stays. */
  perform: (entered: Entered) => Promise<void>;
  onClose: () => void;
  title: string;
  okText: string;
  /** The button's name for tests. */
  submitId: string;
  danger?: boolean;
  /** For a long form: wider, and it goes to the first field that is not as it should be. */
  wide?: boolean;
  /** Brings the first field that is not as it should be to sight, before the dialog goes to it. */
  onWrong?: (name: (string | number)[]) => void;
  open?: boolean;
  initialValues?: Partial<Entered>;
  /** What stands above the fields. */
  intro?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    const entered = await form
      .validateFields()
      .catch((wrong: { errorFields?: { name: (string | number)[] }[] }) => {
        const first = wrong.errorFields?.[0];
        if (first) onWrong?.(first.name);
        if (wide && first) form.scrollToField(first.name, { block: "center", focus: true });
        return null;
      });
    if (!entered) return;
    setBusy(true);
    try {
      await perform(entered);
    } catch (error) {
      message.error(errorText(error, t), ERROR_S);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open={open}
      onCancel={onClose}
      onOk={submit}
      confirmLoading={busy}
      title={title}
      width={wide ? WIDE : undefined}
      okText={okText}
      okButtonProps={{ danger, "data-testid": submitId }}
      destroyOnHidden
    >
      {intro}
      <Form form={form} layout="vertical" initialValues={initialValues}>
        {children}
      </Form>
    </Modal>
  );
}
