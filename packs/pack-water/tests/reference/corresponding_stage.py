#!/usr/bin/env python3
"""The forecast of one lead by an independent program (numpy 2), for tests/corresponding_stage.rs. Prints the numbers that stand there.

The station is Dead Run as cities/tianmen/data has it; "upstream" is the same series four steps earlier, read to the centimetre only.
The ridge is solved as least squares over rows that are put below the others, not by normal equations as the engine does; blocks and
quantiles are numpy's own."""
import csv
import pathlib

import numpy as np

LEAD, MEMORY, UPSTREAM_MEMORY, FOLDS, RIDGE, CERTAINTY, EARLIER = 6, 3, 6, 5, 0.001, 0.9, 4
ROOT = pathlib.Path(__file__).resolve().parents[4]
with open(ROOT / "cities" / "tianmen" / "data" / "river_stage.csv") as file:
    series = np.array([float(row["stage_m"]) for row in csv.DictReader(file)])
own = series[:-EARLIER]
upstream = np.floor(series[EARLIER:] * 100 + 0.5) / 100
n = len(own)


def past(values, memory):
    return np.column_stack([values[memory - j : n - j] - values[memory - j - 1 : n - j - 1] for j in range(memory)])


skipped = max(MEMORY, UPSTREAM_MEMORY)
terms = np.hstack([past(own, MEMORY)[skipped - MEMORY :], past(upstream, UPSTREAM_MEMORY)[skipped - UPSTREAM_MEMORY :]])
level = own[skipped:] - np.median(own)
lively = np.abs(terms).mean(axis=1)
wide = np.column_stack([terms, level])
known = len(own) - skipped - LEAD
change = own[skipped + LEAD :] - own[skipped : n - LEAD]
usual = lively[:-1].mean()


def fit(rows, target):
    below = np.diag(np.sqrt(RIDGE * (rows**2).sum(axis=0)))
    found, *_ = np.linalg.lstsq(np.vstack([rows, below]), np.concatenate([target, np.zeros(len(below))]), rcond=None)
    return found


moments = np.arange(known)
errors = {}
for name, rows in (("changes", terms), ("changes-and-level", wide)):
    errors[name] = np.empty(known)
    for k in range(FOLDS):
        block = moments[known * k // FOLDS : known * (k + 1) // FOLDS]
        others = moments[(moments < block[0] - LEAD) | (moments > block[-1] + LEAD)]
        found = fit(rows[others], change[others])
        errors[name][block] = change[block] - rows[block] @ found
    print(name, "rmse", repr(float(np.sqrt((errors[name] ** 2).mean()))))
    found = fit(rows[:known], change)
    print("  coefficients", [float(c) for c in found])
    print("  change", repr(float(rows[-1] @ found)))
    shares = errors[name] / (usual + lively[:known])
    ends = np.quantile(shares, [(1 - CERTAINTY) / 2, 1 - (1 - CERTAINTY) / 2])
    print("  interval", [float(e) for e in ends * (usual + lively[-1])])
print("rows", known, "persistence rmse", repr(float(np.sqrt((change**2).mean()))))
