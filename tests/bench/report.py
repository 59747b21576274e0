"""What a bench tells: one table for people, and the same as JSON, CSV and Markdown."""
import csv
import datetime
import json
import os
import platform
import subprocess

from servers import BUILD

NAME = "dhcp"


def ours_for(rows, row):
    """Our row of the same pool."""
    return next((one for one in rows if one["name"].startswith("ours") and
                 (one["pool"], one["standing"]) == (row["pool"], row["standing"])), None)


def ratio(rows, row):
    """How many times as fast we are; None for our own rows and where there is nothing beside."""
    ours = ours_for(rows, row)
    if row["name"].startswith("ours") or not ours:
        return None
    return ours["rate"] / row["rate"]


def number(value, form="{:,.0f}"):
    return "-" if value is None else form.format(value)


def rate_text(rate):
    return number(rate, "{:,.0f}" if rate >= 1000 else "{:,.1f}")


def pool_text(row):
    return f"{row['pool']:,}" + (f", {row['standing']:,} leased" if row["standing"] else "")


HEAD = ("server", "pool", "DORA/s", "ours / it", "p50 ms", "p99 ms", "p99.9 ms", "CPU us",
        "syncs/1000", "on disk before the ACK")
LEFT = {0, 1, 9}


def cells(rows, row):
    return (row["server"], pool_text(row), rate_text(row["rate"]),
            number(ratio(rows, row), "{:.2f}"),
            *(number(row[f"{part}_us"] / 1000, "{:.2f}") for part in ("p50", "p99", "p99.9")),
            number(row["cpu_us"], "{:.1f}"), number(row.get("syncs_per_1000"), "{:.0f}"),
            row["promise"])


def figures(rows):
    """What the table does not show about ours, a line each."""
    named = {row["name"]: row for row in rows}
    empty, full = named.get("ours-10M"), named.get("ours-10M-1M")
    lines = [f"start to first lease, pool of {pool_text(row)}: {row['start_seconds']:.2f} s"
             for row in rows if row["name"].startswith("ours")]
    if empty and full:
        more = full["pss_before_kib"] - empty["pss_before_kib"]
        lines.append(f"memory of a lease: {more * 1024 / full['standing']:.0f} bytes"
                     f" ({empty['pss_before_kib'] / 1024:.1f} MiB without leases,"
                     f" {full['pss_before_kib'] / 1024:.1f} MiB with {full['standing']:,})")
    floor = named.get("floor-sync")
    if floor:
        lines += [f"share of the durable floor, pool of {pool_text(row)}:"
                  f" {100 * row['rate'] / floor['rate']:.0f} %"
                  for row in rows if row["name"].startswith("ours")]
    return lines


def troubles(rows, skipped):
    lines = [f"{row['name']}: " + ", ".join(f"{row[key]} {key}" for key in
                                            ("lost", "refused", "duplicates", "wrong") if row[key])
             for row in rows if any(row[key] for key in ("lost", "refused", "duplicates", "wrong"))]
    return lines + [f"{name}: skipped: {reason}" for name, reason in skipped.items()]


def machine():
    where = subprocess.run(["stat", "-f", "-c", "%T", BUILD], capture_output=True, text=True,
                           check=False).stdout.strip()
    return {"processors": os.cpu_count(), "kernel": platform.release(), "file_system": where,
            "load_average": os.getloadavg()}


def about(facts):
    return (f"{facts['processors']} processors, Linux {facts['kernel']}, {facts['file_system']};"
            f" load average {facts['load_average'][0]:.1f} at the end")


def text(_options, rows, skipped):
    table = [HEAD, *(cells(rows, row) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) if i in LEFT else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
             for line in table]
    return "\n".join([*lines, "", *figures(rows), *troubles(rows, skipped), about(machine())])


def markdown(options, rows, skipped, facts):
    def line(words):
        return "| " + " | ".join(words) + " |"
    rule = line(["---" if i in LEFT else "---:" for i in range(len(HEAD))])
    versions = dict.fromkeys(row["version"] for row in rows if row["version"])
    return "\n".join([
        "# DHCP servers side by side", "",
        f"Medians of {options.rounds} rounds of {options.seconds:g} s; a new client for every"
        " exchange, 64 in flight; server and load in two network namespaces."
        " `syncs/1000`: syncs of files for a thousand exchanges, counted by strace in a run of"
        " their own.", "",
        line(HEAD), rule, *(line(cells(rows, row)) for row in rows), "",
        *(f"- {item}" for item in [*figures(rows), *troubles(rows, skipped), about(facts),
                                   *versions])]) + "\n"


def write(options, rows, skipped):
    moment = datetime.datetime.now(datetime.timezone.utc)
    folder = options.results / "bench" / moment.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder.mkdir(parents=True)
    facts = machine()
    (folder / "dhcp.json").write_text(json.dumps(
        {"time": moment.isoformat(timespec="seconds"), "machine": facts, "rounds": options.rounds,
         "seconds": options.seconds, "cases": rows, "skipped": skipped}, indent=2) + "\n")
    (folder / "dhcp.md").write_text(markdown(options, rows, skipped, facts))
    with (folder / "dhcp.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        keys = [key for key in (rows[0] if rows else {}) if key != "rounds"]
        out.writerow(["ours_ratio", *keys])
        out.writerows([ratio(rows, row), *(row.get(key) for key in keys)] for row in rows)
    return folder
