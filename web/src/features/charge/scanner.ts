/**
 * Reads QR codes from a camera with the browser's own `BarcodeDetector` (Shape Detection API), where it has one: Chrome and
 * the web views of Android. Elsewhere the phone's own camera opens the code's address, and the number can be typed.
 */

/** How often a picture is looked at, milliseconds: a hand holds still for longer. */
const LOOK_MS = 200;

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorMaker = new (options: { formats: string[] }) => Detector;

const maker = (): DetectorMaker | undefined =>
  (globalThis as { BarcodeDetector?: DetectorMaker }).BarcodeDetector;

export const canScan = (): boolean =>
  maker() !== undefined && navigator.mediaDevices?.getUserMedia !== undefined;

/** Starts the camera and tells every code that it reads; answers how to stop it. The camera is let go in any case. */
export async function scan(
  video: HTMLVideoElement,
  onCode: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const Made = maker();
  if (!Made) return;
  const camera = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment" },
    audio: false,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const leave = () => {
    clearTimeout(timer);
    for (const track of camera.getTracks()) track.stop();
    video.srcObject = null;
  };
  if (signal.aborted) return leave();
  signal.addEventListener("abort", leave, { once: true });
  video.srcObject = camera;
  await video.play();
  const detector = new Made({ formats: ["qr_code"] });
  const look = async () => {
    // A picture that cannot be read is followed by the next.
    const codes = await detector.detect(video).catch(() => []);
    if (signal.aborted) return;
    for (const { rawValue } of codes) onCode(rawValue);
    if (!signal.aborted) timer = setTimeout(() => void look(), LOOK_MS);
  };
  await look();
}
