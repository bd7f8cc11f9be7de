/** Asks before a declaration is run now, for one of its targets or for all of them. */

import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { Run } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { startRuns } from "./queries.ts";

/** Longest entity id that the server takes, characters. */
const ID_CHARS_MAX = 256;

/** What is to be run. */
export interface Start {
  definition: string;
  title: string;
  /** Runs are for single targets, and one can be named. */
  hasTargets: boolean;
  /** The target is known already: `name` is how it is called. */
  target: { id: string; name: string } | null;
}

interface Entered {
  target?: string;
}

export function StartDialog({
  start,
  onClose,
  onMade,
}: {
  start: Start;
  onClose: () => void;
  /** Hears what was run. */
  onMade: (runs: Run[]) => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  useFocusBack();
  const perform = async ({ target }: Entered) => {
    const { runs } = await startRuns(start.definition, start.target?.id ?? (target?.trim() || null));
    const failed = runs.filter((run) => run.outcome !== "done").length;
    const told = t("run.started", { done: runs.length - failed, failed });
    if (failed > 0) message.warning(told, 6);
    else message.success(told);
    void queryClient.invalidateQueries({ queryKey: ["runs"] });
    void queryClient.invalidateQueries({ queryKey: ["forecasts"] });
    onClose();
    onMade(runs);
  };
  const asks = start.hasTargets && start.target === null;
  const what = () => {
    if (start.target) return t("run.start-one", { target: start.target.name });
    return t(start.hasTargets ? "run.start-all" : "run.start-city");
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("run.start-confirm", { title: start.title })}
      okText={t("run.start")}
      submitId="run-start-submit"
      intro={
        <>
          <p>{what()}</p>
          <p className="quiet">{t("run.start-rule")}</p>
        </>
      }
    >
      {asks && (
        <Form.Item
          name="target"
          label={`${t("run.target")} (${t("word.optional")})`}
          rules={[{ pattern: /^\s*(urn:\S+)?\s*$/, message: t("run.target-shape") }]}
        >
          <Input placeholder="urn:ngsi-ld:…" maxLength={ID_CHARS_MAX} />
        </Form.Item>
      )}
    </FormDialog>
  );
}
