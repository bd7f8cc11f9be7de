"""The load of the hours ahead, written a second time and in another way, and the data that the tests use.

  python3 load.py make SESSIONS.csv.gz OUT.csv   sessions of the JPL garage as mean power of each hour
  python3 load.py judge HOURS.csv                what the method makes of them, as the tests compare it
"""

import csv
import datetime
import gzip
import statistics
import sys

FIRST, LAST = datetime.datetime(2019, 7, 15), datetime.datetime(2019, 11, 11)
POWER_KW = 6.6  # what a charger of the garage gives; energy is spread from the arrival on


def make(sessions, out):
    hours = {}
    for row in csv.DictReader(gzip.open(sessions, "rt")):
        start, end = (datetime.datetime.fromisoformat(row[k]).replace(tzinfo=None) for k in ("arrival", "departure"))
        energy = float(row["delivered_energy (kWh)"])
        span = min((end - start).total_seconds() / 3600, max(energy / POWER_KW, 0.01))
        if span <= 0:
            continue
        until, at = start + datetime.timedelta(hours=span), start
        while at < until:
            hour = at.replace(minute=0, second=0, microsecond=0)
            stop = min(until, hour + datetime.timedelta(hours=1))
            hours[hour] = hours.get(hour, 0) + energy / span * (stop - at).total_seconds() / 3600
            at = stop
    with open(out, "w") as file:
        file.write("at,load_kw\n")
        hour = FIRST
        while hour < LAST:
            end = hour + datetime.timedelta(hours=1)
            file.write(f"{end.isoformat()}Z,{hours.get(hour, 0):.3f}\n")
            hour = end


def foretell(past, weeks, share, leads):
    usual = {h: statistics.median([past[h - 168 * w] for w in range(1, weeks + 1) if h >= 168 * w])
             for h in range(len(past) - 24, len(past) + leads)}
    level = statistics.median([past[h] - usual[h] for h in range(len(past) - 24, len(past))])
    return [max(0.0, usual[len(past) + k] + share * level) for k in range(leads)]


def judge(load, weeks=6, share=0.5, leads=24, days=28):
    ours, naive, seen = [], [], []
    for day in range(days, 0, -1):
        then = len(load) - 24 * day
        ours += foretell(load[:then], weeks, share, leads)
        naive += [load[then + k - 168] for k in range(leads)]
        seen += load[then:then + leads]
    n = len(seen)
    mae = sum(abs(a - b) for a, b in zip(ours, seen)) / n
    mae_naive = sum(abs(a - b) for a, b in zip(naive, seen)) / n
    mean = sum(seen) / n
    large = [100 * abs(a - b) / b for a, b in zip(ours, seen) if b > mean / 20]
    print(f"mean {mean:.9f} mae {mae:.9f} mae_naive {mae_naive:.9f} wape {100 * mae / mean:.6f} mape {sum(large) / len(large):.6f} "
          f"bias {sum(a - b for a, b in zip(ours, seen)) / n:.9f} skill {1 - mae / mae_naive:.6f}")
    print("next day:", [round(x, 9) for x in foretell(load, weeks, share, leads)])


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        judge([float(row["load_kw"]) for row in csv.DictReader(open(sys.argv[2]))])
