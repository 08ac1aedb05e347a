# SPDX-License-Identifier: Apache-2.0
"""Coefficients of kernels/gelu-inl.h: erfc(z) = exp(-z^2) g(t), t = 1 / (1 + 0.4 z), g a polynomial of degree 10 fitted
for relative error on z in [0, 10.5] at Chebyshev nodes of t. Needs numpy and mpmath; prints the coefficients, lowest
first, and the largest relative error."""
import mpmath
import numpy as np

p, degree, z_max, nodes = 0.4, 10, 10.5, 400
t_min = 1 / (1 + p * z_max)
t = (1 + t_min) / 2 + (1 - t_min) / 2 * np.cos((np.arange(nodes) + 0.5) * np.pi / nodes)
z = (1 / t - 1) / p
g = np.array([float(mpmath.exp(mpmath.mpf(v) ** 2) * mpmath.erfc(mpmath.mpf(v))) for v in z])
powers = np.vander(t, degree + 1, increasing=True)
coefficients = np.linalg.lstsq(powers / g[:, None], np.ones_like(g), rcond=None)[0]
print(*(f"{c:.10e}" for c in coefficients), sep="\n")
print("relative error", np.abs(powers @ coefficients / g - 1).max())
