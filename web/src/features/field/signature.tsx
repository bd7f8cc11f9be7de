/** A signature: drawn with finger, pen or mouse, or the name typed where nobody can draw; who signed, and as what. */
import "./field.css";
import { Button, Input, Select } from "antd";
import { type PointerEvent, useEffect, useId, useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { bytes } from "../../lib/format.ts";
import type { CaseLimits } from "../../lib/types.ts";
import type { Enclosure } from "./outbox.ts";

/** The picture that is kept, pixels. */
const WIDTH_PX = 800;
const HEIGHT_PX = 320;
const LINE_PX = 5;
const TYPED_FONT = "64px KaiTi, STKaiti, serif";

export function SignaturePad({
  limits,
  onDone,
  onCancel,
}: {
  limits: Pick<CaseLimits, "signature_bytes_max" | "signer_chars_max" | "capacities">;
  onDone: (made: Enclosure) => void;
  onCancel?: () => void;
}) {
  const { t } = useT();
  const id = useId();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [signer, setSigner] = useState("");
  const [capacity, setCapacity] = useState<string | undefined>();
  const [typed, setTyped] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const drawing = useRef(false);

  const clear = () => {
    const pen = canvas.current?.getContext("2d");
    if (!pen) return;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, WIDTH_PX, HEIGHT_PX);
    setDrawn(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once the canvas is there, and when drawing and typing change.
  useEffect(clear, [typed]);

  /** Typed: the name is written into the picture, so that both ways leave the same kind of file. */
  useEffect(() => {
    const pen = canvas.current?.getContext("2d");
    if (!typed || !pen) return;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, WIDTH_PX, HEIGHT_PX);
    pen.fillStyle = "#111";
    pen.font = TYPED_FONT;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(signer, WIDTH_PX / 2, HEIGHT_PX / 2, WIDTH_PX - 40);
  }, [typed, signer]);

  const spot = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * WIDTH_PX,
      ((event.clientY - box.top) / box.height) * HEIGHT_PX,
    ] as const;
  };
  const down = (event: PointerEvent<HTMLCanvasElement>) => {
    const pen = event.currentTarget.getContext("2d");
    if (typed || !pen) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drawing.current = true;
    pen.strokeStyle = "#111";
    pen.lineWidth = LINE_PX;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...spot(event));
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    const pen = event.currentTarget.getContext("2d");
    if (!drawing.current || !pen) return;
    pen.lineTo(...spot(event));
    pen.stroke();
    setDrawn(true);
  };
  const up = () => {
    drawing.current = false;
  };

  const done = () => {
    const name = signer.trim();
    if (name === "") return setTrouble(t("field.signer-missing"));
    if (!capacity) return setTrouble(t("field.capacity-missing"));
    if (!typed && !drawn) return setTrouble(t("field.signature-empty"));
    canvas.current?.toBlob((blob) => {
      if (!blob || blob.size > limits.signature_bytes_max)
        return setTrouble(t("field.signature-large", { size: bytes(limits.signature_bytes_max) }));
      onDone({
        kind: "signature",
        name: "signature.png",
        blob,
        takenAt: new Date().toISOString(),
        signed: { signer: name, capacity, typed },
      });
    }, "image/png");
  };

  return (
    <section className="field-sign" aria-label={t("field.sign")}>
      <label htmlFor={`${id}-name`}>
        <span>{t("field.signer")}</span>
        <Input
          id={`${id}-name`}
          value={signer}
          maxLength={limits.signer_chars_max}
          autoComplete="off"
          onChange={(event) => setSigner(event.target.value)}
          data-testid="field-signer"
        />
      </label>
      <label htmlFor={`${id}-capacity`}>
        <span>{t("field.capacity")}</span>
        <Select
          id={`${id}-capacity`}
          value={capacity}
          onChange={setCapacity}
          placeholder={t("field.capacity-choose")}
          options={limits.capacities.map((word) => {
            const key = keyOf("capacity", word);
            return { value: word, label: key ? t(key) : word };
          })}
          data-testid="field-capacity"
        />
      </label>
      <canvas
        ref={canvas}
        width={WIDTH_PX}
        height={HEIGHT_PX}
        className={typed ? "field-sign-pad field-sign-typed" : "field-sign-pad"}
        aria-label={t(typed ? "field.sign-typed-label" : "field.sign-pad-label")}
        role="img"
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={up}
        data-testid="field-sign-pad"
      />
      {trouble && (
        <div className="field-missing" role="alert">
          {trouble}
        </div>
      )}
      <div className="field-row">
        <Button onClick={() => setTyped(!typed)}>{t(typed ? "field.sign-draw" : "field.sign-type")}</Button>
        {!typed && (
          <Button onClick={clear} disabled={!drawn}>
            {t("field.sign-again")}
          </Button>
        )}
        {onCancel && <Button onClick={onCancel}>{t("word.cancel")}</Button>}
        <Button type="primary" onClick={done} data-testid="field-sign-done">
          {t("field.sign-done")}
        </Button>
      </div>
    </section>
  );
}
