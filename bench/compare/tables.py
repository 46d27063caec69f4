"""What the runs come to: tables in Markdown and a plot in SVG."""
import math
import statistics
import subprocess

NAMES = {"penstock": "Penstock", "postfix": "Postfix", "exim": "Exim", "opensmtpd": "OpenSMTPD", "haraka": "Haraka"}


def number(value):
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def median(rows, *path):
    """The middle of the runs; None when no run has the value."""
    values = []
    for row in rows:
        for key in path:
            row = row.get(key) if row else None
        if row is not None:
            values.append(row)
    return statistics.median(values) if values else None


def progress(row):
    full, steady, disk = row["full"], row["steady"], row.get("disk")
    written = f", {disk['syncs_per_message']:.2f} syncs, {disk['bytes_per_message']:,.0f} bytes written a message" if disk else ""
    latency = " / ".join(number(x) for x in steady["latency_ms"].values())
    return (f"run {row['run']}, {row['size']} bytes, {row['relay']}: {full['delivered']} delivered at "
            f"{number(full['delivered_per_s'])}/s, {number(full['cpu_s_per_1000'])} s CPU per 1,000, "
            f"{number(full['memory_mb'])} MB, steady latency {latency} ms{written}; "
            f"others used {full['others'] * 100:.0f} % of the machine")


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown processor"


def conditions():
    cores = subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout.strip()
    date = subprocess.run(["date", "+%F"], capture_output=True, text=True, check=True).stdout.strip()
    return f"Measured {date} on {cores} cores ({processor()})"


def order(rows, size):
    names = {row["relay"] for row in rows}
    return sorted(names, key=lambda name: -median([r for r in rows if r["relay"] == name and r["size"] == size],
                                                  "full", "delivered_per_s"))


def speed(rows, options):
    runs = f"{options.runs} runs each in turns, the middle one of each value" if options.runs > 1 else "one run each"
    out = [f"{conditions()}, {runs}; {options.connections} sessions, "
           f"{options.domains} recipient domains, all mail to one next hop, a fresh queue for each run. Latency at "
           f"{options.rate:g} messages a second over 20 sessions for {options.seconds:g} s. "
           "`bench/compare/run.sh`", ""]
    for size in options.sizes:
        out += [f"Messages of {size:,} bytes:", "",
                "| relay | delivered a second | CPU s per 1,000 | peak memory MB | latency ms p50 / p99 / p99.9 | "
                "syncs a message | bytes written a message |", "|---|---|---|---|---|---|---|"]
        for name in order(rows, size):
            mine = [row for row in rows if row["relay"] == name and row["size"] == size]
            latency = " / ".join(number(median(mine, "steady", "latency_ms", key)) for key in ("p50", "p99", "p99_9"))
            syncs, written = median(mine, "disk", "syncs_per_message"), median(mine, "disk", "bytes_per_message")
            out.append(f"| {NAMES[name]} | {number(median(mine, 'full', 'delivered_per_s'))} | "
                       f"{number(median(mine, 'full', 'cpu_s_per_1000'))} | {number(median(mine, 'full', 'memory_mb'))} | "
                       f"{latency} | {number(syncs)} | {number(written)} |")
        out.append("")
    if "haraka" in {row["relay"] for row in rows}:
        out += ["Haraka was sent one command at a time: it answers 503 to a MAIL that comes before the reply to the content "
                "(RFC 2920 §3.1 allows that). The others were sent all they let a sender send.", ""]
    behind = sorted({row["relay"] for row in rows if row["steady"]["delivered_per_s"] < options.rate * .9})
    if behind:
        out += [f"{' and '.join(NAMES[name] for name in behind)} did not keep up with {options.rate:g} messages a second: "
                "that latency is the length of a growing queue.", ""]
    short = sorted({row["relay"] for row in rows if row["full"]["delivered"] < row["full"]["accepted"]})
    if short:
        out += [f"{' and '.join(NAMES[name] for name in short)} had not delivered all when {options.patience:g} s passed without an "
                "arrival; the rate is of what had come.", ""]
    out += [f"Left out: {text.replace('=', ': ', 1)}" for text in options.left_out]
    busiest = max(row["full"]["others"] for row in rows)
    if busiest > .05:
        out.append(f"Other processes used up to {busiest * 100:.0f} % of the machine during the runs.")
    return "\n".join(out).strip() + "\n"


