/** How a command is written: what it says, where it stands, and what interlocks say of it. */
import { CheckCircleFilled, CloseCircleFilled, MinusCircleOutlined } from "@ant-design/icons";
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { quantity } from "../../lib/format.ts";
import type { Command, CommandInterlock, CommandWhy } from "../../lib/types.ts";

const COLOURS: Record<string, string> = {
  asked: "gold",
  approved: "processing",
  sent: "processing",
  done: "success",
  failed: "error",
  refused: "volcano",
};

export function StateTag({ state }: { state: string }) {
  const { t } = useT();
  const key = keyOf("dispatch-state", state);
  return <Tag color={COLOURS[state]}>{key ? t(key) : state}</Tag>;
}

/** `闸门开度 → 0.5 m`. */
export function Order({ command }: { command: Command }) {
  const { t, p } = useT();
  const { value, unit } = command;
  const said = typeof value === "boolean" ? t(value ? "dispatch.on" : "dispatch.off") : quantity(value, unit);
  return (
    <>
      {p(command.title_zh, command.title_en)} → <strong className="number">{said}</strong>
    </>
  );
}

export const nameOf = ({ entity_name, entity_id }: Command) => entity_name ?? entity_id;

export function Interlocks({ interlocks }: { interlocks: CommandInterlock[] }) {
  const { t, p } = useT();
  return (
    <ul className="plain-list dispatch-interlocks" aria-label={t("dispatch.interlocks")}>
      {interlocks.map((each) => {
        const key = keyOf("dispatch-outcome", each.outcome ?? "");
        const icon =
          each.lets_go === null ? (
            <MinusCircleOutlined />
          ) : each.lets_go ? (
            <CheckCircleFilled className="dispatch-go" />
          ) : (
            <CloseCircleFilled className="dispatch-stop" />
          );
        return (
          <li key={each.text_en} data-goes={each.lets_go}>
            {icon} <span>{p(each.text_zh, each.text_en)}</span>
            {key && <span className="quiet"> · {t(key)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** Why something did not go, and what to do. */
export function Why({ why }: { why: CommandWhy[] }) {
  const { p } = useT();
  return (
    <ul className="dispatch-why">
      {why.map((each) => (
        <li key={each.code + each.what_en}>
          {p(each.what_zh, each.what_en)}
          {each.mend_zh && <div className="quiet">{p(each.mend_zh, each.mend_en)}</div>}
        </li>
      ))}
    </ul>
  );
}
