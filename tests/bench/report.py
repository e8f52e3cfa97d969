# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/bench/run found, as a table and as the goals it is held against."""

import statistics


def cpu_ms(result):
    return result["postfix_cpu_ms"] + result["filter_cpu_ms"]


def spread(values, digits=2):
    """The median with [lowest-highest]."""
    return (f"{statistics.median(values):.{digits}f} "
            f"[{min(values):.{digits}f}-{max(values):.{digits}f}]")


class Report:
    """Of results[variant]["many" or "one" session], a list with one entry a round."""

    def __init__(self, options, results):
        self.options = options
        self.results = results

    def median(self, name, load, key):
        return statistics.median(r[key] for r in self.results[name][load])

    def pairs(self, name, base, load="many"):
        """What both did in each round: what else the machine does cancels out."""
        return list(zip(self.results[name][load], self.results[base][load]))

    def rate_ratios(self, name, base):
        return [a["per_second"] / b["per_second"] for a, b in self.pairs(name, base)]

    def one_rate_ratios(self, name, base):
        return [a["per_second"] / b["per_second"] for a, b in self.pairs(name, base, "one")]

    def cpu_ratios(self, name, base):
        return [cpu_ms(a) / cpu_ms(b) for a, b in self.pairs(name, base)]

    def added(self, name, base, load, key):
        return [a[key] - b[key] for a, b in self.pairs(name, base, load)]

    def added_p50_ms(self, name, base):
        return self.added(name, base, "one", "p50_ms")

    def added_p99_ms(self, name, base):
        return self.added(name, base, "one", "p99_ms")

    def added_cpu_ms(self, name, base):
        return [cpu_ms(a) - cpu_ms(b) for a, b in self.pairs(name, base)]

    def print(self, memory_mib):
        self.print_table(memory_mib)
        for base in ("bare", "null3", "null1", "tuned"):
            if base in self.results:
                self.print_ratios(base)
        self.print_goals()

    def print_table(self, memory_mib):
        print(f"{self.options.sessions} sessions: mails a second, p50 and p99 ms, CPU ms a "
              "mail; one session: p50 and p99 ms")
        print(f"{'':10}{'mails/s':>8}{'p50':>8}{'p99':>8}{'postfix':>9}{'filters':>9}"
              f"{'p50':>10}{'p99':>8}{'MiB':>7}")
        for name in self.results:
            memory = f"{memory_mib[name]:7.0f}" if name in memory_mib else ""
            print(f"{name:10}{self.median(name, 'many', 'per_second'):8.0f}"
                  f"{self.median(name, 'many', 'p50_ms'):8.1f}"
                  f"{self.median(name, 'many', 'p99_ms'):8.1f}"
                  f"{self.median(name, 'many', 'postfix_cpu_ms'):9.2f}"
                  f"{self.median(name, 'many', 'filter_cpu_ms'):9.2f}"
                  f"{self.median(name, 'one', 'p50_ms'):10.2f}"
                  f"{self.median(name, 'one', 'p99_ms'):8.2f}{memory}")

    def print_ratios(self, base):
        print(f"\nagainst {base} of the same round: rate; CPU ms a mail above; one session: p50, p99 ms "
              "above")
        for name in self.results:
            if name not in (base, "bare"):
                print(f"{name:10}{spread(self.rate_ratios(name, base)):18}"
                      f"{spread(self.added_cpu_ms(name, base)):22}"
                      f"{spread(self.added_p50_ms(name, base)):22}"
                      f"{spread(self.added_p99_ms(name, base))}")

    def print_goals(self):
        goals = [
            ("session3", "null3", self.rate_ratios, "three null milters on our Session: rate over",
             "at least", 1.25),
            ("engine", "null3", self.rate_ratios, "null engine: rate over", "at least", 1.1),
            ("small", "null3", self.added_cpu_ms, "small signatures: CPU ms a mail above",
             "at most", 0.8),
            ("small", "bare", self.added_p50_ms, "small signatures, one session: p50 ms above",
             "at most", 4),
            ("spam", "null1", self.added_p99_ms, "spam classification, one session: p99 ms above",
             "at most", 3),
            ("big", "peers", self.rate_ratios, "the same signatures: rate over", "at least",
             2.2),
            ("big", "peers", self.one_rate_ratios, "the same, one session: rate over",
             "at least", 2.3),
            ("big", "peers", self.cpu_ratios, "the same: CPU over", "at most", 0.5),
        ]
        print()
        for name, base, measure, what, sense, limit in goals:
            if name in self.results and base in self.results:
                got = measure(name, base)
                value = statistics.median(got)
                met = value >= limit if sense == "at least" else value <= limit
                print(f"{'met' if met else 'MISSED':7} {what} {base}: {spread(got)}, "
                      f"wanted {sense} {limit}")
