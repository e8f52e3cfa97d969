// SPDX-License-Identifier: GPL-2.0-or-later
//
// The workers that share a listener, the means to stop them, and how many have proved
// their engine.

#pragma once

#include <atomic>

#include "common/base/file.h"

namespace mxfeed::virus {

class Crew {
 public:
  // Throws Fault.
  Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  // The workers stop after the current scan; if `drains`, after waiting connections too.
  void stop(bool drains);
  // To be called in a worker.
  void join() { lifeline_write_.reset(); }
  int lifeline() const { return lifeline_read_.get(); }
  const std::atomic<bool>& drains() const { return shared_->drains; }
  // Proofs of all its workers so far that did not fail.
  std::atomic<unsigned>& proofs() { return shared_->proofs; }

 private:
  struct Shared {
    std::atomic<bool> drains{false};
    std::atomic<unsigned> proofs{0};
  };
  Shared* shared_ = nullptr;  // in memory that the workers share
  Fd lifeline_read_, lifeline_write_;
};

}  // namespace mxfeed::virus
