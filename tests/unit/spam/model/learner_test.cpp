// SPDX-License-Identifier: GPL-2.0-or-later
#include "milters/spam/model/learner.h"

#include <bit>
#include <cmath>

#include "milters/spam/model/numeric.h"
#include "tests/support/catch.h"

namespace mxfeed::spam {
namespace {

const Features kOffer = {3, 17, 400, 5000, 77'777, 1'000'000};
const Features kLetter = {4, 17, 401, 5000, 88'888, 1'000'001};

TEST_CASE("the exponential is exact to the last digits", "[spam]") {
  for (double x = -690; x <= 690; x += 0.37) {
    CAPTURE(x);
    CHECK(std::abs(portable_exp(x) / std::exp(x) - 1) < 1e-14);
  }
  CHECK(portable_exp(0) == 1);
  CHECK(std::isfinite(portable_exp(1e300)));
  CHECK(portable_exp(-1e300) > 0);
}

TEST_CASE("log-odds become a probability", "[spam]") {
  CHECK(sigmoid(0) == 0.5);
  CHECK(sigmoid(2) == Catch::Approx(0.8807970779778823));
  CHECK(sigmoid(-2) == Catch::Approx(0.1192029220221177));
  CHECK(sigmoid(1000) == 1);
  CHECK(sigmoid(-1000) > 0);
}

// The same bits as on the machine on which they were written down.
TEST_CASE("learning gives the same bits on every machine", "[spam]") {
  CHECK(std::bit_cast<std::uint64_t>(sigmoid(1.25)) == 0x3FE8DFA3F55DC7CA);
  Learner learner;
  for (int i = 0; i < 50; ++i) {
    learner.learn(kOffer, Label::spam, {});
    learner.learn(kLetter, Label::ham, {});
  }
  CHECK(std::bit_cast<std::uint64_t>(learner.margin(kOffer)) == 0x401012C1642B4F1C);
  CHECK(std::bit_cast<std::uint64_t>(learner.margin(kLetter)) == 0xC00F659DAB5AD84B);
}

TEST_CASE("what was learned is told apart, and so is what is like it", "[spam]") {
  Learner learner;
  CHECK(learner.margin(kOffer) == 0);
  for (int i = 0; i < 10; ++i) {
    learner.learn(kOffer, Label::spam, {});
    learner.learn(kLetter, Label::ham, {});
  }
  CHECK(learner.margin(kOffer) > 1);
  CHECK(learner.margin(kLetter) < -1);
  CHECK(learner.margin({}) == 0);
  CHECK(margin(learner.weights(), kOffer) == learner.margin(kOffer));
}

TEST_CASE("one message never moves itself by more than its rate allows", "[spam]") {
  Features many(3000);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = i * 7;
  for (const Rate rate : {Rate{}, Rate{0.2, 3.2}, Rate{5, 1}}) {
    Learner learner;
    double before = 0;
    for (const Label label : {Label::spam, Label::ham, Label::ham, Label::spam}) {
      learner.learn(many, label, rate);
      const double after = learner.margin(many);
      CHECK(std::abs(after - before) <= rate.most + 1e-3);
      CHECK((after > before) == (label == Label::spam));
      before = after;
    }
  }
}

TEST_CASE("a message that is certain already changes nothing for the worse", "[spam]") {
  Learner learner;
  for (int i = 0; i < 2000; ++i) learner.learn({{5}}, Label::spam, {5, 8});
  CHECK(std::isfinite(learner.margin({{5}})));
  learner.learn({{5}}, Label::ham, {});
  CHECK(std::isfinite(learner.margin({{5}})));
}

}  // namespace
}  // namespace mxfeed::spam
