# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares scores of the same mails by resampling them in pairs.

Of each class as many mails are drawn, with replacement, as there are.  Both sides are measured on
the same draw, so what is easy or hard in it cancels out in the difference.
"""

import collections
import itertools
import random

RESAMPLES = 1000


def read(file):
    """Score by the mail's name, and the names of the spam."""
    scores, spam = {}, set()
    for line in file.read_text().splitlines():
        name, label, _, score = line.split("\t")
        scores[name] = float(score)
        if label == "spam":
            spam.add(name)
    return scores, spam


class Ranking:
    """The mails by rising score; those of equal score together."""

    def __init__(self, scores, spam):
        ordered = sorted(scores, key=scores.get)
        self.ties = [[(name, name in spam) for name in group]
                     for _, group in itertools.groupby(ordered, key=scores.get)]

    def misranked(self, drawn):
        """1-ROCA in percent, of mails that count as often as they were drawn."""
        wrong = ham = spam = 0
        for tie in self.ties:
            ham_here = spam_here = 0
            for name, is_spam in tie:
                if is_spam:
                    spam_here += drawn[name]
                else:
                    ham_here += drawn[name]
            wrong += ham_here * (spam + spam_here / 2)
            ham += ham_here
            spam += spam_here
        return 100 * wrong / (ham * spam)


def hits(scores, spam, false_alarms):
    """The percentage of the spam above all ham but a share of it."""
    ham = sorted((score for name, score in scores.items() if name not in spam), reverse=True)
    limit = ham[int(false_alarms * len(ham) + 1e-9)]
    return 100 * sum(scores[name] > limit for name in spam) / len(spam)


def differences(ours, peers, spam):
    """For each peer: what it misranks, and by how much more than ours: point, low and high end of
    the 95 % interval.  `ours` has the scores of several runs, whose mean counts."""
    names = {True: sorted(spam), False: sorted(set(ours[0]) - spam)}
    rankings = [Ranking(scores, spam) for scores in ours]
    others = {name: Ranking(scores, spam) for name, scores in peers.items()}
    found = {name: [] for name in peers}
    source = random.Random(1)
    everything = collections.Counter(ours[0].keys())
    draws = [everything] + [collections.Counter(
        itertools.chain.from_iterable(source.choices(of, k=len(of)) for of in names.values()))
        for _ in range(RESAMPLES)]
    points = {}
    for drawn in draws:
        own = sum(ranking.misranked(drawn) for ranking in rankings) / len(rankings)
        for name, ranking in others.items():
            theirs = ranking.misranked(drawn)
            if drawn is everything:
                points[name] = (theirs, theirs - own)
            else:
                found[name].append(theirs - own)
    return {name: (*points[name], sorted(values)[RESAMPLES * 25 // 1000],
                   sorted(values)[RESAMPLES * 975 // 1000 - 1])
            for name, values in found.items()}


def compare(split, runs, directory):
    """Prints what the peers in the directory score in the split, and by how much more they
    misrank than the mean of the runs."""
    files = sorted(directory.glob(f"*-{split}.tsv"))
    if not files:
        return
    peers = {file.name.removesuffix(f"-{split}.tsv"): read(file)[0] for file in files}
    own = {kind: [read(file) for file in files] for kind, files in runs.items()}
    print(f"{split + ', beside peers':<24} {'1-ROCA %':>9} {'at 0.1 %':>9} {'at 1 %':>9}   "
          "1-ROCA above ours, with the 95 % interval")
    spam = next(iter(own.values()))[0][1]
    more = {kind: differences([scores for scores, _ in each], peers, spam)
            for kind, each in own.items()}
    for peer, scores in peers.items():
        point = next(iter(more.values()))[peer][0]
        print(f"{peer:<24} {point:>9.3f} {hits(scores, spam, 0.001):>9.1f} "
              f"{hits(scores, spam, 0.01):>9.1f}   " +
              "; ".join(f"{kind} {found[peer][1]:+.3f} ({found[peer][2]:+.3f} to "
                        f"{found[peer][3]:+.3f})" for kind, found in more.items()))
    print()
