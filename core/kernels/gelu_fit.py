# SPDX-License-Identifier: Apache-2.0
"""Coefficients of the quick GELU in gelu-inl.h: x (1/2 + x P(u)), u = 2 (x / 5)^2 - 1, for |x| <= 5. P has the least
largest error of GELU (weighted least squares, whose weights follow the errors), in powers of u."""
import math
import numpy

EDGE, TERMS = 5.0, 12
x = numpy.cos(numpy.linspace(0, numpy.pi / 2, 4001))[:-1] * EDGE
target = x * numpy.array([0.5 * math.erf(v / math.sqrt(2)) for v in x])
terms = numpy.polynomial.chebyshev.chebvander(2 * (x / EDGE) ** 2 - 1, TERMS - 1) * (x * x)[:, None]
weight = numpy.ones_like(x)
for _ in range(300):
    root = numpy.sqrt(weight)
    found = numpy.linalg.lstsq(terms * root[:, None], target * root, rcond=None)[0]
    error = numpy.abs(terms @ found - target)
    weight *= error + 1e-12
    weight /= weight.sum()
print(f"largest error {error.max():.2g}")
print(", ".join(f"{c:.10e}F" for c in numpy.polynomial.chebyshev.cheb2poly(found)))
