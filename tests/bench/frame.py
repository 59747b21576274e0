"""What the benches of both protocols share: rounds, and the frame around them."""
import os


class Failed(Exception):
    """What cannot be measured, and why."""


def rounds(options, chosen):
    """(number, one of the chosen), each in each round. Each round begins elsewhere, so that nobody
    always follows the same neighbour."""
    for number in range(options.rounds):
        start = number * len(chosen) // options.rounds
        for one in [*chosen[start:], *chosen[:start]]:
            yield number, one


def measure(bench, chosen, teller):
    """Run the bench over the chosen and tell what came of it; its rows, None where it was broken off."""
    try:
        bench.run(chosen)
        rows = list(bench.rows(chosen))
    except KeyboardInterrupt:
        return None
    finally:
        bench.close()
    folder = teller.write(bench.options, rows, bench.skipped)
    print(teller.text(bench.options, rows, bench.skipped))
    print(f"written to {os.path.relpath(folder)}/{teller.NAME}.md, .csv and .json")
    return rows
