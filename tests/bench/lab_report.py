"""What the bench of labs tells: figures and ratios for people, and the same as JSON, CSV, Markdown."""
import csv
import datetime
import json

from report import about, machine, number

NAME = "lab"
HEAD = ("lab", "built by", "seconds", "by the floor's", "kernel MiB", "left after kill -9")
LEFT = {0, 1, 5}
WANTED_RATIO, WANTED_DOWN, WANTED_PLAN = 1.25, 0.2, 0.3


def left_text(left):
    if left is None:
        return "-"
    words = [f"{count} {name[:-1] if count == 1 else name}" for name, count in left.items() if count]
    return ", ".join(words) or "nothing"


def cells(row):
    return (row["label"], row["name"], number(row["seconds"], "{:,.2f}"),
            number(row["ratio"], "{:.2f}"), number(row["kernel_kib"] / 1024),
            left_text(row["left"]))


def held(value, most):
    return f"at most {most:g} is wanted: {'held' if value <= most else 'NOT HELD'}"


def figures(rows):
    """What is asked of ours, a line each."""
    for row in rows:
        if row["builder"] != "ours":
            continue
        if row["ratio"] is not None:
            yield (f"{row['label']}: {row['ratio']:.2f} times the floor, "
                   f"{held(row['ratio'], WANTED_RATIO)}")
        if row["plan_seconds"] is not None:
            yield (f"{row['label']}: YAML and plan take {row['plan_seconds']:.2f} s, "
                   f"{held(row['plan_seconds'], WANTED_PLAN)}")
        if row["down_seconds"] is not None:
            yield (f"{row['label']}: down returns in {row['down_seconds']:.2f} s"
                   + (f", {held(row['down_seconds'], WANTED_DOWN)}" if row["nodes"] < 2000 else ""))


def troubles(skipped):
    return [f"{name}: skipped: {reason}" for name, reason in skipped.items()]


def text(_options, rows, skipped):
    table = [HEAD, *map(cells, rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) if i in LEFT else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
             for line in table]
    return "\n".join([*lines, "", *figures(rows), *troubles(skipped), about(machine())])


def markdown(options, rows, skipped, facts):
    def line(words):
        return "| " + " | ".join(words) + " |"
    rule = line(["---" if i in LEFT else "---:" for i in range(len(HEAD))])
    return "\n".join([
        "# Building labs, side by side", "",
        f"Medians of {options.rounds} rounds (ip -batch and Mininet: one). Everybody builds the nodes,"
        " links, addresses and routes of the same plan; ours is all of `sim up`, the floor the"
        " kernel's part alone. kernel MiB: by how much its own memory grew (unreclaimable slabs and per-CPU memory).", "",
        line(HEAD), rule, *(line(cells(row)) for row in rows), "",
        *(f"- {item}" for item in [*figures(rows), *troubles(skipped), about(facts)])]) + "\n"


def write(options, rows, skipped):
    moment = datetime.datetime.now(datetime.timezone.utc)
    folder = options.results / "bench" / moment.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder.mkdir(parents=True, exist_ok=True)
    facts = machine()
    (folder / "lab.json").write_text(json.dumps(
        {"time": moment.isoformat(timespec="seconds"), "machine": facts, "rounds": options.rounds,
         "labs": rows, "skipped": skipped}, indent=2) + "\n", encoding="utf-8")
    (folder / "lab.md").write_text(markdown(options, rows, skipped, facts), encoding="utf-8")
    with (folder / "lab.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        keys = ("lab", "builder", "nodes", "seconds", "ratio", "kernel_kib", "plan_seconds",
                "down_seconds")
        out.writerow([*keys, "left_namespaces", "left_processes", "left_links"])
        out.writerows([*(row[key] for key in keys), *(row["left"] or {}).values()] for row in rows)
    return folder
