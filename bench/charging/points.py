"""Charge points: the Python package `ocpp` over `websockets`, with the queue of messages that a real station keeps while nobody answers.

    points.py PLAN.json PLAYED.json --address 127.0.0.1:PORT [--process 0 --processes 1]

PLAN.json is what trial.py writes: settings and, of each point, identity, version, password, card, the register it begins with and its
day. Lines of JSON go out: {"connected": n} when all points are connected and registered; the day begins with a line of input; {"played": n}
now and then; {"done": n} at the end. PLAYED.json holds the sessions as the points' meters have them, and what the messages took.
"""
import argparse
import array
import asyncio
import base64
import collections
import contextlib
import json
import logging
import os
import pathlib
import random
import resource
import sys
import time
import uuid
from datetime import datetime, timezone

import ocpp.messages
import ocpp.v16
import ocpp.v201
import websockets
from ocpp.exceptions import OCPPError
from ocpp.v16 import call as c16
from ocpp.v201 import call as c201

# Links that one process opens at once: real stations come at once too, but each has a processor of its own.
OPENING_MAX = 100
OPEN_SECONDS_MAX = 30
# The time that a call may take; a station that waits longer opens its link anew.
ANSWER_SECONDS_MAX = 30
# Waits between attempts to connect (2.0.1, part 4, 5.3, with shorter times).
BACK_OFF_SECONDS = (0.5, 1, 2, 4, 8)
# How often a message that is answered with an error is sent (1.6: TransactionMessageAttempts), and the wait between, times the attempt.
ATTEMPTS_MAX = 5
ATTEMPT_SECONDS = 2
# How long a link is gone, by chance; a small share of them for `long_down_seconds`.
DOWN_SECONDS = (0.2, 15)
LONG_DOWN_SHARE = 0.03
# How links end.
CUTS = {"reset": 0.4, "closed": 0.2, "silent": 0.25, "power": 0.15}
# The share of them in the middle of a message: it is sent, and its answer may never be heard.
AMID_SHARE = 0.6
AMID_SECONDS_MAX = 0.01
# Doors count links by address: the points come from several, as they would.
POINTS_PER_SOURCE = 1_000
SECONDS_PER_HOUR = 3_600
NOTES_MAX = 20
# Handles beside those of links.
FILES_SPARE = 500
PROGRESS_SECONDS = 10


class Message:
    """A call that waits. `is_kept`: it waits for the next link too, as messages of transactions do."""

    __slots__ = ("kind", "fields", "session", "is_kept", "is_offline", "attempts")

    def __init__(self, kind, fields, session=None, is_kept=False, is_offline=False):
        self.kind, self.fields, self.session = kind, fields, session
        self.is_kept, self.is_offline, self.attempts = is_kept, is_offline, 0


class Session:
    """A charge: what the meter says, and the number that it has."""

    __slots__ = ("transaction", "started", "ended", "first", "last", "sequence", "is_lost")

    def __init__(self, transaction, started, first):
        self.transaction, self.started, self.first = transaction, started, first
        self.ended, self.last, self.sequence, self.is_lost = None, first, 0, False


