"""What a run's report must hold of every scenario: two sentences, and the frames that prove them."""
import json
import re


def section(report, scenario):
    return re.search(rf"^## {re.escape(scenario)}\n(.*?)(?=^## |\Z)", report, re.M | re.S).group(1)


def rows(text, heading):
    """The cells of the table below a heading, without its head."""
    table = re.search(rf"^### {heading}\n\n\|.*\n\|-.*\n((?:\|.*\n)+)", text, re.M)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in table.group(1).splitlines()] if table else []


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def sentences(text):
    return [one for one in re.split(r"(?<=[.!?])\s+", text.strip()) if one]


def assert_explained(folder):
    """Of a folder of results, in which every scenario held."""
    report = (folder / "report.md").read_text()
    page = (folder / "report.html").read_text()
    for result in json.loads((folder / "result.json").read_text())["scenarios"]:
        name = result["scenario"]
        text = section(report, name)
        seen = re.search(r"^> \*\*What was seen\.\*\* (.*)$", text, re.M)
        assert seen and len(sentences(seen.group(1))) == 2, f"{name}: {seen}"
        assert "${" not in seen.group(1)
        said = [json.loads(line) for line in (folder / name / "messages.jsonl").read_text().splitlines()]
        proof = rows(text, "The frames that prove it")
        assert proof, f"{name} proves nothing"
        for frame, _, sender, ends, message, shows in proof:
            # One frame may carry several lines.
            assert any(line.get("frame") == int(frame) and line["sent_at"].split(":")[0] == sender and shows
                       and message.startswith(line["message"].rstrip("-"))
                       and ends == (f"{endpoint(line['source'], line['source_port'])} → "
                                    f"{endpoint(line['destination'], line['destination_port'])}")
                       for line in said), f"{name}: frame {frame} is not {sender}'s {message}"
        assert f'<h2 id="{name}">' in page
    assert page.count("<blockquote>") == report.count("**What was seen.**")
