"""Results as text for people."""

WIDTH = 700
HEAD = ("suite", "server", "proxy", "cases", "direct", "through", "different")


def cells(result):
    return (
        result.suite, result.family, result.settings, str(result.cases),
        str(result.passed["direct"]), str(result.passed["through"]), str(len(result.differences)),
    )


def line(result):
    """One result in a sentence."""
    suite, family, settings, cases, direct, through, different = cells(result)
    return (f"{suite} on {family} ({settings}): {cases} cases, {direct} pass directly,"
            f" {through} through, {different} differ")


def drawn(results):
    """All results as a table of Markdown."""
    rows = [HEAD, *(cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def differences(result, most):
    """What fails directly, and the first differences of each case."""
    text = "".join(f"  {case}: fails directly: {why}\n" for case, why in result.raised)
    for case, lines in result.differences:
        text += f"  {case}: {len(lines)} of its lines\n"
        for direct, through in lines[:most]:
            at = next((n for n, (a, b) in enumerate(zip(direct, through)) if a != b), 0)
            begin = max(0, at - WIDTH // 2)
            text += f"    direct:  {cut(direct, begin)}\n    through: {cut(through, begin)}\n"
    return text


def cut(text, begin):
    """The part around the first difference, with the statement before it."""
    if len(text) <= WIDTH:
        return text
    head = text[:80] + "…" if begin > 80 else ""
    return head + text[begin:begin + WIDTH]
