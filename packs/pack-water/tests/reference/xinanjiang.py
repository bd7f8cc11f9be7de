#!/usr/bin/env python3
"""Discharge of the Xinanjiang model by an independent program, for tests/xinanjiang.rs.

The program is `hydromodel` 0.4.0 of PyPI (Ouyang Wenyu): `pip install --no-deps hydromodel==0.4.0 && pip install numpy scipy pyyaml`. It is
run here and nothing of it is carried. Rain and temperature are real: basins of CAMELS-US (Newman et al. 2015) in
../shared/data/hydro/camels_us. The soils are deep: that program keeps 0.00001 mm free of a full soil, and drops free water that does
not fit when the area that runs off shrinks, where ours does neither. Potential evaporation of grass after Hargreaves (FAO-56, eqs. 21 to 25 and 52), rounded to what is
written, so that both programs read the same.

  xinanjiang.py CAMELS_FOLDER DATA_FOLDER
"""
import csv
import datetime
import importlib
import math
import pathlib
import sys
import types

import numpy as np

numba = types.ModuleType("numba")
numba.jit = lambda f=None, **_: f if callable(f) else (lambda g: g)
sys.modules.setdefault("numba", numba)
# The package's own __init__ asks for much that the model does not need.
import importlib.util  # noqa: E402

ROOT = pathlib.Path(importlib.util.find_spec("scipy").origin).parents[1] / "hydromodel"
for name, folder in (("hydromodel", ROOT), ("hydromodel.models", ROOT / "models")):
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module
xaj = importlib.import_module("hydromodel.models.xaj").xaj


def evaporation(day, latitude, tmin, tmax):
    """Hargreaves, mm a day."""
    n, phi = day.timetuple().tm_yday, math.radians(latitude)
    near = 1 + 0.033 * math.cos(2 * math.pi * n / 365)
    tilt = 0.409 * math.sin(2 * math.pi * n / 365 - 1.39)
    sunset = math.acos(-math.tan(phi) * math.tan(tilt))
    radiation = 24 * 60 / math.pi * 0.0820 * near * (sunset * math.sin(phi) * math.sin(tilt) + math.cos(phi) * math.cos(tilt) * math.sin(sunset))
    return max(0.0, 0.0023 * ((tmin + tmax) / 2 + 17.8) * math.sqrt(max(0.0, tmax - tmin)) * 0.408 * radiation)


def basin(folder, number):
    """Days with rain (mm), evaporation (mm) and the basin's area (km²)."""
    lines = (folder / f"{number}_daymet_forcing.txt").read_text().splitlines()
    latitude = float(lines[0])
    days = []
    for line in lines[4:]:
        cells = line.split()
        day = datetime.date(*map(int, cells[:3]))
        rain, tmax, tmin = float(cells[5]), float(cells[8]), float(cells[9])
        days.append((day, round(rain, 2), round(evaporation(day, latitude, tmin, tmax), 3)))
    return days


# K B IM UM LM DM C SM EX KI KG CS L CI CG, with A and THETA for CS and L where the network is a unit hydrograph.
SLOW = [1.2, 0.25, 0.02, 20, 80, 250, 0.15, 40, 1.2, 0.35, 0.35, 0.4, 1, 0.8, 0.98]
FAST = [1.3, 0.4, 0.0, 15, 70, 180, 0.1, 20, 1.5, 0.25, 0.45, 0.2, 2, 0.5, 0.99]
GAMMA = [1.2, 0.3, 0.01, 20, 75, 120, 0.16, 30, 1.0, 0.3, 0.4, 1.5, 0.7, 0.7, 0.985]


def run(pairs, given, **how):
    q, _ = xaj(np.array(pairs)[:, None, :], np.array([given], dtype=float), warmup_length=0, normalized_params=False, **how)
    return q[:, 0, 0]


def write(path, names, columns):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(zip(*columns))


def main(camels, data):
    for number in ("02064000", "01547700"):
        days = basin(camels, number)
        pairs = [(p, e) for _, p, e in days]
        write(data / f"xinanjiang-{number}.csv", ["day", "rain_mm", "evaporation_mm", "slow", "slow_pieces", "fast_pieces", "gamma"], [
            [d.isoformat() for d, _, _ in days],
            [p for p, _ in pairs],
            [e for _, e in pairs],
            [f"{q:.12g}" for q in run(pairs, SLOW)],
            [f"{q:.12g}" for q in run(pairs, SLOW, source_type="sources5mm", time_interval_hours=24)],
            [f"{q:.12g}" for q in run(pairs, FAST, source_type="sources5mm", time_interval_hours=24)],
            [f"{q:.12g}" for q in run(pairs, GAMMA, name="xaj_mz", source_type="sources5mm", time_interval_hours=24)],
        ])
    # A spring by the hour: each day's rain falls in six hours, its water evaporates in twelve. That program converts KI and KG to the
    # hour, the other three are given so.
    days = [pair for d, *pair in basin(camels, "02064000") if datetime.date(2000, 3, 1) <= d < datetime.date(2000, 6, 1)]
    hours = [(round(p / 6, 4) if 3 <= h < 9 else 0.0, round(e / 12, 4) if 6 <= h < 18 else 0.0) for p, e in days for h in range(24)]
    hourly = list(SLOW)
    hourly[0], hourly[5], hourly[12] = 0.7, 120, 5
    for at in (11, 13, 14):
        hourly[at] = hourly[at] ** (1 / 24)
    write(data / "xinanjiang-hourly.csv", ["rain_mm", "evaporation_mm", "slow"], [
        [p for p, _ in hours],
        [e for _, e in hours],
        [f"{q:.12g}" for q in run(hours, hourly, source_type="sources5mm", time_interval_hours=1)],
    ])


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
