"""What `run` describes: makes a city, lets points.py play against it, kills its server in the middle, and compares."""
import argparse
import array
import collections
import json
import os
import pathlib
import queue
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))
import ledger  # noqa: E402
import sessions  # noqa: E402
from city import City, programs  # noqa: E402
from points import more_files  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
POINTS_PER_CARD = 10
REGISTERING_AT_ONCE = 4
CONNECT_SECONDS_MAX = 600
SETTLE_SECONDS = 5
# The server is killed within this part of the day, and is away for so long.
KILLS_BETWEEN = (0.1, 0.85)
AWAY_SECONDS = (0.5, 10)
# A cut that lasts is longer than what the door calls offline (120 s), where the day is long enough.
LONG_DOWN_SECONDS = 150
LONG_DOWN_SHARE_MAX = 0.1
BILLS_SECONDS_MAX = 60
PAGE = 500
SHOWN_MAX = 10
REGISTER_WH = (10_000, 9_000_000)
# Places of so many points each, whose operators take turns.
POINTS_PER_PLACE = 20
OPERATORS = ["operator-a", "operator-b", "operator-c"]
PLACES_AT_ONCE = 500
TARIFF = {
    "id": "bench-flat", "title_zh": "测试单一电价", "title_en": "Flat price of a bench",
    "versions": [{"id": "2026", "first": "2026-01-01", "source": "bench", "prices": {"flat": {"energy": "0.6000", "service": "0.4000"}},
                  "days": [{"hours": ["00:00-24:00 flat"]}]}],
}

words = argparse.ArgumentParser(description=__doc__)
words.add_argument("--points", type=int, default=2_000)
words.add_argument("--minutes", type=float, default=3)
words.add_argument("--meter-seconds", type=float, default=10)
words.add_argument("--kills", type=int, default=3, help="how often the server is killed")
words.add_argument("--cuts", type=float, default=2, help="how often a point's link ends, in the mean")
words.add_argument("--seed", type=int, default=1)
words.add_argument("--factor", type=float, help="what real times are divided by: an hour of 60 when not said")
words.add_argument("--kw-max", type=float, default=500, help="most power of a played session")
words.add_argument("--gap-seconds", type=float, help="longest wait between sessions of a point: a second for each minute when not said")
words.add_argument("--processes", type=int, default=1, help="programs that the points are spread over")
words.add_argument("--skip-schemas", action="store_true", help="the points check no schemas")
words.add_argument("--wait", type=float, default=300, help="seconds that queues may take to empty after the end")
words.add_argument("--profile", default="release", choices=["release", "dev"])
words.add_argument("--jingling", type=pathlib.Path, help="the program, when it is built already")
words.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data" / "ev_charging")
words.add_argument("--folder", default="/var/tmp", help="where the city lies: a real disk")
words.add_argument("--keep", type=pathlib.Path, help="a new folder for the city and what was played, which stay")
words.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the server more")
args = words.parse_args()
SECONDS = args.minutes * 60


