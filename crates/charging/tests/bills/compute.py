"""How tests/bills/bills.csv was computed: `python3 compute.py` beside it writes it anew.

Nothing here is taken from the crate. Energy is summed up minute by minute: each minute (cut once more where a reading lies in it) has the
energy of its part of the line between two readings, as an exact fraction, and the price of its minute of the day, looked up in a table
of 1,440 minutes. Fees are counted second by second. Money is decimal, rounded half up once a line. Times are those of Asia/Shanghai,
UTC+8 without summer time.

Columns: id, what it shows, tariff, when arrived / started / full / ended / left, readings, lines, total in fen. A line is
kind|version|period|from|until|watt-hours|yuan per kWh|fen, or kind|version|-|from|until|seconds that count/units/capped|fen per unit|fen.
"""
import csv
import math
import random
import tomllib
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).parent
CALENDAR = tomllib.loads((HERE / "../../../../cities/tianmen/calendars/working-hours.toml").read_text("utf-8"))
TARIFFS = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((HERE / "tariffs").glob("*.toml"))}
NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def day_kind(day):
    if any(day.isoformat() in entry["days"] for entry in CALENDAR["worked"]):
        return "workday"
    if any(date.fromisoformat(h["first"]) <= day <= date.fromisoformat(h["last"]) for h in CALENDAR["holidays"]):
        return "holiday"
    return "workday" if CALENDAR["week"].get(NAMES[day.weekday()]) else "weekend"


def version_of(tariff, day):
    for version in TARIFFS[tariff]["versions"]:
        if version["first"] <= day.isoformat() <= version.get("last", "9999-12-31"):
            return version
    raise LookupError(f"{tariff} {day}")


def clock(text):
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


TABLES = {}


def table(tariff, day, chosen_on):
    """Version, period and both prices of each of the 1,440 minutes of a day."""
    key = (tariff, day, chosen_on)
    if key not in TABLES:
        version = version_of(tariff, chosen_on)
        plan = next(
            plan
            for plan in version["days"]
            if (not plan.get("months") or day.month in plan["months"]) and (not plan.get("kinds") or day_kind(day) in plan["kinds"])
        )
        minutes = [None] * 1440
        for text in plan["hours"]:
            span, kind = text.split(" ")
            begin, end = span.split("-")
            price = plan.get("prices", {}).get(kind) or version["prices"][kind]
            for minute in range(clock(begin), clock(end)):
                assert minutes[minute] is None
                minutes[minute] = (version["id"], kind, Decimal(price["energy"]), Decimal(price.get("service", "0")))
        assert None not in minutes
        TABLES[key] = minutes
    return TABLES[key]


