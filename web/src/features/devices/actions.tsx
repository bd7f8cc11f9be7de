/** What can be done with devices. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Device } from "../../lib/types.ts";

export const deviceListActions: Action<{ add: () => void }>[] = [
  {
    name: "device.add",
    title: "device.add",
    permission: "device.manage",
    icon: <PlusOutlined />,
    primary: true,
    shortcut: "n",
    predicate: () => true,
    perform: ({ add }) => add(),
  },
];

export interface DeviceContext {
  device: Device;
  /** Asks for confirmation, then removes. */
  remove: (device: Device) => void;
}

export const deviceActions: Action<DeviceContext>[] = [
  {
    name: "device.remove",
    title: "device.remove",
    permission: "device.manage",
    icon: <DeleteOutlined />,
    danger: true,
    predicate: () => true,
    perform: ({ device, remove }) => remove(device),
  },
];
