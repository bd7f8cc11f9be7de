/** Small parts of supervision: how a figure is counted, a share as a bar, a rate in a hundred, an outlet with the way to it. */
import { QuestionCircleOutlined } from "@ant-design/icons";
import { Button, Card, Input, Popover } from "antd";
import { type ReactNode, useId } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { number, pick } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ChargingSupervision } from "../../lib/types.ts";

/** `3.2 %`; a dash where there is nothing of which it could be a share. */
export const percent = (rate: number | null | undefined): string =>
  rate === null || rate === undefined ? "—" : `${(rate * 100).toFixed(1)} %`;

export const kilowatts = (watts: number): string => `${number(watts / 1_000, 1)} kW`;

/** How a figure is counted, by the server's own words, on a click. */
function How({ of, figure, found }: { of: string; figure: string; found: ChargingSupervision }) {
  const { t, language } = useT();
  const definition = found.definitions.find(({ id }) => id === of);
  if (!definition) return null;
  return (
    <Popover
      trigger="click"
      title={figure}
      content={<p className="supervision-how">{pick(language, definition.zh, definition.en)}</p>}
    >
      <Button
        type="text"
        size="small"
        className="supervision-ask"
        icon={<QuestionCircleOutlined />}
        aria-label={t("supervision.how-of", { figure })}
      />
    </Popover>
  );
}

interface FigureProps {
  title: string;
  of: ReactNode;
  how: string;
  found: ChargingSupervision;
  wrong?: boolean;
  children: ReactNode;
}

/** A figure, what it is of, and how it is counted. */
export function Figure({ title, of, how, found, wrong, children }: FigureProps) {
  return (
    <li>
      <span className="supervision-figure-head">
        {title}
        <How of={how} figure={title} found={found} />
      </span>
      <span className={wrong ? "big-value charging-wrong" : "big-value"}>{children}</span>
      <span className="quiet charging-of">{of}</span>
    </li>
  );
}

interface AskedCardProps {
  title: string;
  how: string;
  found: ChargingSupervision;
  testId: string;
  extra?: ReactNode;
  children: ReactNode;
}

/** A card that says beside its title how what is in it is counted. */
export function AskedCard({ title, how, found, testId, extra, children }: AskedCardProps) {
  return (
    <Card
      size="small"
      title={
        <>
          {title} <How of={how} figure={title} found={found} />
        </>
      }
      extra={extra}
      data-testid={testId}
    >
      {children}
    </Card>
  );
}

/** A value with a bar as long as its share of the largest. */
export function Bar({ value, most, children }: { value: number; most: number; children: ReactNode }) {
  return (
    <span className="supervision-bar">
      <span className="number">{children}</span>
      <span className="charging-share" aria-hidden="true">
        <span style={{ width: `${most > 0 ? Math.min(100, (value / most) * 100) : 0}%` }} />
      </span>
    </span>
  );
}

/** A thing by its name, and the way to it for who may see it. */
export function Thing({ id, name }: { id: string; name: string }) {
  const user = useUser();
  if (!can(user, "entity.read")) return <>{name}</>;
  return <Link to={`/entities/${encodeURIComponent(id)}`}>{name}</Link>;
}

/** A field whose text goes into the address when it is left or entered. */
export function Term({ name, label, set }: { name: "rate" | "cap" | "far_km"; label: string; set: string }) {
  const id = useId();
  const [parameters, change] = useAddress();
  const said = parameters.get(name) ?? set;
  const enter = (text: string) => text.trim() !== said && change({ [name]: text.trim() || undefined });
  return (
    <label htmlFor={id}>
      {label}{" "}
      <Input
        id={id}
        key={said}
        inputMode="decimal"
        defaultValue={said}
        maxLength={20}
        onPressEnter={(event) => enter(event.currentTarget.value)}
        onBlur={(event) => enter(event.target.value)}
      />
    </label>
  );
}
