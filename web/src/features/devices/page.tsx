/** Devices: which are connected, when they were last heard, what they sent. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Badge, Input, Segmented, Table } from "antd";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import type { Device } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { errorText, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { ReasonField, useTellAsked } from "../approvals/waiting.tsx";
import { typesQuery } from "../map/queries.ts";
import { deviceActions, deviceListActions } from "./actions.tsx";
import { CredentialsDialog } from "./credentials.tsx";
import { AddDeviceDialog } from "./dialogs.tsx";
import { devicesQuery, removeDevice } from "./queries.ts";
import { QuestionsDialog } from "./questions.tsx";

type OnlineFilter = "all" | "online" | "offline";

export function Page() {
  const { t, p } = useT();
  const phone = usePhone();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const tellAsked = useTellAsked();
  const [online, setOnline] = useState<OnlineFilter>("all");
  const [q, setQ] = useState("");
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<Device | null>(null);
  const [asked, setAsked] = useState<Device | null>(null);
  const devices = useInfiniteQuery(
    devicesQuery({ online: online === "all" ? undefined : online === "online", q: q.trim() || undefined }),
  );
  const items = useMemo(() => devices.data?.pages.flatMap((page) => page.items) ?? [], [devices.data]);
  const types = useQuery(typesQuery).data;
  const typeOf = (device: Device) => {
    const kind = types?.get(device.type);
    return kind ? p(kind.title_zh, kind.title_en) : device.type;
  };
  const context = { add: () => setAdding(true) };
  useActionKeys(deviceListActions, adding || shown || asked ? null : context);

  const remove = (device: Device) => {
    let reason = "";
    modal.confirm({
      title: t("device.remove-confirm", { name: device.name || device.client_id }),
      content: (
        <>
          <p>{t("device.remove-text")}</p>
          <ReasonField
            onChange={(text) => {
              reason = text;
            }}
          />
        </>
      ),
      okText: t("device.remove"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: async () => {
        try {
          const answer = await removeDevice(device.client_id, reason.trim());
          if (!tellAsked(answer)) message.success(t("device.removed"));
          void queryClient.invalidateQueries({ queryKey: ["devices"] });
        } catch (error) {
          message.error(errorText(error, t), 6);
        }
      },
    });
  };
  const state = (device: Device) => (
    <Badge
      status={device.online ? "success" : "default"}
      text={t(device.online ? "device.online" : "device.offline")}
    />
  );
  const seen = (device: Device) =>
    device.last_seen_at ? (
      <Age at={device.last_seen_at} />
    ) : (
      <span className="quiet">{t("device.never")}</span>
    );
  const counts = (device: Device) => (
    <>
      {device.messages.toLocaleString("en-US")}
      {device.rejected > 0 && (
        <>
          {" · "}
          <Link className="rejected" to={`/dead-letters?device=${encodeURIComponent(device.client_id)}`}>
            {t("device.rejected")} {device.rejected.toLocaleString("en-US")}
          </Link>
        </>
      )}
    </>
  );

  const failure = useFailure(devices);
  const list = () => {
    if (failure) return failure;
    if (!devices.data) return <Loading tall />;
    if (items.length === 0) {
      const filtered = q !== "" || online !== "all";
      return (
        <Nothing
          title={t(filtered ? "device.none-match" : "device.none")}
          mend={filtered ? undefined : t("device.none-mend")}
        />
      );
    }
    if (phone) {
      return (
        <ul className="card-list">
          {items.map((device) => (
            <li key={device.client_id} className="item-card" style={{ cursor: "default" }}>
              <span className="item-card-head">
                <strong>
                  <Link to={`/entities/${encodeURIComponent(device.id)}`}>
                    {device.name || device.client_id}
                  </Link>
                </strong>
                {state(device)}
              </span>
              <code className="quiet ellipsis">{device.client_id}</code>
              <span className="quiet">
                {typeOf(device)} · {seen(device)} · {t("device.messages")} {counts(device)}
              </span>
              <span>
                <ActionBar
                  actions={deviceActions}
                  context={{ device, remove, credentials: setShown, questions: setAsked }}
                  size="small"
                />
              </span>
            </li>
          ))}
        </ul>
      );
    }
    return (
      <Table
        size="small"
        rowKey="client_id"
        dataSource={items}
        pagination={false}
        className="tabular"
        scroll={{ x: 1140 }}
        columns={[
          { title: t("word.state"), width: 90, render: (_, device) => state(device) },
          {
            title: t("word.name"),
            render: (_, device) => (
              <>
                <Link to={`/entities/${encodeURIComponent(device.id)}`}>{device.name || device.id}</Link>
                <div className="quiet">
                  <code>{device.id}</code>
                </div>
              </>
            ),
          },
          {
            title: t("word.type"),
            width: 170,
            render: (_, device) => <span title={device.type}>{typeOf(device)}</span>,
          },
          { title: t("device.client"), width: 240, render: (_, device) => <code>{device.client_id}</code> },
          { title: t("device.last-seen"), width: 110, render: (_, device) => seen(device) },
          { title: t("device.messages"), width: 170, align: "right", render: (_, device) => counts(device) },
          {
            title: t("word.operations"),
            width: 270,
            render: (_, device) => (
              <ActionBar
                actions={deviceActions}
                context={{ device, remove, credentials: setShown, questions: setAsked }}
                size="small"
              />
            ),
          },
        ]}
      />
    );
  };

  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("device.title")}</h1>
        <Segmented<OnlineFilter>
          value={online}
          onChange={setOnline}
          aria-label={t("device.filter")}
          options={[
            { value: "all", label: t("list.all") },
            { value: "online", label: t("device.online") },
            { value: "offline", label: t("device.offline") },
          ]}
        />
        <Input.Search
          allowClear
          placeholder={t("list.search")}
          aria-label={t("list.search")}
          style={{ width: 220 }}
          onSearch={setQ}
        />
        <span className="grow" />
        <ActionBar actions={deviceListActions} context={context} />
      </header>
      {list()}
      <More list={devices} />
      {shown && <CredentialsDialog device={shown} onClose={() => setShown(null)} />}
      {asked && <QuestionsDialog device={asked} onClose={() => setAsked(null)} />}
      {adding && <AddDeviceDialog onClose={() => setAdding(false)} />}
    </div>
  );
}
