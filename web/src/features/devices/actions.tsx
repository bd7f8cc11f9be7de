/** What can be done with devices. */
import { DeleteOutlined, KeyOutlined, MessageOutlined, PlusOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { Device, DeviceCredential } from "../../lib/types.ts";

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
  /** Shows what it signs in with. */
  credentials: (device: Device) => void;
  /** Asks it something over its own protocol. */
  questions: (device: Device) => void;
}

export const deviceActions: Action<DeviceContext>[] = [
  {
    name: "device.questions",
    title: "device.questions",
    permission: "device.manage",
    icon: <MessageOutlined />,
    predicate: ({ device }) => device.can_be_asked,
    perform: ({ device, questions }) => questions(device),
  },
  {
    name: "device.credentials",
    title: "device.credentials",
    permission: "device.read",
    icon: <KeyOutlined />,
    predicate: () => true,
    perform: ({ device, credentials }) => credentials(device),
  },
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

export interface CredentialsContext {
  /** Asks for how long the old password or key stays good, then makes a new one. */
  rotate: () => void;
  addCertificate: () => void;
}

export const credentialsActions: Action<CredentialsContext>[] = [
  {
    name: "device.rotate",
    title: "device.rotate",
    permission: "device.manage",
    predicate: () => true,
    perform: ({ rotate }) => rotate(),
  },
  {
    name: "device.certificate-add",
    title: "device.certificate-add",
    permission: "device.manage",
    icon: <PlusOutlined />,
    predicate: () => true,
    perform: ({ addCertificate }) => addCertificate(),
  },
];

export const certificateActions: Action<{
  credential: DeviceCredential;
  remove: (credential: DeviceCredential) => unknown;
}>[] = [
  {
    name: "device.certificate-remove",
    title: "device.certificate-remove",
    permission: "device.manage",
    danger: true,
    predicate: ({ credential }) => credential.fingerprint !== null,
    perform: ({ credential, remove }) => remove(credential),
  },
];
