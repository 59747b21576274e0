"""What the FTP bench tells: figures and ratios for people, and the same as JSON, CSV, Markdown."""
import csv
import datetime
import json

from report import about, machine, number

NAME = "ftp"
# Figure, head, form, and whether more is better.
COLUMNS = (
    ("retr_mb_s", "RETR MB/s", "{:,.0f}", True),
    ("retr_cpu_s", "RETR CPU s/GiB", "{:.2f}", False),
    ("stor_mb_s", "STOR MB/s", "{:,.0f}", True),
    ("stor_cpu_s", "STOR CPU s/GiB", "{:.2f}", False),
    ("small_1", "1 KiB files/s, 1", "{:,.0f}", True),
    ("small_8", "8 sessions", "{:,.0f}", True),
    ("small_8_stalled", "beside a stalled one", "{:,.0f}", True),
    ("logins", "log-ins/s", "{:,.0f}", True),
)
# What is asked of ours: figure, what it is, in units of whose (None: as it is), at most or least.
WANTED = (
    ("retr_cpu_s", "CPU of RETR", "floor", "at most", 1.1),
    ("stor_mb_s", "speed of STOR", "pure-ftpd", "at least", 1),
    ("small_1", "small files/s in one session", None, "at least", 4500),
    ("small_8", "small files/s in eight", None, "at least", 12000),
    ("logins", "log-ins/s", None, "at least", 8000),
    ("many_kib", "KiB of an idle session of many", None, "at most", 16),
)
MEMORY = (("idle_pss_kib", "PSS"), ("idle_kernel_kib", "kernel"))


def named(rows, name):
    return next((row for row in rows if row["name"] == name), None)


def ratio(rows, row, figure):
    """Ours / theirs; None where one is not there."""
    ours = named(rows, "ours")
    if not ours or row is ours or not row.get(figure) or ours.get(figure) is None:
        return None
    return ours[figure] / row[figure]


def memory_text(row):
    if row.get("idle_pss_kib") is None:
        return "-"
    return " + ".join(f"{row[key] / 1024:.1f}" for key, _ in MEMORY)


def head(options):
    return ("server", *(title for _, title, _, _ in COLUMNS),
            f"{options.idle:,} idle, PSS + kernel MiB")


def cells(row):
    return (row["server"], *(number(row.get(key), form) for key, _, form, _ in COLUMNS),
            memory_text(row))


def ratio_head():
    return ("ours / it", *(title + ("" if more else " (less is better)")
                           for _, title, _, more in COLUMNS), "idle memory (less is better)")


def ratio_cells(rows, row):
    ours, memory = named(rows, "ours"), None
    if ours and row is not ours and all(key in one for key, _ in MEMORY for one in (ours, row)):
        theirs = sum(row[key] for key, _ in MEMORY)
        memory = sum(ours[key] for key, _ in MEMORY) / theirs if theirs > 0 else None
    return (row["server"], *(number(ratio(rows, row, key), "{:.2f}") for key, *_ in COLUMNS),
            number(memory, "{:.3f}"))


def wanted(options, rows):
    """What is asked of ours and what it has, a line each."""
    ours = named(rows, "ours")
    for key, title, whose, limit, value in WANTED if ours else ():
        has = many_kib(options, ours) if key == "many_kib" else ours.get(key)
        other = named(rows, whose)
        if whose:
            has = has / other[key] if has and other and other.get(key) else None
        if has is None:
            continue
        held = has <= value if limit == "at most" else has >= value
        unit = f" of that of {other['server']}" if whose else ""
        has = number(has, "{:,.2f}" if value < 100 else "{:,.0f}")
        yield f"{title}: {has}{unit}, {limit} {value:,} is wanted: {'held' if held else 'NOT HELD'}"


def many_kib(options, row):
    if row.get("many_pss_kib") is None:
        return None
    return (row["many_pss_kib"] + row["many_kernel_kib"]) / options.many


def figures(options, rows):
    """What the tables do not show, a line each."""
    lines = [*wanted(options, rows)]
    for row in rows:
        if row.get("many_pss_kib") is not None:
            lines.append(f"{row['server']}: {options.many:,} idle sessions take"
                         f" {many_kib(options, row):.1f} KiB each"
                         f" (PSS {row['many_pss_kib'] / options.many:.1f},"
                         f" kernel {row['many_kernel_kib'] / options.many:.1f})")
        if row.get("small_8") and row.get("small_8_stalled"):
            lines.append(f"{row['server']}: beside a stalled client the others get"
                         f" {100 * row['small_8_stalled'] / row['small_8']:.0f} %"
                         " of the files they get without")
    return lines


def troubles(skipped):
    return [f"{name}: skipped: {reason}" for name, reason in skipped.items()]


def tables(options, rows):
    ours_and_others = [row for row in rows if row["name"] != "ours"] if named(rows, "ours") else []
    return ([head(options), *map(cells, rows)],
            [ratio_head(), *(ratio_cells(rows, row) for row in ours_and_others)])


def turned(table):
    """A column a server: there are more figures than a terminal has room for."""
    columns = list(zip(*table))
    widths = [max(len(line[i]) for line in columns) for i in range(len(table))]
    return ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
            for line in columns]


def text(options, rows, skipped):
    measured, ratios = tables(options, rows)
    return "\n".join([*turned(measured), "", *(turned(ratios) if len(ratios) > 1 else ()), "",
                      *figures(options, rows), *troubles(skipped), about(machine())])


def markdown(options, rows, skipped, facts):
    def lines(table):
        def line(words):
            return "| " + " | ".join(words) + " |"
        return [line(table[0]), line(["---", *["---:"] * (len(table[0]) - 1)]),
                *map(line, table[1:])]
    measured, ratios = tables(options, rows)
    versions = dict.fromkeys(row["version"] for row in rows if row["version"])
    return "\n".join([
        "# FTP servers side by side", "",
        f"Medians of {options.rounds} rounds; idle sessions once. Files on tmpfs, server and load"
        " in two network namespaces. CPU: the server and all its processes. Kernel memory: what"
        " slabs, stacks and page tables grew by, less the load's own ends (half of the floor's).",
        "", *lines(measured), "", *lines(ratios), "",
        *(f"- {item}" for item in [*figures(options, rows), *troubles(skipped), about(facts),
                                   *versions])]) + "\n"


def write(options, rows, skipped):
    moment = datetime.datetime.now(datetime.timezone.utc)
    folder = options.results / "bench" / moment.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder.mkdir(parents=True, exist_ok=True)
    facts = machine()
    (folder / "ftp.json").write_text(json.dumps(
        {"time": moment.isoformat(timespec="seconds"), "machine": facts, "rounds": options.rounds,
         "seconds": options.seconds, "bytes": options.bytes, "servers": rows, "skipped": skipped},
        indent=2) + "\n", encoding="utf-8")
    (folder / "ftp.md").write_text(markdown(options, rows, skipped, facts), encoding="utf-8")
    with (folder / "ftp.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        keys = list(dict.fromkeys(key for row in rows for key in row if key != "rounds"))
        out.writerow([*keys, *(f"ours_by_it_{key}" for key, *_ in COLUMNS)])
        out.writerows([*(row.get(key) for key in keys),
                       *(ratio(rows, row, key) for key, *_ in COLUMNS)] for row in rows)
    return folder