class Of16:
    """What a point of 1.6 says."""

    subprotocol, package = "ocpp1.6", ocpp.v16.ChargePoint

    def transaction(self):
        # The centre gives it, in the answer to the start.
        return None

    def boot(self, _):
        return Message("boot", {"call": c16.BootNotification, "charge_point_model": "Bench", "charge_point_vendor": "Bench"})

    def heartbeat(self):
        return Message("heartbeat", {"call": c16.Heartbeat})

    def status(self, is_busy, at):
        state = "Charging" if is_busy else "Available"
        fields = {"connector_id": 1, "error_code": "NoError", "status": state, "timestamp": at}
        return Message("status", {"call": c16.StatusNotification, **fields})

    def authorize(self, card):
        return Message("authorize", {"call": c16.Authorize, "id_tag": card})

    def start(self, session, card):
        return Message("start", {"call": c16.StartTransaction, "connector_id": 1, "id_tag": card, "meter_start": session.first,
                                 "timestamp": session.started}, session, True)

    def reading(self, session, at, wh, watts):
        samples = [{"value": str(wh), "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                   {"value": str(watts), "context": "Sample.Periodic", "measurand": "Power.Active.Import", "unit": "W"}]
        values = [{"timestamp": at, "sampled_value": samples}]
        return Message("reading", {"call": c16.MeterValues, "connector_id": 1, "meter_value": values}, session, True)

    def stop(self, session, card, reason):
        return Message("stop", {"call": c16.StopTransaction, "id_tag": card, "meter_stop": session.last, "timestamp": session.ended,
                                "reason": reason}, session, True)

    def call(self, message):
        fields = dict(message.fields)
        if message.kind in ("reading", "stop"):
            # The start stands before them in the queue: it was answered.
            fields["transaction_id"] = message.session.transaction
        return fields.pop("call")(**fields)

    def answered(self, message, answer):
        if message.kind == "start":
            message.session.transaction = answer.transaction_id
        return (getattr(answer, "id_tag_info", None) or {}).get("status")


class Of201:
    """What a point of 2.0.1 says."""

    subprotocol, package = "ocpp2.0.1", ocpp.v201.ChargePoint

    def transaction(self):
        return str(uuid.uuid4())

    def boot(self, reason):
        who = {"model": "Bench", "vendor_name": "Bench"}
        return Message("boot", {"call": c201.BootNotification, "charging_station": who, "reason": reason})

    def heartbeat(self):
        return Message("heartbeat", {"call": c201.Heartbeat})

    def status(self, is_busy, at):
        return Message("status", {"call": c201.StatusNotification, "timestamp": at, "evse_id": 1, "connector_id": 1,
                                  "connector_status": "Occupied" if is_busy else "Available"})

    def authorize(self, card):
        return Message("authorize", {"call": c201.Authorize, "id_token": self._token(card)})

    def start(self, session, card):
        return self._event("start", session, "Started", "Authorized", session.started, session.first, "Transaction.Begin",
                           {"charging_state": "Charging"}, evse={"id": 1, "connector_id": 1}, id_token=self._token(card))

    def reading(self, session, at, wh, watts):
        power = {"value": watts, "context": "Sample.Periodic", "measurand": "Power.Active.Import", "unit_of_measure": {"unit": "W"}}
        return self._event("reading", session, "Updated", "MeterValuePeriodic", at, wh, "Sample.Periodic", {}, power)

    def stop(self, session, card, reason):
        trigger = "AbnormalCondition" if reason == "PowerLoss" else "StopAuthorized"
        return self._event("stop", session, "Ended", trigger, session.ended, session.last, "Transaction.End",
                           {"charging_state": "Idle", "stopped_reason": reason}, id_token=self._token(card))

    @staticmethod
    def _token(card):
        return {"id_token": card, "type": "ISO14443"}

    @staticmethod
    def _event(kind, session, event, trigger, at, wh, context, info, *samples, **more):
        measured = {"measurand": "Energy.Active.Import.Register", "unit_of_measure": {"unit": "Wh"}}
        values = [{"value": wh, "context": context, **measured}, *samples]
        fields = {"call": c201.TransactionEvent, "event_type": event, "timestamp": at, "trigger_reason": trigger,
                  "seq_no": session.sequence, "transaction_info": {"transaction_id": session.transaction, **info},
                  "meter_value": [{"timestamp": at, "sampled_value": values}], **more}
        session.sequence += 1
        return Message(kind, fields, session, True)

    def call(self, message):
        fields = dict(message.fields)
        if message.is_kept and message.is_offline:
            fields["offline"] = True
        return fields.pop("call")(**fields)

    def answered(self, _, answer):
        return (getattr(answer, "id_token_info", None) or {}).get("status")


class Crowd:
    """All points of this process, and what they count."""

    def __init__(self, plan, address, process, processes):
        self.settings, self.url = plan["settings"], f"ws://{address}/ocpp/"
        self.is_local = address.startswith("127.")
        self.opening = asyncio.Semaphore(OPENING_MAX)
        self.begun = asyncio.Event()
        self.begin_at = self.end_at = None
        self.counts, self.notes = collections.Counter(), []
        # Seconds from call to answer.
        self.latencies = array.array("f")
        self.played = []
        self.points = [Point(self, number, **one) for number, one in enumerate(plan["points"]) if number // 2 % processes == process]

    def note(self, words):
        """Keeps the first of what went wrong, for whoever reads."""
        if len(self.notes) < NOTES_MAX:
            self.notes.append(words)

    async def play(self):
        tasks = [asyncio.create_task(point.run()) for point in self.points]
        for point in self.points:
            await point.is_registered.wait()
        tell(connected=len(self.points))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        self.begin_at = asyncio.get_running_loop().time()
        self.end_at = self.begin_at + self.settings["seconds"]
        self.begun.set()
        pending = set(tasks)
        end = self.end_at + self.settings["wait_seconds"]
        while pending and asyncio.get_running_loop().time() < end:
            _, pending = await asyncio.wait(pending, timeout=PROGRESS_SECONDS)
            waiting = sum(len(point.queue) for point in self.points)
            tell(played=len(self.played), messages=self.counts["answered"], waiting=waiting)
        for point in self.points:
            if point.queue:
                self.note(f"{point.id}: {len(point.queue)} messages were never answered")
        self.counts["never answered"] += sum(len(point.queue) for point in self.points)
        for task in pending:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                self.counts["points that failed"] += 1
                self.note(repr(outcome))


class Point:
    """One charge point with one connector."""

    def __init__(self, crowd, number, id, version, password, card, register, day):
        self.crowd, self.id, self.card, self.register, self.day = crowd, id, card, register, day
        self.words = Of16() if version == "1.6" else Of201()
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{id}:{password}".encode()).decode()}
        self.source = f"127.0.1.{1 + number // POINTS_PER_SOURCE}" if crowd.is_local else None
        self.rng = random.Random(f"{crowd.settings['seed']}/{id}")
        self.queue, self.has_news = collections.deque(), asyncio.Event()
        self.is_registered, self.lost_power = asyncio.Event(), asyncio.Event()
        # What the next boot says of its reason; none: no boot is due.
        self.boot_reason, self.interval = "PowerUp", SECONDS_PER_HOUR
        self.socket, self.stale, self.down_seconds = None, None, None
        self.is_busy = self.is_over = self.is_to_be_cut = False
        self.clock_ms = 0

    def now(self):
        """The true time, as text, later than any before."""
        self.clock_ms = max(self.clock_ms + 1, time.time_ns() // 1_000_000)
        return datetime.fromtimestamp(self.clock_ms / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def run(self):
        """A day: charges, and the link beside them until all that waits is answered."""
        living, cutting, linking = map(asyncio.create_task, (self.live(), self.cut_links(), self.keep_linked()))
        try:
            await living
            cutting.cancel()
            await linking
        finally:
            for task in (living, cutting, linking):
                task.cancel()

    # --- what the point does ---

    async def live(self):
        loop = asyncio.get_running_loop()
        await self.crowd.begun.wait()
        for start, seconds, wh in self.day:
            await asyncio.sleep(max(self.crowd.begin_at + start - loop.time(), 0))
            # What was late before makes this one late; what does not fit any more is not begun.
            if loop.time() + seconds > self.crowd.end_at + 1:
                break
            await self.charge(seconds, wh)
        # It stays on its link to the end.
        await asyncio.sleep(max(self.crowd.end_at - loop.time(), 0))
        self.is_over = True
        self.has_news.set()

    async def charge(self, seconds, wh):
        loop, words = asyncio.get_running_loop(), self.words
        self.lost_power.clear()
        if self.socket:
            # Without a link the card is let in by the list that the point has.
            self.say(words.authorize(self.card))
        session = Session(words.transaction(), self.now(), self.register)
        begin, watts = loop.time(), round(wh * SECONDS_PER_HOUR / seconds)
        self.say(words.start(session, self.card))
        self.is_busy = True
        self.say_status()
        reason, pause = "Local", self.crowd.settings["meter_seconds"]
        reading_at, end = begin + pause, begin + seconds
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(reading_at, end)):
                    await self.lost_power.wait()
            passed = loop.time() - begin
            register = session.first + min(int(wh * passed / seconds), wh)
            if self.lost_power.is_set() or passed >= seconds:
                break
            if loop.time() >= reading_at:
                self.say(words.reading(session, self.now(), register, watts))
                reading_at += pause
        if self.lost_power.is_set():
            reason = "PowerLoss"
        session.last = self.register = register
        session.ended = self.now()
        self.say(words.stop(session, self.card, reason))
        self.is_busy = False
        self.say_status()
        self.crowd.counts[f"sessions ended: {reason}"] += 1
        self.crowd.played.append((self, session))

    def say(self, message):
        message.is_offline = self.socket is None
        self.queue.append(message)
        self.has_news.set()

    def say_status(self):
        # Without a link nothing is kept: the next one begins with it.
        if self.socket:
            self.say(self.words.status(self.is_busy, self.now()))

    # --- its link ---

    async def cut_links(self):
        """Ends the link now and then."""
        mean = self.crowd.settings["cut_seconds"]
        if not mean:
            return
        await self.crowd.begun.wait()
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / mean))
            if not self.socket or self.ending.done() or self.is_over:
                continue
            if self.rng.random() < AMID_SHARE:
                self.is_to_be_cut = True
            else:
                self.cut(self.ending)

    def cut(self, ending):
        if ending.done() or ending is not self.ending or not self.socket:
            return
        kind = self.rng.choices(list(CUTS), list(CUTS.values()))[0]
        self.crowd.counts[f"cuts: {kind}"] += 1
        is_long = self.rng.random() < LONG_DOWN_SHARE
        self.down_seconds = self.crowd.settings["long_down_seconds"] if is_long else self.rng.uniform(*DOWN_SECONDS)
        ending.set_result(kind)
        if kind == "power":
            self.boot_reason = "PowerUp"
            self.lost_power.set()

    async def keep_linked(self):
        failed = 0
        while not (self.is_over and not self.queue):
            try:
                async with self.crowd.opening:
                    socket = await self.connect()
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                self.crowd.counts[f"not connected: {reason_of(error)}"] += 1
                await asyncio.sleep(self.rng.uniform(0.5, 1.5) * BACK_OFF_SECONDS[min(failed, len(BACK_OFF_SECONDS) - 1)])
                failed += 1
                continue
            failed = 0
            self.crowd.counts["links"] += 1
            await self.serve(socket)
            down, self.down_seconds = self.down_seconds, None
            if down is not None:
                await asyncio.sleep(down)
            elif not self.is_over:
                # The other side ended it.
                await asyncio.sleep(self.rng.uniform(0, 1))

    async def connect(self):
        more = {"local_addr": (self.source, 0)} if self.source else {}
        return await websockets.connect(
            self.crowd.url + self.id, subprotocols=[self.words.subprotocol], additional_headers=self.headers, compression=None,
            ping_interval=None, open_timeout=OPEN_SECONDS_MAX, max_queue=4, proxy=None, **more)

    async def serve(self, socket):
        """One link to its end."""
        if self.stale:
            # The silent link stays for as long as the new one needs to be taken for the better one.
            asyncio.get_running_loop().call_later(ANSWER_SECONDS_MAX, self.stale.transport.abort)
            self.stale = None
        self.ending = asyncio.get_running_loop().create_future()
        package = self.words.package(self.id, socket, response_timeout=ANSWER_SECONDS_MAX)
        self.socket = socket
        tasks = [asyncio.create_task(package.start()), asyncio.create_task(self.talk(package))]
        try:
            await asyncio.wait([*tasks, self.ending], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.socket = None
            for task in tasks:
                await end(task)
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self.drop_unkept()
            kind = self.ending.result() if self.ending.done() else None
            if kind is None and not self.is_over:
                error = next((one for one in outcomes if isinstance(one, Exception)), None)
                self.crowd.counts[f"links lost: {reason_of(error)}"] += 1
                if not isinstance(error, (OSError, TimeoutError, websockets.ConnectionClosed)):
                    self.crowd.note(f"{self.id}: {error!r}")
            if kind == "silent":
                with contextlib.suppress(RuntimeError):
                    socket.transport.pause_reading()
                self.stale = socket
            elif kind in ("reset", "power"):
                socket.transport.abort()
            else:
                await self.close(socket)

    @staticmethod
    async def close(socket):
        with contextlib.suppress(Exception):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await socket.close()
        socket.transport.abort()

    def drop_unkept(self):
        kept = [message for message in self.queue if message.is_kept]
        self.queue.clear()
        self.queue.extend(kept)
        for message in kept:
            # Whatever goes out on the next link was said without one.
            message.is_offline = True

    async def talk(self, package):
        while self.boot_reason:
            answer = await self.ask(package, self.words.boot(self.boot_reason))
            if answer.status == "Accepted":
                self.boot_reason, self.interval = None, answer.interval or SECONDS_PER_HOUR
            else:
                self.crowd.note(f"{self.id}: boot was answered with {answer.status}")
                await asyncio.sleep(min(answer.interval or ATTEMPT_SECONDS, ANSWER_SECONDS_MAX))
        # Told while no session waits in the queue, it is what stands there now.
        await self.ask(package, self.words.status(self.is_busy, self.now()))
        self.is_registered.set()
        while not (self.is_over and not self.queue):
            if self.queue:
                await self.send_first(package)
                continue
            self.has_news.clear()
            try:
                async with asyncio.timeout(self.interval):
                    await self.has_news.wait()
            except TimeoutError:
                await self.ask(package, self.words.heartbeat())

    async def send_first(self, package):
        """Sends the first of the queue; it leaves the queue when it is answered, or given up."""
        message, crowd = self.queue[0], self.crowd
        if message.session and message.session.is_lost:
            # Its start was given up: the centre knows no number for it.
            self.queue.popleft()
            return
        if message.attempts or message.is_offline:
            crowd.counts["sent from the queue"] += 1
        message.attempts += 1
        if self.is_to_be_cut and message.is_kept:
            self.is_to_be_cut = False
            asyncio.get_running_loop().call_later(self.rng.uniform(0, AMID_SECONDS_MAX), self.cut, self.ending)
        try:
            answer = await self.ask(package, message)
        except OCPPError as error:
            crowd.counts[f"errors answered to {message.kind}: {type(error).__name__}"] += 1
            crowd.note(f"{self.id}: {message.kind} was answered with {type(error).__name__} {error.description} {error.details}"[:500])
            if message.is_kept and message.attempts < ATTEMPTS_MAX:
                await asyncio.sleep(ATTEMPT_SECONDS * message.attempts)
                return
            if message.kind == "start" and message.session.transaction is None:
                message.session.is_lost = True
            crowd.counts["given up"] += 1
        else:
            status = self.words.answered(message, answer)
            if status not in (None, "Accepted"):
                crowd.counts[f"card at {message.kind}: {status}"] += 1
        self.queue.popleft()

    async def ask(self, package, message):
        begin = time.perf_counter()
        self.crowd.counts["sent"] += 1
        answer = await package.call(self.words.call(message), suppress=False, skip_schema_validation=self.crowd.settings["skips_schemas"])
        self.crowd.latencies.append(time.perf_counter() - begin)
        self.crowd.counts["answered"] += 1
        self.crowd.counts[f"answered: {message.kind}"] += 1
        return answer

    def row(self, session):
        """A session as it was played."""
        transaction = None if session.transaction is None else str(session.transaction)
        return {"station": self.id, "transaction_id": transaction, "started_at": session.started, "ended_at": session.ended,
                "energy_wh": session.last - session.first}


async def end(task):
    """Cancels a task to its end. `asyncio.wait_for`, which the package waits with, loses a cancellation that comes together with what
    it waits for (Python before 3.12)."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.05)


def reason_of(error):
    """What kind of failure, in few words."""
    if isinstance(error, websockets.InvalidStatus):
        return f"status {error.response.status_code}"
    if isinstance(error, websockets.ConnectionClosed):
        return f"closed with {error.rcvd.code} {error.rcvd.reason}".strip() if error.rcvd else "closed"
    if isinstance(error, (OSError, TimeoutError)):
        return "no answer" if isinstance(error, TimeoutError) else os.strerror(error.errno or 0)
    return type(error).__name__ if error else "ended"


def tell(**words):
    print(json.dumps(words), flush=True)


def more_files(count):
    """Lets this process, and those that it starts, have a handle for each link."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + FILES_SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            sys.exit(f"{count} links need {wanted} file handles, and this user may have {hard}: raise it, or ask for fewer --points")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("plan", type=pathlib.Path)
    words.add_argument("played", type=pathlib.Path)
    words.add_argument("--address", required=True)
    words.add_argument("--process", type=int, default=0)
    words.add_argument("--processes", type=int, default=1)
    args = words.parse_args()
    # What the package says of errors comes as exceptions too.
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    # In threads of a pool it would take longer, and no less of the processor.
    ocpp.messages.ASYNC_VALIDATION = False
    plan = json.loads(args.plan.read_text())
    more_files(2 * len(plan["points"]))

    async def play():
        crowd = Crowd(plan, args.address, args.process, args.processes)
        await crowd.play()
        return crowd

    crowd = asyncio.run(play())
    used = resource.getrusage(resource.RUSAGE_SELF)
    args.played.write_text(json.dumps({
        "sessions": [point.row(session) for point, session in crowd.played],
        "counts": dict(crowd.counts),
        "notes": crowd.notes,
        "latencies_us": [round(seconds * 1e6) for seconds in crowd.latencies],
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "rss_kib_max": used.ru_maxrss,
    }))
    tell(done=len(crowd.played))


if __name__ == "__main__":
    main()