class Office:
    """The API, as far as it is asked here, with a token of each role that is needed: who registers devices does not keep tariffs."""

    def __init__(self, city):
        self.base = ""
        self.tokens = {role: json.loads(city.run("token", "create", city.dir, "--name", f"bench-charging-{role}", "--role", role, "--json"))
                       for role in ("admin", "operator", "collector")}

    def ask(self, role, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, None if body is None else json.dumps(body).encode(), method=method,
            headers={"content-type": "application/json", "authorization": f"Bearer {self.tokens[role]['token']}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None
        return json.loads(text) if text else None

    def add_device(self, identity):
        """Registers a charge point; gives its password."""
        device = {"id": f"urn:ngsi-ld:ChargePoint:{identity}", "type": "ChargePoint"}
        return self.ask("admin", "POST", "/api/v1/devices", device)["password"]

    def add_places(self, identities):
        """The places of the points, and who operates them."""
        def entity(kind, name, attribute, value):
            return {"id": f"urn:ngsi-ld:{kind}:{name}", "type": kind, attribute: value}

        def place(n):
            return f"P{n // POINTS_PER_PLACE:04}"

        made = [entity("EVChargingStation", place(n), "operator", {"type": "Property", "value": operator_of(n)})
                for n in range(0, len(identities), POINTS_PER_PLACE)]
        made += [entity("ChargePoint", identity, "refStation", {"type": "Relationship", "object": f"urn:ngsi-ld:EVChargingStation:{place(n)}"})
                 for n, identity in enumerate(identities)]
        for first in range(0, len(made), PLACES_AT_ONCE):
            self.ask("collector", "POST", "/ngsi-ld/v1/entityOperations/upsert", made[first:first + PLACES_AT_ONCE])

    def add_tariff(self):
        tariff = {"station": None, "from": "2026-01-01T00:00:00+08:00", "tariff": TARIFF}
        self.ask("operator", "POST", "/api/v1/charging/tariffs", tariff)

    def add_card(self, card, holder):
        self.ask("operator", "PUT", "/api/v1/charging/cards", {"card": card, "holder": holder})

    def sessions(self):
        """All sessions that the platform has."""
        found, after = [], None
        while True:
            cursor = "" if after is None else "&after=" + urllib.parse.quote(str(after))
            page = self.ask("operator", "GET", f"/api/v1/charging/sessions?limit={PAGE}{cursor}")
            found.extend(page["items"])
            after = page["next"]
            if after is None:
                return found


class Server:
    """The city's server, through all its lives."""

    def __init__(self, city, office):
        self.city, self.office = city, office
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process, self.cpu_before, self.starts = None, 0.0, []

    def start(self):
        begin = time.monotonic()
        self.process = self.city.serve(f"ocpp.listen={self.address}", *args.set)
        self.starts.append(time.monotonic() - begin)
        self.office.base = f"http://{self.city.addresses['http']}"
        if "ocpp" not in self.city.addresses:
            raise RuntimeError(f"the server has no door for charge points: {self.city.addresses}")

    def cost(self):
        """Seconds of processor time of all lives, and KiB of resident memory of this one."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        return self.cpu_before + (int(fields[11]) + int(fields[12])) / TICKS, int(resident[1]) if resident else 0

    def kill(self):
        self.cpu_before, _ = self.cost()
        self.process.kill()
        self.process.wait()


class Crowd:
    """The programs that play the points."""

    def __init__(self, work, plan, address):
        self.files = [work / f"played-{n}.json" for n in range(args.processes)]
        line = [sys.executable, HERE / "points.py", plan]
        self.programs = [
            subprocess.Popen([*line, file, "--address", address, "--process", str(n), "--processes", str(args.processes)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n, file in enumerate(self.files)]
        self.told = queue.Queue()
        for n, program in enumerate(self.programs):
            threading.Thread(target=self._read, args=(n, program), daemon=True).start()

    def _read(self, n, program):
        for line in program.stdout:
            self.told.put((n, json.loads(line)))
        self.told.put((n, {"ended": program.wait()}))

    def until(self, word, seconds, meanwhile=lambda: None):
        """Waits until each program has told this; gives the sum of what they told."""
        found, end = {}, time.monotonic() + seconds
        while len(found) < len(self.programs):
            meanwhile()
            try:
                n, told = self.told.get(timeout=0.2)
            except queue.Empty:
                if time.monotonic() > end:
                    raise TimeoutError(f"the points did not tell “{word}” in {seconds:.0f} s") from None
                continue
            if word in told:
                found[n] = told[word]
            elif "ended" in told and n not in found:
                raise RuntimeError(f"the points ended with {told['ended']}")
            elif "played" in told:
                print(f"points {n}: {json.dumps(told)}", file=sys.stderr)
        return sum(found.values())

    def go(self):
        for program in self.programs:
            program.stdin.write("go\n")
            program.stdin.flush()

    def outcome(self):
        """All that was played and counted."""
        each = [json.loads(file.read_text()) for file in self.files]
        counts = collections.Counter()
        for one in each:
            counts.update(one["counts"])
        latencies = array.array("q", sorted(us for one in each for us in one["latencies_us"]))
        return {
            "sessions": [session for one in each for session in one["sessions"]], "counts": counts, "latencies_us": latencies,
            "notes": [note for one in each for note in one["notes"]], "cpu_s": sum(one["cpu_s"] for one in each),
            "rss_kib": sum(one["rss_kib_max"] for one in each),
        }

    def stop(self):
        for program in self.programs:
            if program.poll() is None:
                program.kill()
                program.wait()


def plan_of(passwords, days):
    """What points.py plays: every second point speaks 1.6."""
    rng = random.Random(args.seed)
    long_down = min(LONG_DOWN_SECONDS, SECONDS * LONG_DOWN_SHARE_MAX)
    settings = {"seed": args.seed, "seconds": SECONDS, "meter_seconds": args.meter_seconds, "wait_seconds": args.wait,
                "cut_seconds": SECONDS / args.cuts if args.cuts else 0, "long_down_seconds": long_down,
                "skips_schemas": args.skip_schemas}
    points = [{"id": identity, "version": "1.6" if n % 2 == 0 else "2.0.1", "password": password, "card": card_of(n),
               "register": rng.randrange(*REGISTER_WH), "day": day}
              for n, ((identity, password), day) in enumerate(zip(passwords.items(), days))]
    return {"settings": settings, "points": points}


def card_of(n):
    """Of a UID's form, which both versions take."""
    return f"04BE{n // POINTS_PER_CARD:010X}"


def identity_of(n):
    return f"CP{n:05}"


def operator_of(n):
    """Whose income a point's bills are."""
    return OPERATORS[n // POINTS_PER_PLACE % len(OPERATORS)]


def kills(seed):
    """When the server is killed, and for how long it is away."""
    rng, (first, last) = random.Random(f"kills/{seed}"), KILLS_BETWEEN
    share = (last - first) / max(args.kills, 1)
    return [(SECONDS * (first + share * (n + rng.random())), rng.uniform(*AWAY_SECONDS)) for n in range(args.kills)]


class Day:
    """The time in which the points play: kills the server, and looks at it."""

    def __init__(self, server):
        self.server, self.begin = server, time.monotonic()
        self.cpu_begin, _ = server.cost()
        self.due, self.away_until = collections.deque(kills(args.seed)), None
        self.killed, self.end_kib, self.most_kib, self.looked_at = 0, 0, 0, 0.0

    def turn(self):
        now = time.monotonic() - self.begin
        if self.away_until is not None:
            if now >= self.away_until:
                self.end()
                print(f"{now:.0f} s: started again in {self.server.starts[-1]:.2f} s", file=sys.stderr)
            return
        if self.server.process.poll() is not None:
            raise RuntimeError(f"the server ended by itself with {self.server.process.returncode}")
        if self.due and now >= self.due[0][0]:
            _, away = self.due.popleft()
            self.server.kill()
            self.killed += 1
            self.away_until = now + away
            print(f"{now:.0f} s: killed, away for {away:.1f} s", file=sys.stderr)
            return
        if now - self.looked_at >= 1:
            self.looked_at = now
            _, resident = self.server.cost()
            self.most_kib = max(self.most_kib, resident)
            # Near the end of the day all points are still connected.
            if now < SECONDS:
                self.end_kib = resident

    def end(self):
        """Starts the server again, when it is away."""
        if self.away_until is not None:
            self.away_until = None
            self.server.start()


def compare(played, kept):
    """What is not as it was played, in words."""
    wrong = []
    rows = collections.defaultdict(list)
    for row in kept:
        rows[row["station"], row["transaction_id"]].append(row)
    for session in played:
        key = session["station"], session["transaction_id"]
        found = rows.pop(key, [])
        if session["transaction_id"] is None:
            wrong.append(f"never numbered: {session}")
        elif not found:
            wrong.append(f"missing, or played twice under one number: {session}")
        elif len(found) > 1:
            wrong.append(f"{len(found)} times: {session}")
        elif found[0]["state"] != "billed":
            wrong.append(f"{found[0]['state']}, not billed: {session} {found[0]}")
        elif found[0]["energy_wh"] != session["energy_wh"]:
            wrong.append(f"another energy, {found[0]['energy_wh']} Wh: {session}")
        elif found[0].get("corrected"):
            wrong.append(f"corrected: {session} {found[0]}")
    wrong.extend(f"not played: {row}" for found in rows.values() for row in found)
    return wrong


def bills(office, played):
    """The platform's sessions, once all of them are billed or time is up."""
    end = time.monotonic() + BILLS_SECONDS_MAX
    while True:
        kept = office.sessions()
        if sum(row["state"] == "billed" for row in kept) >= played or time.monotonic() > end:
            return kept
        time.sleep(1)


def main(work):
    real, rows, left_out = sessions.read(args.data)
    factor = args.factor or 60 * 60 / args.minutes
    gap = args.minutes if args.gap_seconds is None else args.gap_seconds
    days, scaled = sessions.days(real, args.points, SECONDS, factor, gap, args.kw_max * 1000, args.seed)
    planned = sum(map(len, days))
    print(f"{planned} sessions planned, of {rows - left_out} real ones at {len(real)} stations ({left_out} left out); times divided by "
          f"{factor:g}, waits at most {gap:g} s, energy of {scaled} scaled down to {args.kw_max:g} kW", flush=True)
    jingling = args.jingling.resolve() if args.jingling else programs(args.profile, load=False)[0]
    more_files(2 * args.points)
    city = City(jingling, work / "city")
    office = Office(city)
    server, crowd = Server(city, office), None
    try:
        server.start()
        begin = time.monotonic()
        identities = [identity_of(n) for n in range(args.points)]
        with ThreadPoolExecutor(REGISTERING_AT_ONCE) as pool:
            passwords = dict(zip(identities, pool.map(office.add_device, identities)))
        office.add_places(identities)
        # Who operates which station is looked up with each new tariff.
        time.sleep(SETTLE_SECONDS)
        office.add_tariff()
        for n in range(0, args.points, POINTS_PER_CARD):
            office.add_card(card_of(n), f"driver-{n // POINTS_PER_CARD}")
        print(f"registered in {time.monotonic() - begin:.1f} s", file=sys.stderr)
        plan = work / "plan.json"
        plan.write_text(json.dumps(plan_of(passwords, days)))
        time.sleep(SETTLE_SECONDS)
        _, before_kib = server.cost()
        begin = time.monotonic()
        crowd = Crowd(work, plan, server.address)
        connected = crowd.until("connected", CONNECT_SECONDS_MAX)
        print(f"{connected} points connected in {time.monotonic() - begin:.1f} s", file=sys.stderr)
        time.sleep(SETTLE_SECONDS)
        _, idle_kib = server.cost()
        day = Day(server)
        crowd.go()
        crowd.until("done", SECONDS + args.wait + 120, day.turn)
        seconds = time.monotonic() - day.begin
        day.end()
        cpu_s = server.cost()[0] - day.cpu_begin
        if not day.end_kib:
            day.end_kib = server.cost()[1]
        outcome = crowd.outcome()
        kept = bills(office, len(outcome["sessions"]))
        (work / "kept.json").write_text(json.dumps(kept))
        city.stop(server.process)
        operators = {identity: operator_of(n) for n, identity in enumerate(identities)}
        books = ledger.compare(city.dir / "records.sqlite", operators.get)
    finally:
        if crowd:
            crowd.stop()
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    kib = before_kib, idle_kib, day.end_kib, day.most_kib
    return report(outcome, kept, books, planned, seconds, cpu_s, kib, day.killed, server.starts)


def report(outcome, kept, books, planned, seconds, cpu_s, kib, killed, starts):
    played, counts, latencies = outcome["sessions"], outcome["counts"], outcome["latencies_us"]
    wrong_books, sums = books
    wrong = compare(played, kept) + wrong_books
    if not played or counts["points that failed"]:
        wrong.append(f"{len(played)} sessions played, {counts['points that failed']} points failed by themselves")
    before, idle, end, most = kib
    messages = counts["answered"]

    def share(of):
        return latencies[min(int(len(latencies) * of), len(latencies) - 1)] / 1000 if latencies else None

    figures = {
        "points": args.points, "minutes": args.minutes, "meter_seconds": args.meter_seconds, "seed": args.seed,
        "profile": None if args.jingling else args.profile,
        "sessions_planned": planned, "sessions": len(played), "sessions_kept": len(kept), "sessions_per_s": round(len(played) / seconds, 2),
        "energy_wh": sum(one["energy_wh"] for one in played), "energy_wh_kept": sum(row["energy_wh"] for row in kept),
        "total_fen": sum(row["total_fen"] or 0 for row in kept), "ledger": sums,
        "messages": messages, "messages_per_s": round(messages / seconds, 1), "sent": counts["sent"],
        "sent_from_the_queue": counts["sent from the queue"], "given_up": counts["given up"], "never_answered": counts["never answered"],
        "reconnects": counts["links"] - args.points, "kills": killed, "start_again_s": [round(one, 2) for one in starts[1:]],
        "median_ms": share(0.5), "p99_ms": share(0.99), "slowest_ms": share(1.0),
        "rss_before_kib": before, "rss_idle_kib": idle, "rss_end_kib": end, "rss_most_kib": most,
        "kib_per_point_idle": round((idle - before) / args.points, 1), "kib_per_point_end": round((end - before) / args.points, 1),
        "cpu_s_per_s": round(cpu_s / seconds, 3), "cpu_s_per_1000_messages": round(1000 * cpu_s / messages, 3) if messages else None,
        "points_cpu_s_per_s": round(outcome["cpu_s"] / seconds, 3), "points_rss_kib": outcome["rss_kib"],
        "wrong": len(wrong), "equal": not wrong,
    }
    f = figures
    print(f"points       {f['points']}, half of 1.6 and half of 2.0.1")
    print(f"sessions     {f['sessions']} played, {f['sessions_kept']} kept, {f['sessions_per_s']}/s")
    print(f"energy       {f['energy_wh']} Wh played, {f['energy_wh_kept']} Wh kept, {f['total_fen'] / 100:.2f} yuan")
    print(f"ledger       {sums['entries']} entries, {sums['postings']} postings: {sums['drivers']} drivers owe {sums['drivers_fen'] / 100:.2f} "
          f"yuan, {sums['operators']} operators earned {sums['operators_fen'] / 100:.2f}, bills come to {sums['bills_fen'] / 100:.2f}; "
          f"{len(wrong_books)} differences")
    print(f"messages     {messages} answered, {f['messages_per_s']}/s; {f['sent']} sent, {f['sent_from_the_queue']} of them from a queue "
          f"and {f['sent'] - messages} in vain, "
          f"{f['given_up']} given up, {f['never_answered']} never answered")
    print(f"reconnects   {f['reconnects']}")
    print(f"kills        {killed}, ready again after {f['start_again_s']} s")
    if latencies:
        print(f"latency      median {f['median_ms']:.1f} ms, p99 {f['p99_ms']:.1f} ms, slowest {f['slowest_ms']:.0f} ms")
    print(f"memory       {before} KiB before, {idle} with all connected ({f['kib_per_point_idle']} KiB a point), "
          f"{end} at the end ({f['kib_per_point_end']} KiB a point), {most} at most")
    print(f"processor    {f['cpu_s_per_s']} s/s, {f['cpu_s_per_1000_messages']} s for 1,000 messages; "
          f"the points' own {f['points_cpu_s_per_s']} s/s")
    for word in sorted(counts):
        print(f"  {counts[word]:>9} {word}")
    for note in outcome["notes"][:SHOWN_MAX]:
        print(f"  note: {note}")
    for one in wrong[:SHOWN_MAX]:
        print(f"  wrong: {one}")
    print(json.dumps({**figures, "counts": dict(sorted(counts.items()))}))
    print(f"equal: {'yes' if not wrong else 'no'}")
    return bool(wrong)


if __name__ == "__main__":
    if args.keep:
        args.keep.mkdir(parents=True)
        sys.exit(main(args.keep.resolve()))
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        sys.exit(main(pathlib.Path(place)))
