"""Real charging sessions, and days of charge points made of them."""
import csv
import dataclasses
import gzip
import random
from datetime import datetime

SECONDS_PER_HOUR = 3_600
# A session of more than a day in the real world is a cable that was forgotten.
REAL_SECONDS_MAX = 86_400
REAL_SECONDS_MIN = 60
# Shortest session that is played: its start, readings and end need times of their own.
PLAYED_SECONDS_MIN = 2.0


@dataclasses.dataclass(frozen=True)
class Real:
    """A session as it was."""

    station: str
    arrived: float
    left: float
    wh: int


def _acn(folder):
    """ACN-Data: a garage of Caltech, and JPL. Local times with their offset, energy in kWh."""
    for name in ("acn_caltech_2019_2021", "acn_jpl_2019_2021"):
        with gzip.open(folder / "acn_data" / f"{name}.csv.gz", "rt") as rows:
            for row in csv.DictReader(rows):
                times = (datetime.fromisoformat(row[word]).timestamp() for word in ("arrival", "departure"))
                yield Real(row["station_id"], *times, round(float(row["delivered_energy (kWh)"]) * 1000))


def _workplace(folder):
    """Harvard Dataverse NFPQLW: workplaces. Years are written 0014 and 0015."""
    with (folder / "dataverse_workplace" / "station_data_dataverse.csv").open() as rows:
        for row in csv.DictReader(rows):
            times = (datetime.fromisoformat("20" + row[word][2:]).timestamp() for word in ("created", "ended"))
            yield Real(f"workplace-{row['stationId']}", *times, round(float(row["kwhTotal"]) * 1000))


def read(folder):
    """The sessions of each real station, in order; how many rows there were, and how many are left out: without energy, without
    length, or longer than a day. (The third source, ElaadNL, has distributions and no sessions.)"""
    stations, rows, left_out = {}, 0, 0
    for real in (*_acn(folder), *_workplace(folder)):
        rows += 1
        if real.wh <= 0 or not REAL_SECONDS_MIN <= real.left - real.arrived <= REAL_SECONDS_MAX:
            left_out += 1
            continue
        stations.setdefault(real.station, []).append(real)
    for sessions in stations.values():
        sessions.sort(key=lambda real: real.arrived)
    return stations, rows, left_out


def days(stations, points, seconds, factor, gap_seconds_max, watts_max, seed):
    """A day of `seconds` for each point: sessions as (start, length, watt-hours), in order and apart. A real station's history is cut
    into as many days as it fills; when there are fewer days than points, the histories are told again, cut at other places."""
    rng = random.Random(seed)
    found, scaled = [], 0
    offset = 0
    while len(found) < points:
        before = len(found)
        for sessions in stations.values():
            # Told again, a history begins a few sessions later.
            found.extend(_cut(sessions[offset:], seconds, factor, gap_seconds_max, rng))
        if len(found) == before:
            raise ValueError("the real sessions are too long for this time: give more --minutes or a higher --factor")
        offset += 1
    rng.shuffle(found)
    chosen = []
    for day in found[:points]:
        played = []
        for start, length, wh in day:
            most = int(watts_max * length / SECONDS_PER_HOUR)
            scaled += wh > most
            played.append((round(start, 3), round(length, 3), min(wh, most)))
        chosen.append(played)
    return chosen, scaled


def _cut(sessions, seconds, factor, gap_seconds_max, rng):
    day, clock, before = [], None, None
    for real in sessions:
        length = (real.left - real.arrived) / factor
        if not PLAYED_SECONDS_MIN <= length <= seconds - gap_seconds_max:
            continue
        if clock is not None:
            gap = min(max(real.arrived - before, 0) / factor, gap_seconds_max)
        if clock is None or clock + gap + length > seconds:
            if day:
                yield day
            # Not all points begin at once.
            day, clock, gap = [], 0.0, rng.uniform(0, gap_seconds_max)
        day.append((clock + gap, length, real.wh))
        clock, before = clock + gap + length, real.left
    if day:
        yield day
