/** What of the figures is good, to be watched, or bad. The bounds are those of pack-security's rules. */
import type { SecurityView } from "../../lib/types.ts";

export type Verdict = "good" | "watch" | "bad" | "unknown";

/** Failed sign-ins of an hour that raise an alert. */
const REFUSED_HOUR = 50;
/** Days before its end when a certificate is to be renewed. */
const CERTIFICATE_DAYS = 30;
/** Seconds after which a backup is old. */
const BACKUP_SECONDS = 2 * 86_400;
/** Share of the disk that should be free. */
const DISK_FREE = 0.1;

export function judge(
  view: SecurityView,
): Record<"signIns" | "peers" | "certificates" | "holes" | "backup" | "audit" | "disk", Verdict> {
  const { sign_ins, peers, certificates, holes, backup, audit, disk } = view;
  const unread = certificates.items.some((one) => one.days_left === null);
  const days = certificates.days_left_min;
  const free = disk ? disk.free_bytes / Math.max(disk.total_bytes, 1) : null;
  return {
    signIns: sign_ins.refused_hour >= REFUSED_HOUR ? "bad" : sign_ins.refused_hour > 0 ? "watch" : "good",
    peers: peers.waiting.length > 0 ? "watch" : "good",
    certificates:
      days !== null && days < 0
        ? "bad"
        : unread || (days !== null && days < CERTIFICATE_DAYS)
          ? "watch"
          : "good",
    holes: !holes?.has_data
      ? "unknown"
      : (holes.grave ?? 0) > 0
        ? "bad"
        : (holes.total ?? 0) > 0 || holes.not_covered > 0
          ? "watch"
          : "good",
    backup:
      backup.age_seconds === null || backup.age_seconds > BACKUP_SECONDS
        ? "bad"
        : backup.drill_good
          ? "good"
          : "watch",
    audit: audit.whole === null ? "unknown" : audit.whole ? "good" : "bad",
    disk: free === null ? "unknown" : free < DISK_FREE ? "bad" : "good",
  };
}
