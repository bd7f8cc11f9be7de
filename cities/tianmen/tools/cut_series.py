#!/usr/bin/env python3
"""Cuts the demo's real series small: data/*.csv from the public data sets named in data/SOURCE.md.

Nothing is scaled here: values are as published (units converted where SOURCE.md says so); scaling to Tianmen's stations is
declared in demo/demo.toml and told on the screen. Same inputs, same bytes.  Needs Python 3.11+ only:
  python3 cities/tianmen/tools/cut_series.py --data <folder>
"""
import argparse, csv, gzip
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "data"


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as f:
        yield from csv.DictReader(f)


def write(name, header, lines):
    with open(HERE / name, "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(header)
        w.writerows(lines)
    print(name, (HERE / name).stat().st_size, "bytes")


def river(data):
    """48 hours before and 20 hours of the flash flood of 2018-06-03, every 5 minutes."""
    first, last = "2018-06-01 17:30", "2018-06-04 13:30"
    kept = [(r["utc"][:16], r["stage_m"]) for r in rows(data / "hydro/usgs/dead_run_5min_2018_06.csv.gz") if first <= r["utc"][:16] < last]
    assert len(kept) == 576 + 240, len(kept)
    write("river_stage.csv", ["utc", "stage_m"], kept)


def water_quality(data):
    """24 hours of a river sonde, every 5 minutes, a storm included; conductance in S/m."""
    source = data / "air_water_quality/usgs_plumtree/plumtree_run_5min_2018_05.csv.gz"
    kept = [(r["utc"][:16], r["water_temp_C"], f"{float(r['sp_conductance_uS_cm']) / 1e4:.4f}", r["turbidity_FNU"])
            for r in rows(source) if "2018-05-12 12:00" <= r["utc"][:16] < "2018-05-13 12:00"]
    assert len(kept) == 288, len(kept)
    write("water_quality.csv", ["utc", "temperature_c", "conductivity_s_m", "turbidity_fnu"], kept)


def air(data):
    """Six stations, 96 hours in October 2016, hourly; NA stays empty."""
    out = []
    for n, station in enumerate(["Tiantan", "Dongsi", "Guanyuan", "Shunyi", "Changping", "Huairou"]):
        for r in rows(data / f"air_water_quality/beijing_prsa/PRSA_Data_{station}_20130301-20170228.csv.gz"):
            when = datetime(int(r["year"]), int(r["month"]), int(r["day"]), int(r["hour"]))
            hour = int((when - datetime(2016, 10, 5)).total_seconds() // 3600)
            if 0 <= hour < 96:
                out.append([n, hour] + ["" if r[k] == "NA" else r[k] for k in ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP")])
    assert len(out) == 6 * 96
    write("air_quality.csv", ["station", "hour", "pm25", "pm10", "so2", "no2", "co", "o3", "temperature_c"], out)


def charging(data):
    """The sessions of one working day of both garages; chargers numbered, minutes since midnight."""
    day, sessions, chargers = "2019-10-16", [], {}
    for site in ("caltech", "jpl"):
        for r in rows(data / f"ev_charging/acn_data/acn_{site}_2019_2021.csv.gz"):
            if r["arrival"][:10] == day:
                a, d = datetime.fromisoformat(r["arrival"]), datetime.fromisoformat(r["departure"])
                start = a.hour * 60 + a.minute
                end = start + max(5, int((d - a) / timedelta(minutes=1)))
                sessions.append((start, min(end, 1439), r["station_id"], float(r["delivered_energy (kWh)"])))
    sessions.sort()
    out = []
    for start, end, station, energy in sessions:
        out.append([chargers.setdefault(station, len(chargers)), start, end, f"{energy:.2f}"])
    print(len(out), "sessions on", len(chargers), "chargers")
    write("charging_sessions.csv", ["charger", "start_minute", "end_minute", "energy_kwh"], out)


def load(data):
    """One day of a server's CPU load, every 5 minutes, percent."""
    source = data / "industrial/nab/data/realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv.gz"
    kept = [(r["timestamp"][:16], f"{float(r['value']):.2f}") for r in rows(source)][1000:1288]
    write("server_load.csv", ["time", "cpu_percent"], kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with hydro/, air_water_quality/, ev_charging/, industrial/")
    data = parser.parse_args().data
    HERE.mkdir(exist_ok=True)
    for cut in (river, water_quality, air, charging, load):
        cut(data)


if __name__ == "__main__":
    main()