def seconds(span):
    return Fraction(span // timedelta(microseconds=1), 1_000_000)


def half_up(fraction):
    return math.floor(fraction + Fraction(1, 2))


def money(wh, price):
    return int((Decimal(wh) / 1000 * price * 100).quantize(Decimal(1), ROUND_HALF_UP))


def energy_lines(case):
    readings = case["readings"]
    at_start = TARIFFS[case["tariff"]].get("change") == "at-start"
    first_day = readings[0][0].date()
    groups = []  # [what, from, until, exact register at its end]
    register = Fraction(readings[0][1])
    for (t0, r0), (t1, r1) in zip(readings, readings[1:]):
        rate = Fraction(r1 - r0) / seconds(t1 - t0)
        at = t0
        while at < t1:
            until = min(at.replace(second=0, microsecond=0) + timedelta(minutes=1), t1)
            register += rate * seconds(until - at)
            day = at.date()
            what = table(case["tariff"], day, first_day if at_start else day)[at.hour * 60 + at.minute]
            if groups and groups[-1][0] == what:
                groups[-1][2:] = [until, register]
            else:
                groups.append([what, at, until, register])
            at = until
    lines, before = [], readings[0][1]
    for (version, kind, energy, service), begin, end, exact in groups:
        after = half_up(exact)
        wh, before = after - before, after
        if wh == 0:
            continue
        lines.append(("energy", version, kind, begin, end, str(wh), f"{energy:.4f}", money(wh, energy)))
        if service:
            lines.append(("service", version, kind, begin, end, str(wh), f"{service:.4f}", money(wh, service)))
    assert before == readings[-1][1]
    return lines


def fee_line(kind, tariff, begin, end):
    version = version_of(tariff, begin.date())
    fee = version.get(kind)
    if not fee:
        return []
    hours = [tuple(map(clock, text.split("-"))) for text in fee.get("hours", ["00:00-24:00"])]
    unit, free = fee["unit_minutes"] * 60, fee.get("free_minutes", 0) * 60
    at, until = begin.replace(microsecond=0), end.replace(microsecond=0)
    passed = counted = 0
    begun = {}
    while at < until:
        minute = at.hour * 60 + at.minute
        if passed >= free and any(a <= minute < b for a, b in hours):
            if counted % unit == 0:
                begun[at.date()] = begun.get(at.date(), 0) + 1
            counted += 1
        passed += 1
        at += timedelta(seconds=1)
    units = sum(begun.values())
    if not units:
        return []
    price = fee["fen_per_unit"]
    fen = sum(min(n * price, fee.get("day_cap_fen", n * price)) for n in begun.values())
    fen = min(fen, fee.get("cap_fen", fen))
    capped = "capped" if fen < units * price else "whole"
    return [(kind, version["id"], "-", begin, end, f"{counted}/{units}/{capped}", str(price), fen)]


def bill(case):
    lines = energy_lines(case)
    arrived = min(case["arrived"] or case["started"], case["started"])
    left = max(case["left"], case["ended"]) if case["left"] else None
    lines += fee_line("parking", case["tariff"], arrived, left or case["ended"])
    if left:
        lines += fee_line("idle", case["tariff"], case["full"] or case["ended"], left)
    return lines


# The cases.

CASES = []


def t(text):
    return datetime.fromisoformat(f"2026-{text}") if text else None


def add(what, tariff, started, ended, readings, arrived=None, full=None, left=None):
    """`readings`: registers at start and end, or a list of (time, register)."""
    started, ended = t(started), t(ended)
    if isinstance(readings[0], int):
        readings = [(started, readings[0]), (ended, readings[1])]
    else:
        readings = [(t(at), register) for at, register in readings]
    CASES.append(
        dict(what=what, tariff=tariff, started=started, ended=ended, readings=readings, arrived=t(arrived), full=t(full), left=t(left))
    )


def text(moment):
    return moment.isoformat() if moment else ""


def cases():
    # Periods of one day, and their edges.
    station = "hubei-station"
    add("flat alone", station, "03-10 08:00:00", "03-10 09:00:00", [1000, 31000])
    add("valley alone at noon", station, "03-10 12:00:00", "03-10 14:00:00", [5, 60_005])
    add("begins at the edge into valley", station, "03-10 12:00:00", "03-10 12:00:01", [0, 20])
    add("ends at the edge into valley", station, "03-10 11:59:59", "03-10 12:00:00", [0, 20])
    add("over the edge by a second each", station, "03-10 11:59:59", "03-10 12:00:01", [0, 40])
    add("odd watt-hour over an edge goes up", station, "03-10 11:59:59", "03-10 12:00:01", [0, 1])
    add("all periods of a day", station, "03-10 00:00:00", "03-11 00:00:00", [100_000, 340_000])
    add("all periods, uneven seconds", station, "03-10 00:00:07", "03-10 23:59:53", [99, 123_456])
    add("flat to peak to sharp", station, "03-10 15:30:00", "03-10 19:10:00", [0, 77_777])
    add("sharp to peak", station, "03-10 19:59:30", "03-10 20:00:30", [10, 1_011])
    add("readings show when it was charged", station, "03-10 15:00:00", "03-10 17:00:00",
        [("03-10 15:00:00", 0), ("03-10 15:50:00", 1_000), ("03-10 16:10:00", 21_000), ("03-10 17:00:00", 22_000)])
    add("a reading on the edge itself", station, "03-10 15:00:00", "03-10 17:00:00",
        [("03-10 15:00:00", 0), ("03-10 16:00:00", 15_003), ("03-10 17:00:00", 15_004)])
    add("all energy before the edge", station, "03-10 11:00:00", "03-10 13:00:00",
        [("03-10 11:00:00", 0), ("03-10 11:59:00", 40_000), ("03-10 13:00:00", 40_000)])
    add("all energy after the edge", station, "03-10 11:00:00", "03-10 13:00:00",
        [("03-10 11:00:00", 7), ("03-10 12:01:00", 7), ("03-10 13:00:00", 40_007)])
    add("half a second of time", station, "03-10 11:59:59.500000", "03-10 12:00:00.250000", [0, 3])
    # Seasons: July and August have their sharp hours later.
    add("summer evening", station, "07-15 19:00:00", "07-15 23:00:00", [0, 240_000])
    add("summer day", station, "08-20 00:00:00", "08-21 00:00:00", [0, 100_001])
    add("into summer, with a new price", station, "06-30 23:00:00", "07-01 01:00:00", [0, 60_000])
    add("out of summer at midnight", station, "08-31 22:30:00", "09-01 00:30:00", [0, 60_000])
    add("last summer evening to first autumn evening", station, "08-31 18:00:00", "09-01 21:00:00", [12, 345_678])
    # Midnight.
    add("valley over midnight is one line", "hubei-home", "03-10 23:30:00", "03-11 06:30:00", [0, 49_000])
    add("peak to valley over midnight", station, "03-10 23:00:00", "03-11 01:00:00", [0, 14_001])
    add("one second over midnight", station, "03-10 23:59:59", "03-11 00:00:00", [0, 9])
    add("two midnights", "hubei-home", "03-10 21:00:00", "03-12 08:00:00", [1_000_000, 1_070_707])
    add("three days", station, "03-10 09:09:09", "03-13 10:10:10", [0, 500_000])
    add("seven days less a second", "hubei-home", "03-10 00:00:01", "03-17 00:00:00", [0, 1_999_999])
    add("over the end of February", "hubei-home", "02-28 20:30:00", "03-01 07:30:00", [3, 66_003])
    # Price changes.
    for hour in range(20, 24):
        add("price change at midnight", station, f"06-30 {hour}:15:00", "07-01 03:45:00", [0, 33_333])
    add("change in the middle of a holiday", "kinds", "05-02 20:00:00", "05-03 02:00:00", [0, 60_000], arrived="05-02 19:59:00")
    add("change, same period", "kinds", "05-02 23:59:00", "05-03 00:01:00", [0, 1_001])
    add("price of the start to the end", "at-start", "02-28 20:00:00", "03-01 08:00:00", [0, 84_000])
    add("price of the start, hours of the old version", "at-start", "02-28 22:30:00", "03-01 05:30:00", [0, 70_007])
    add("price of the start, begun after the change", "at-start", "03-01 00:00:00", "03-01 06:00:00", [0, 42_001])
    add("price of the start, a second before the change", "at-start", "02-28 23:59:59", "03-01 00:59:59", [0, 7_001])
    # Kinds of days.
    kinds = "kinds"
    add("workday in winter", kinds, "01-06 06:00:00", "01-06 20:00:00", [0, 98_765])
    add("sharp price of the season", kinds, "01-06 17:00:00", "01-06 19:30:00", [0, 25_000])
    add("weekend", kinds, "03-14 08:00:00", "03-14 10:00:00", [0, 20_000])
    add("Friday night into Saturday", kinds, "03-13 21:00:00", "03-14 10:00:00", [0, 65_001])
    add("Sunday night into Monday", kinds, "03-15 22:00:00", "03-16 08:00:00", [0, 65_001])
    add("worked Sunday before the festival", kinds, "01-04 16:00:00", "01-04 18:00:00", [0, 14_000])
    add("worked Saturday in February", kinds, "02-14 16:00:00", "02-15 09:30:00", [0, 14_007])
    add("last holiday into a workday", kinds, "05-05 23:00:00", "05-06 08:00:00", [0, 54_000])
    add("workday into the holiday", kinds, "04-30 21:00:00", "05-01 09:00:00", [0, 66_011])
    add("noon of a holiday", kinds, "05-01 11:00:00", "05-01 15:00:00", [0, 40_004])
    add("noon of a holiday, energy for nothing", kinds, "05-04 11:00:00", "05-04 15:00:00", [0, 40_004])
    add("only energy for nothing", kinds, "05-04 12:00:00", "05-04 14:00:00", [0, 20_001])
    add("Spring Festival night", kinds, "02-16 20:00:00", "02-17 12:00:00", [0, 120_000])
    add("National Day to the worked Saturday after it", kinds, "10-07 22:00:00", "10-08 08:00:00", [0, 50_005])
    add("worked Saturday in October", kinds, "10-10 06:00:00", "10-11 10:00:00", [0, 77_777])
    add("summer workday", kinds, "07-08 11:00:00", "07-08 22:00:00", [0, 110_000])
    add("into the summer of workdays", kinds, "05-31 20:00:00", "06-01 08:00:00", [0, 60_006])
    add("New Year", kinds, "01-01 00:00:00", "01-01 08:00:00", [0, 40_000])
    add("New Year's last day", kinds, "12-30 22:00:00", "12-31 23:00:00", [0, 60_000])
    # Parking: free minutes, units, caps a day.
    for minutes in [0, 1, 119, 120, 121, 149, 150, 151, 180, 181]:
        start = t("03-10 09:00:00")
        end = start + timedelta(minutes=minutes)
        add(f"parked {minutes} min with 120 free", kinds, "03-10 09:00:00", f"{start + timedelta(seconds=30 + minutes):%m-%d %H:%M:%S}",
            [0, 100], arrived="03-10 09:00:00", left=f"{max(end, start + timedelta(seconds=60 + minutes)):%m-%d %H:%M:%S}")
    add("120 free minutes and a second", kinds, "03-10 09:00:00", "03-10 10:00:00", [0, 7_000], left="03-10 11:00:01")
    add("parked a day, capped", kinds, "03-10 06:00:00", "03-10 08:00:00", [0, 7_000], left="03-10 23:00:00")
    add("parked over midnight, a cap each day", kinds, "03-10 06:00:00", "03-10 08:00:00", [0, 7_000], left="03-11 12:00:00")
    add("a unit over midnight belongs to its day", kinds, "03-10 21:45:00", "03-10 22:00:00", [0, 1_000], left="03-11 00:20:00")
    add("parked, capped in all", kinds, "06-10 06:00:00", "06-10 08:00:00", [0, 7_000], left="06-14 12:00:00")
    add("parked over the change follows its beginning", kinds, "05-02 18:00:00", "05-02 20:00:00", [0, 9_000], left="05-03 12:00:00")
    add("arrived long before the start", kinds, "03-10 12:00:00", "03-10 12:30:00", [0, 9_000], arrived="03-10 08:30:30", left="03-10 12:30:01")
    add("nothing told of leaving", kinds, "03-10 12:00:00", "03-10 17:00:00", [0, 9_000], arrived="03-10 11:00:00")
    # Occupancy.
    for secs in [0, 899, 900, 901, 960, 961, 4_500, 4_501, 10_000]:
        left = t("03-10 10:00:00") + timedelta(seconds=secs)
        add(f"stood {secs} s after the end, 15 min free", station, "03-10 08:00:00", "03-10 10:00:00", [0, 14_000], left=f"{left:%m-%d %H:%M:%S}")
    add("stood through a night that does not count", station, "03-10 20:00:00", "03-10 22:40:00", [0, 14_000], left="03-11 07:20:00")
    add("a night alone does not count", station, "03-10 20:00:00", "03-10 23:00:00", [0, 14_000], left="03-11 07:00:00")
    add("free minutes pass in the night", station, "03-10 20:00:00", "03-11 06:50:00", [0, 14_000], left="03-11 07:06:00")
    add("from when the vehicle is full", station, "03-10 08:00:00", "03-10 11:00:00",
        [("03-10 08:00:00", 0), ("03-10 09:30:00", 30_000), ("03-10 11:00:00", 30_000)], full="03-10 09:30:00", left="03-10 11:00:30")
    add("capped occupancy", station, "03-10 08:00:00", "03-10 09:00:00", [0, 5_000], left="03-10 19:00:00")
    add("units of five minutes", station, "07-10 08:00:00", "07-10 09:00:00", [0, 5_000], left="07-10 09:20:01")
    add("cap of a day and of all", station, "07-10 20:00:00", "07-10 22:00:00", [0, 5_000], left="07-12 09:20:01")
    add("pauses at noon", kinds, "03-10 10:00:00", "03-10 11:20:00", [0, 5_000], left="03-10 14:10:00")
    add("a unit over the pause", kinds, "03-10 10:00:00", "03-10 11:25:00", [0, 5_000], left="03-10 14:10:00")
    add("two evenings, capped", kinds, "03-10 18:00:00", "03-10 19:10:00", [0, 5_000], left="03-12 09:00:00")
    add("a minute costs a fen", "small", "03-10 02:00:00", "03-10 03:00:00", [0, 5_000], left="03-10 05:07:01")
    # Tiny and huge.
    for wh in [0, 1, 49, 50, 99, 100, 499_999, 500_000, 1_999_999]:
        add(f"{wh} Wh at 0.0001 yuan", "small", "03-10 02:00:00", "03-10 08:00:00", [0, wh])
    for wh in [1, 499, 999, 1_000, 1_001, 2_999, 3_000, 5_000]:
        add(f"{wh} Wh at half a fen a kWh", "small", "03-10 15:00:00", "03-10 16:00:00", [0, wh])
    for wh in [1, 2, 3, 999, 500_000]:
        add(f"{wh} Wh at 100 yuan", "small", "03-10 12:00:00", "03-10 12:30:00", [0, wh])
    add("a minute of a high price", "small", "03-10 12:59:30", "03-10 13:01:30", [0, 20_000])
    add("half-hours and minutes", "small", "03-10 00:00:00", "03-11 00:00:00", [0, 1_234_567])
    add("2 MWh", station, "03-10 10:00:00", "03-10 18:00:00", [0, 2_000_000])
    add("2 MWh on a high register", station, "03-10 10:00:00", "03-10 18:00:00", [997_999_999_999, 998_001_999_999])
    add("nothing charged", station, "03-10 10:00:00", "03-10 10:01:00", [123_456, 123_456])
    add("one watt-hour over a day", station, "03-10 00:00:00", "03-11 00:00:00", [0, 1])
    add("seven watt-hours over a day", station, "03-10 00:00:00", "03-11 00:00:00", [0, 7])
    # And many of no particular kind, from a fixed seed.
    dice = random.Random(8)
    names = sorted(TARIFFS)
    while len(CASES) < 200:
        tariff = dice.choice(names)
        start = datetime(2026, 1, 1) + timedelta(seconds=dice.randrange(360 * 86_400))
        length = timedelta(seconds=dice.choice([90, 1_800, 7_200, 30_000, 100_000]) + dice.randrange(3_600))
        end = start + length
        kwh = min(length.total_seconds() / 3600 * dice.choice([3.3, 7, 60, 180]), 1_900)
        points = sorted(dice.sample(range(1, int(length.total_seconds())), dice.choice([0, 1, 3, 12])))
        register = dice.randrange(10_000_000)
        shares = sorted(dice.random() for _ in points)
        readings = [(start, register)]
        begin = register
        for passed, share in [*zip(points, shares), (int(length.total_seconds()), 1.0)]:
            at = start + timedelta(seconds=passed)
            # No connector gives more than 900 kW: 250 Wh a second.
            most = register + (at - readings[-1][0]) // timedelta(seconds=1) * 250
            register = min(begin + int(kwh * 1000 * share), most)
            readings.append((at, register))
        case = dict(what="any", tariff=tariff, started=start, ended=end, readings=readings, arrived=None, full=None, left=None)
        if dice.random() < 0.7:
            case["arrived"] = start - timedelta(seconds=dice.randrange(3_000))
        if dice.random() < 0.8:
            case["left"] = end + timedelta(seconds=dice.choice([10, 600, 4_000, 20_000, 90_000]) + dice.randrange(500))
        CASES.append(case)


def main():
    cases()
    with open(HERE / "bills.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "what", "tariff", "arrived", "started", "full", "ended", "left", "readings", "lines", "total_fen"])
        for n, case in enumerate(CASES, 1):
            lines = bill(case)
            moments = [text(case[name]) for name in ("arrived", "started", "full", "ended", "left")]
            readings = " ".join(f"{text(at)}={register}" for at, register in case["readings"])
            written = "; ".join("|".join([a, b, c, text(d), text(e), f, g, str(h)]) for a, b, c, d, e, f, g, h in lines)
            out.writerow([n, case["what"], case["tariff"], *moments, readings, written, sum(line[-1] for line in lines)])


if __name__ == "__main__":
    main()
