# SPDX-License-Identifier: Apache-2.0
"""Metrics of made-up logits and labels (tests/nn/heads/metrics_test.cpp) by scikit-learn and scipy, in the way of a user who calls them; the calibration
error by numpy. What is not defined has no line. Usage: pip install scikit-learn scipy && python metrics.py > metrics.txt"""
import warnings

import numpy as np
import scipy
import scipy.stats
import sklearn
from sklearn import metrics as M

from golden import uniform

warnings.simplefilter("ignore")  # scikit-learn warns where it defines 0 / 0 as 0


def numbers(name, stream, *shape):
    return np.asarray(uniform(name, stream, shape)).reshape(shape)


def share(name, stream, *shape):  # from 0 to below 1
    return np.abs(numbers(name, stream, *shape)) / 2


def line(key, *values):
    print(key, *(f"{v:.17g}" for v in values))


def calibration_error(p, predicted, y, bins=15):
    confidence, right = p[np.arange(len(y)), predicted], predicted == y
    place = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    return sum((place == b).mean() * abs(confidence[place == b].mean() - right[place == b].mean()) for b in range(bins) if (place == b).any())


def mean_of_areas(y, scores):  # one column a class; classes that all or none have do not count
    areas = [M.roc_auc_score(y[:, c], scores[:, c]) for c in range(y.shape[1]) if 0 < y[:, c].sum() < len(y)]
    return np.mean(areas) if areas else None


def averages(name, y, predicted, support):
    for kind in ["macro", "micro", "weighted"]:
        line(f"{name}/{kind}", *M.precision_recall_fscore_support(y, predicted, average=kind, zero_division=0)[:3], support)


def classification(name, logits, y):
    classes = logits.shape[1]
    logits = logits.astype(np.float32).astype(float)
    p = scipy.special.softmax(logits, 1)
    predicted = logits.argmax(1)
    known = list(range(classes))
    line(f"{name}/loss", -scipy.special.log_softmax(logits, 1)[np.arange(len(y)), y].mean())  # log_loss would cut small probabilities off
    line(f"{name}/accuracy", M.accuracy_score(y, predicted))
    for kind in ["macro", "micro", "weighted"]:
        line(f"{name}/{kind}_f1", M.f1_score(y, predicted, average=kind))
    line(f"{name}/macro_precision", M.precision_score(y, predicted, average="macro"))
    line(f"{name}/macro_recall", M.recall_score(y, predicted, average="macro"))
    if classes == 2:
        line(f"{name}/f1", M.f1_score(y, predicted))
        line(f"{name}/precision", M.precision_score(y, predicted))
        line(f"{name}/recall", M.recall_score(y, predicted))
    line(f"{name}/matthews", M.matthews_corrcoef(y, predicted))
    hot = np.eye(classes, dtype=int)[y]
    area = mean_of_areas(hot, p)
    if set(y) == set(known):
        area = M.roc_auc_score(y, p[:, 1]) if classes == 2 else M.roc_auc_score(y, p, multi_class="ovr")
    if area is not None:
        line(f"{name}/roc_auc", area)
    line(f"{name}/calibration_error", calibration_error(p, predicted, y))
    table = M.precision_recall_fscore_support(y, predicted, labels=known, zero_division=0)
    for c in known:
        line(f"{name}/class{c}", *(column[c] for column in table))
    averages(name, y, predicted, len(y))
    line(f"{name}/confusion", *M.confusion_matrix(y, predicted, labels=known).ravel())


def multi_label(name, logits, y):
    logits = logits.astype(np.float32).astype(float)
    p = scipy.special.expit(logits)
    predicted = (logits > 0).astype(int)
    line(f"{name}/loss", -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())
    for metric, kind in {"f1": "micro", "micro_f1": "micro", "macro_f1": "macro", "weighted_f1": "weighted"}.items():
        line(f"{name}/{metric}", M.f1_score(y, predicted, average=kind))
    line(f"{name}/label_accuracy", 1 - M.hamming_loss(y, predicted))
    line(f"{name}/exact_match", M.accuracy_score(y, predicted))
    area = mean_of_areas(y, p)
    if area is not None:
        line(f"{name}/roc_auc", area)
    table = M.precision_recall_fscore_support(y, predicted, average=None, zero_division=0)
    for c in range(y.shape[1]):
        defined = 0 < y[:, c].sum() < len(y)
        line(f"{name}/class{c}", *(column[c] for column in table[:3]), M.roc_auc_score(y[:, c], p[:, c]) if defined else -1, table[3][c])


def regression(name, predicted, target):
    predicted, target = predicted.astype(np.float32).astype(float), target.astype(np.float32).astype(float)
    line(f"{name}/loss", M.mean_squared_error(target, predicted))
    line(f"{name}/neg_mse", -M.mean_squared_error(target, predicted))
    line(f"{name}/mse", M.mean_squared_error(target, predicted))
    line(f"{name}/mae", M.mean_absolute_error(target, predicted))
    if target.shape[1] > 1:
        return
    x, t = predicted[:, 0], target[:, 0]
    if len(set(t)) > 1:
        line(f"{name}/r2", M.r2_score(t, x))
    for metric, f in {"pearson": scipy.stats.pearsonr, "spearman": scipy.stats.spearmanr}.items():
        if len(set(t)) > 1 and len(set(x)) > 1:
            line(f"{name}/{metric}", f(x, t).statistic)


print("# scikit-learn", sklearn.__version__, "and scipy", scipy.__version__, "; made by metrics.py")
# Labels are drawn in [0, C); what is odd about a case is in its name.
classification("two", numbers("two", 0, 60, 2), (share("two", 1, 60) * 2).astype(int))
classification("five_skewed", numbers("five_skewed", 0, 200, 5), (share("five_skewed", 1, 200) ** 3 * 5).astype(int))
classification("label_missing", numbers("label_missing", 0, 50, 4), (share("label_missing", 1, 50) * 3).astype(int))
classification("answer_missing", numbers("answer_missing", 0, 50, 3) - [0, 0, 20], (share("answer_missing", 1, 50) * 3).astype(int))
classification("one_label", numbers("one_label", 0, 30, 3), np.ones(30, int))
classification("one_of_two", numbers("one_of_two", 0, 30, 2), np.zeros(30, int))
classification("one_answer", np.tile([0.25, 1, -1], (30, 1)), (share("one_answer", 1, 30) * 3).astype(int))
classification("ties", np.round(numbers("ties", 0, 80, 2)), (share("ties", 1, 80) * 2).astype(int))
labels = (share("many", 1, 60, 4) < [0.5, 0.2, 0, 1]).astype(int)  # the third never, the last always
multi_label("many", numbers("many", 0, 60, 4), labels)
multi_label("many_none", numbers("many_none", 0, 10, 2), np.zeros((10, 2), int))
regression("number", numbers("number", 0, 40, 1), numbers("number", 1, 40, 1))
regression("number_ties", np.round(numbers("number_ties", 0, 40, 1)), np.round(numbers("number_ties", 1, 40, 1)))
regression("number_one_answer", np.full((20, 1), 0.1), numbers("number_one_answer", 1, 20, 1))
regression("number_one_label", numbers("number_one_label", 0, 20, 1), np.full((20, 1), 0.1))
regression("numbers", numbers("numbers", 0, 40, 2), numbers("numbers", 1, 40, 2))
