/** Scan (扫码): the code on a point by the camera, or its number by hand; either leads to the point's page. */
import { ScanOutlined } from "@ant-design/icons";
import { Alert, Button, Card, Form, Input, InputNumber } from "antd";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { useWay } from "../../lib/embed.ts";
import { outletOf } from "./code.ts";
import { pointPath } from "./queries.ts";
import { canScan, scan } from "./scanner.ts";

export function Scan() {
  const { t } = useT();
  const [isOn, setOn] = useState(false);
  return (
    <div className="charge-scan">
      <Card size="small">
        <h2>{t("charge.scan-title")}</h2>
        {!canScan() && <p className="quiet">{t("charge.scan-absent")}</p>}
        {canScan() && !isOn && (
          <>
            <p className="quiet">{t("charge.scan-about")}</p>
            <Button type="primary" size="large" block icon={<ScanOutlined />} onClick={() => setOn(true)}>
              {t("charge.scan-begin")}
            </Button>
          </>
        )}
        {isOn && <Camera onClose={() => setOn(false)} />}
      </Card>
      <Card size="small">
        <h2>{t("charge.type-title")}</h2>
        <Typed />
      </Card>
    </div>
  );
}

/** What the browser says when a camera cannot be had (`getUserMedia` of Media Capture and Streams). */
function cameraWord(error: unknown): Key {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "charge-camera.denied";
  return name === "NotFoundError" ? "charge-camera.absent" : "charge-camera.broken";
}

/** On as long as it is on the page. */
function Camera({ onClose }: { onClose: () => void }) {
  const { t } = useT();
  const navigate = useNavigate();
  const way = useWay();
  const video = useRef<HTMLVideoElement>(null);
  const [failed, setFailed] = useState<Key | null>(null);
  const [foreign, setForeign] = useState<string | null>(null);
  const go = useRef((_: string) => {});
  go.current = (text) => {
    const outlet = outletOf(text);
    if (outlet) navigate(way(pointPath(outlet.station, outlet.outlet)));
    else setForeign(text);
  };
  useEffect(() => {
    const gone = new AbortController();
    const screen = video.current;
    if (screen)
      scan(screen, (text) => go.current(text), gone.signal).catch((error: unknown) => {
        if (!gone.signal.aborted) setFailed(cameraWord(error));
      });
    return () => gone.abort();
  }, []);
  return (
    <>
      {failed === null && (
        <video
          ref={video}
          className="charge-camera"
          muted
          playsInline
          aria-label={t("charge.camera-label")}
        />
      )}
      {failed !== null && (
        <Alert type="warning" showIcon title={t(failed)} data-testid="charge-camera-failed" />
      )}
      {foreign !== null && (
        <Alert type="info" showIcon title={t("charge.code-foreign")} description={<code>{foreign}</code>} />
      )}
      <Button block onClick={onClose}>
        {t("charge.scan-end")}
      </Button>
    </>
  );
}

function Typed() {
  const { t } = useT();
  const navigate = useNavigate();
  const way = useWay();
  const [station, setStation] = useState("");
  const [outlet, setOutlet] = useState<number | null>(1);
  const [isWrong, setWrong] = useState(false);
  const go = () => {
    // Whoever pastes the whole address, or types the outlet after the station, means just that.
    const meant = /[/#]/.test(station) ? outletOf(station) : outletOf(`${station.trim()}/${outlet ?? 1}`);
    setWrong(!meant);
    if (meant) navigate(way(pointPath(meant.station, meant.outlet)));
  };
  return (
    <Form layout="vertical" onFinish={go} requiredMark={false}>
      <div className="charge-typed">
        <Form.Item
          label={t("charge.type-station")}
          htmlFor="charge-station"
          validateStatus={isWrong ? "error" : undefined}
          help={isWrong ? t("charge.type-wrong") : t("charge.type-hint")}
        >
          <Input
            id="charge-station"
            size="large"
            autoComplete="off"
            autoCapitalize="characters"
            value={station}
            onChange={({ target }) => {
              setStation(target.value);
              setWrong(false);
            }}
          />
        </Form.Item>
        <Form.Item label={t("charge.type-outlet")} htmlFor="charge-outlet">
          <InputNumber
            id="charge-outlet"
            size="large"
            min={1}
            max={99}
            precision={0}
            value={outlet}
            onChange={setOutlet}
          />
        </Form.Item>
      </div>
      <Button htmlType="submit" size="large" block disabled={station.trim() === ""}>
        {t("charge.type-go")}
      </Button>
    </Form>
  );
}
