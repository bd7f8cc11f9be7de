"""Compares a city's ledger of charging with its bills, in the records of a server that has ended: only numbers that the platform wrote,
added up here once more. Double entry, in fen; what the accounts mean is told in crates/charging/src/ledger.rs."""
import collections
import json
import sqlite3


def bill_id(station, transaction):
    """The name under which the ledger knows a session's bill."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in (station, transaction))


def compare(records, operator_of):
    """What is wrong, in words, and the sums. `operator_of` gives who operates a station."""
    wrong = []
    with sqlite3.connect(f"file:{records}?mode=ro", uri=True) as books:
        sessions = books.execute("SELECT station, transaction_id, operator, state, total_fen, bill FROM charging_sessions").fetchall()
        entries = dict(books.execute("SELECT entry_key, bill FROM ledger_entries"))
        kinds = collections.Counter(dict(books.execute("SELECT kind, COUNT(*) FROM ledger_entries GROUP BY kind")))
        postings = collections.defaultdict(list)
        for key, account, fen in books.execute("SELECT entry_key, account, fen FROM ledger_postings"):
            postings[key].append((account, fen))
        money = dict(books.execute("SELECT bill, billed_fen FROM ledger_bills"))
    for key in set(postings) - set(entries):
        wrong.append(f"postings without an entry: {key}")
    drivers, income, owed = collections.Counter(), collections.Counter(), collections.Counter()
    for key in entries:
        if sum(fen for _, fen in postings[key]):
            wrong.append(f"an entry does not add up to nothing: {key} {postings[key]}")
        for account, fen in postings[key]:
            kind, _, name = account.partition(":")
            {"driver": drivers, "income": income}.get(kind, collections.Counter())[name] += fen
    left = set(entries)
    for station, transaction, operator, state, total, bill in sessions:
        if state != "billed":
            continue
        name = bill_id(station, transaction)
        key, total = f"bill:{name}", total or 0
        told = json.loads(bill)
        if sum(line["amount"] for line in told["lines"]) != total or told["total"] != total:
            wrong.append(f"lines do not come to the total of {total} fen: {bill}")
        if operator != operator_of(station):
            wrong.append(f"the income of {operator}, not of {operator_of(station)}: {name}")
        owed[operator] += total
        # A bill of nothing is entered nowhere.
        if not total:
            continue
        left.discard(key)
        sides = sorted((account.partition(":")[0], fen) for account, fen in postings[key])
        if entries.get(key) != name or sides != [("driver", total), ("income", -total)] or f"income:{operator}" not in dict(postings[key]):
            wrong.append(f"a bill of {total} fen of {operator} is entered as {postings[key]}: {name}")
        if money.pop(name, None) != total:
            wrong.append(f"a bill of {total} fen is kept with other money: {name}")
    # Nobody pays by phone here, and nothing is settled: there is nothing but bills.
    wrong.extend(f"an entry that belongs to no bill: {key}" for key in sorted(left))
    wrong.extend(f"money of no bill: {name}" for name in sorted(money))
    for operator in sorted(set(income) | set(owed)):
        if -income[operator] != owed[operator]:
            wrong.append(f"{operator} has {-income[operator]} fen in the ledger, {owed[operator]} fen by its bills")
    sums = {"entries": sum(kinds.values()), "postings": sum(map(len, postings.values())), "drivers": len(drivers), "operators": len(income),
            "drivers_fen": sum(drivers.values()), "operators_fen": -sum(income.values()), "bills_fen": sum(owed.values())}
    if not sums["drivers_fen"] == sums["operators_fen"] == sums["bills_fen"]:
        wrong.append(f"the sums of drivers, operators and bills differ: {sums}")
    return wrong, sums
