/** What can be done while a past stretch is played: with the mouse, and with a key each. */
import {
  BackwardOutlined,
  CaretRightOutlined,
  FastBackwardOutlined,
  FastForwardOutlined,
  ForwardOutlined,
  PauseOutlined,
  StepForwardOutlined,
} from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import { faster, jump, type Player, pause, play, STEP_MS, step } from "./player.ts";
import type { Recording } from "./recording.ts";

export interface ReplayContext {
  recording: Recording | null;
  player: Player | null;
  change: (to: (player: Player) => Player) => void;
}

const ready = ({ recording }: ReplayContext) => recording !== null;
const act = (
  name: string,
  title: Action<ReplayContext>["title"],
  icon: Action<ReplayContext>["icon"],
  shortcut: string,
  to: (player: Player) => Player,
): Action<ReplayContext> => ({
  name: `replay.${name}`,
  title,
  permission: "entity.read",
  icon,
  shortcut,
  predicate: ready,
  perform: ({ change }) => change(to),
});

export const replayActions: Action<ReplayContext>[] = [
  {
    ...act("play", "replay.play", <CaretRightOutlined />, "k", (p) => play(p, performance.now())),
    predicate: ({ player }) => player !== null && !player.playing,
  },
  {
    ...act("pause", "replay.pause", <PauseOutlined />, "k", pause),
    predicate: ({ player }) => player?.playing ?? false,
  },
  act("start", "replay.start", <FastBackwardOutlined />, "home", (p) => jump(p, 0)),
  act("back", "replay.back", <BackwardOutlined />, ",", (p) => step(p, -STEP_MS)),
  act("forward", "replay.forward", <ForwardOutlined />, ".", (p) => step(p, STEP_MS)),
  {
    ...act("next", "replay.next", <StepForwardOutlined />, "n", (p) => p),
    perform: ({ recording, change }) => {
      const next = recording?.nextMoment();
      if (next != null) change((p) => jump(pause(p), next));
    },
  },
  act("slower", "replay.slower", <BackwardOutlined rotate={90} />, "[", (p) => faster(p, -1)),
  act("faster", "replay.faster", <FastForwardOutlined rotate={-90} />, "]", (p) => faster(p, 1)),
];
