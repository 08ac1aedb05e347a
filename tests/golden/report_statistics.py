#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Values of apps/reporting/statistics.h and of macro F1, computed with scipy, statsmodels and scikit-learn:
#   pip install scipy statsmodels scikit-learn && cd tests/golden && python report_statistics.py > report_statistics.txt
# A line is the name of a function, its arguments and its results. Labels and answers are those of labels() below, which
# the test draws again.
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint


def labels(count, classes, factor):
    return [(i * factor + i * i // 7) % classes for i in range(count)]


for successes, trials in [(0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (782, 872), (770, 872), (5, 100000), (99999, 100000)]:
    low, high = proportion_confint(successes, trials, alpha=0.05, method="wilson")
    print("wilson", successes, trials, f"{low:.15g} {high:.15g}")

for first, second in [(0, 0), (0, 1), (3, 3), (4, 9), (9, 4), (29, 40), (32, 61), (0, 12), (500, 600), (1200, 1200)]:
    print("mcnemar", first, second, f"{mcnemar([[0, first], [second, 0]], exact=True).pvalue:.15g}")

for count, classes, wanted, answered in [(20, 2, 3, 4), (100, 3, 5, 4), (33, 3, 2, 4), (7, 1, 1, 1)]:
    value = f1_score(labels(count, classes, wanted), labels(count, classes, answered), average="macro")
    print("macro_f1", count, classes, wanted, answered, f"{value:.15g}")
