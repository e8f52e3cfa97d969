// SPDX-License-Identifier: GPL-2.0-or-later
//
// Functions whose result is the same bits on every machine with IEEE 754 arithmetic;
// those of the C library differ between versions.  Only +, -, *, / and std::sqrt are
// used, which are exactly rounded.  Pure.

#pragma once

namespace mxfeed::spam {

// e^x, with a relative error below 1e-14; x is taken within +-700.
double portable_exp(double x);

// e^x / (1 + e^x): log-odds to a probability.
double sigmoid(double logit);

}  // namespace mxfeed::spam
