/** A place as two numbers, longitude and latitude (WGS 84), or where this device is. */
import { AimOutlined } from "@ant-design/icons";
import { Alert, Button, InputNumber } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { locate } from "../field/locate.ts";

/** A place as it is entered; a half that is not filled in is null. */
export interface Place {
  lon: number | null;
  lat: number | null;
}

/** Decimals of a degree that are kept: a tenth of a metre. */
const DECIMALS = 6;
const rounded = (degrees: number) => Number(degrees.toFixed(DECIMALS));

/** Whether both halves are there, and are a place on Earth. */
export const isPlace = (place: Place | null | undefined): place is { lon: number; lat: number } =>
  typeof place?.lon === "number" &&
  typeof place.lat === "number" &&
  Math.abs(place.lon) <= 180 &&
  Math.abs(place.lat) <= 90;

/** Whether nothing of it is filled in. */
export const isNowhere = (place: Place | null | undefined): boolean =>
  typeof place?.lon !== "number" && typeof place?.lat !== "number";

/** A field of a form: the form gives `value`, `onChange` and the id that its label names. */
export function PlaceInput({
  id,
  value,
  onChange,
}: {
  id?: string;
  value?: Place | null;
  onChange?: (place: Place) => void;
}) {
  const { t } = useT();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<"denied" | "unknown" | "absent" | null>(null);
  const { lon = null, lat = null } = value ?? {};
  const here = async () => {
    setBusy(true);
    const found = await locate();
    setBusy(false);
    if ("refused" in found) return setRefused(found.refused);
    setRefused(null);
    onChange?.({ lon: rounded(found.spot.lon), lat: rounded(found.spot.lat) });
  };
  return (
    <div className="place-input">
      <InputNumber
        id={id}
        aria-label={t("view.lon")}
        placeholder={t("view.lon")}
        suffix="°E"
        controls={false}
        value={lon}
        onChange={(to) => onChange?.({ lon: to, lat })}
      />
      <InputNumber
        aria-label={t("view.lat")}
        placeholder={t("view.lat")}
        suffix="°N"
        controls={false}
        value={lat}
        onChange={(to) => onChange?.({ lon, lat: to })}
      />
      <Button icon={<AimOutlined />} loading={busy} onClick={here}>
        {t("view.here")}
      </Button>
      {refused && <Alert type="warning" showIcon title={t(`view.here-${refused}`)} />}
    </div>
  );
}