def log_axis(low, high, left, right):
    low, high = math.floor(math.log10(low)), math.ceil(math.log10(high))
    high = max(high, low + 1)
    place = lambda value: left + (math.log10(max(value, 10 ** low)) - low) / (high - low) * (right - left)
    return place, [10 ** power for power in range(low, high + 1)]


def plot(rows, options):
    """Two panels on logarithmic axes: delivered a second (each run a dot), latency from p50 over p99 to p99.9."""
    size = options.sizes[0]
    names = order(rows, size)
    of = {name: [row for row in rows if row["relay"] == name and row["size"] == size] for name in names}
    width, row_height, top = 900, 34, 70
    height = top + row_height * len(names) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           f'<text x="20" y="26" font-size="16" font-weight="bold">Relays side by side, messages of {size:,} bytes</text>']

    def panel(left, right, title, values, draw):
        flat = [x for xs in values.values() for x in xs]
        place, ticks = log_axis(max(min(flat) / 3, 0.01), max(flat), left, right)
        out.append(f'<text x="{left}" y="{top - 14}" fill="#444">{title}</text>')
        for tick in ticks:
            x = place(tick)
            out.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{height - 36}" stroke="#ddd"/>')
            out.append(f'<text x="{x:.1f}" y="{height - 18}" text-anchor="middle" font-size="11" fill="#666">'
                       f"{tick:,g}</text>")
        for i, name in enumerate(names):
            draw(name, place, top + row_height * (i + .5), values[name])

    def colour(name):
        return "#0b6e99" if name == "penstock" else "#888888"

    def rate(name, place, y, values):
        middle = statistics.median(values)
        out.append(f'<text x="105" y="{y + 4:.1f}" text-anchor="end">{NAMES[name]}</text>')
        out.append(f'<rect x="120" y="{y - 9:.1f}" width="{place(middle) - 120:.1f}" height="18" fill="{colour(name)}" '
                   'opacity="0.75"/>')
        for value in values:
            out.append(f'<circle cx="{place(value):.1f}" cy="{y:.1f}" r="3" fill="#222"/>')
        # Beside a bar that is too short for it.
        inside = place(min(values)) - 120 > 70
        x, fill = (126, "#ffffff") if inside else (place(max(values)) + 8, "#222")
        out.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" fill="{fill}">{number(middle)}</text>')

    def latency(name, place, y, values):
        a, b, c = values
        out.append(f'<line x1="{place(a):.1f}" y1="{y:.1f}" x2="{place(c):.1f}" y2="{y:.1f}" stroke="{colour(name)}" '
                   'stroke-width="2"/>')
        for value, radius in ((a, 6), (b, 4), (c, 2.5)):
            out.append(f'<circle cx="{place(value):.1f}" cy="{y:.1f}" r="{radius}" fill="{colour(name)}"/>')

    panel(120, 480, "delivered a second; dots are single runs",
          {n: [r["full"]["delivered_per_s"] for r in of[n]] for n in names}, rate)
    panel(540, 870, f"accept to delivery at {options.rate:g}/s, ms: p50, p99, p99.9",
          {n: [max(median(of[n], "steady", "latency_ms", key), 0.01) for key in ("p50", "p99", "p99_9")] for n in names},
          latency)
    return "\n".join(out) + "\n</svg>\n"


def into_docs(path, mark, text):
    """Between <!-- MARK: begin --> and <!-- MARK: end -->."""
    page = path.read_text()
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
    if begin not in page or end not in page:
        raise SystemExit(f"run.sh: {path} has no place marked \"{mark}\"")
    head, rest = page.split(begin, 1)
    path.write_text(head + begin + text + end + rest.split(end, 1)[1])
