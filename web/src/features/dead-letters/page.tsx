/** Dead letters: each message that could not be understood, whole, with what is wrong and the mend. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Drawer, Input, Table } from "antd";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { bytes, ZONE_LABEL } from "../../lib/format.ts";
import type { DeadLetter } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { More } from "../../ui/more.tsx";
import { Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { MessageDetails, ProblemTitle } from "../provenance/drawer.tsx";
import { deadLetterActions } from "./actions.tsx";
import { deadLetterQuery, deadLettersQuery } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 620;

export function Page() {
  const { t } = useT();
  const phone = usePhone();
  const [parameters, setParameters] = useSearchParams();
  const device = parameters.get("device") ?? undefined;
  const opened = parameters.get("position");
  const letters = useInfiniteQuery(deadLettersQuery(device));
  const items = useMemo(() => letters.data?.pages.flatMap((page) => page.items) ?? [], [letters.data]);
  const go = (next: { device?: string; position?: number }) => {
    const search: Record<string, string> = {};
    if (next.device) search.device = next.device;
    if (next.position !== undefined) search.position = String(next.position);
    setParameters(search, { replace: true });
  };
  const open = (position: number) => go({ device, position });

  const failure = useFailure(letters);
  const list = () => {
    if (failure) return failure;
    if (!letters.data) return <Loading tall />;
    if (items.length === 0) return <Nothing title={t("dead.none")} />;
    if (phone) {
      return (
        <ul className="card-list">
          {items.map((letter) => (
            <li key={letter.position}>
              <button
                type="button"
                className="item-card"
                data-testid="dead-letter"
                onClick={() => open(letter.position)}
              >
                <strong>
                  <ProblemTitle problem={letter.problem} />
                </strong>
                <span className="quiet ellipsis">
                  <code>{letter.withheld ? t("personal.withheld") : letter.preview}</code>
                </span>
                <span className="quiet">
                  {letter.device_id ?? "—"} · <Age at={letter.received_at} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      );
    }
    return (
      <Table<DeadLetter>
        size="small"
        rowKey="position"
        dataSource={items}
        pagination={false}
        className="tabular"
        scroll={{ x: 980 }}
        rowClassName="row-link"
        onRow={(letter) =>
          ({
            ...openableRow(() => open(letter.position)),
            "data-testid": "dead-letter",
          }) as React.HTMLAttributes<HTMLElement>
        }
        columns={[
          {
            title: `${t("dead.received")} (${ZONE_LABEL})`,
            width: 170,
            render: (_, letter) => <Time at={letter.received_at} bare />,
          },
          {
            title: t("dead.device"),
            width: 150,
            render: (_, letter) => (
              <>
                <div>{letter.device_id ?? "—"}</div>
                <div className="quiet">{letter.door}</div>
              </>
            ),
          },
          {
            title: t("dead.problem"),
            render: (_, letter) => (
              <>
                <ProblemTitle problem={letter.problem} />
                <div className="quiet">
                  <code>{letter.problem.place}</code> · {letter.problem.mend}
                </div>
              </>
            ),
          },
          {
            title: t("dead.preview"),
            width: 190,
            ellipsis: true,
            render: (_, letter) => (
              <code className="quiet">{letter.withheld ? t("personal.withheld") : letter.preview}</code>
            ),
          },
          {
            title: t("dead.size"),
            width: 90,
            align: "right",
            render: (_, letter) => bytes(letter.size_bytes),
          },
          {
            title: t("word.operations"),
            width: 130,
            render: (_, letter) => (
              <ActionBar actions={deadLetterActions} context={{ letter, open }} size="small" />
            ),
          },
        ]}
      />
    );
  };

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("dead.title")}</h1>
        <span className="quiet">{t("dead.about")}</span>
        <span className="grow" />
        <Input.Search
          key={device ?? ""}
          allowClear
          defaultValue={device}
          placeholder={t("dead.filter-device")}
          aria-label={t("dead.filter-device")}
          style={{ width: 260 }}
          onSearch={(text) => go({ device: text.trim() || undefined })}
        />
      </header>
      {list()}
      <More list={letters} />
      <Drawer
        open={opened !== null}
        onClose={() => go({ device })}
        size={Math.min(DRAWER_WIDTH, window.innerWidth)}
        title={t("dead.title")}
        destroyOnHidden
      >
        {opened !== null && <Letter position={Number(opened)} />}
      </Drawer>
    </div>
  );
}

function Letter({ position }: { position: number }) {
  const letter = useQuery(deadLetterQuery(position));
  return <Loaded query={letter}>{(found) => <MessageDetails message={found} />}</Loaded>;
}
