// SPDX-License-Identifier: GPL-2.0-or-later
//
// The virus engine: libclamav behind the few things that we ask of it.  The only user of
// clamav.h.
//
// One engine a process, used by one thread; processes that are forked after it was made
// share its memory.  libclamav is known to answer "clean" when it could not look; scan()
// does not rely on that answer alone.

#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/policy/domain_policy.h"
#include "milters/virus/protocol/wire.h"
#include "milters/virus/scan/completeness.h"

namespace mxfeed::virus {

class Engine {
 public:
  // Loads and proves an engine: signatures at `settings.database`, all without an error,
  // and at least one; a canary of its own in an encoded part of a mail is found and in
  // another mail is not.  `directory` takes temporary files.  `alive` is called now and
  // then while it loads.  Throws Fault: there is no half-loaded engine.
  Engine(const GatewayPolicy::Virus& settings, std::filesystem::path directory,
         const std::function<void()>& alive);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  unsigned signatures() const { return signatures_; }
  // Whether RAR archives can be unpacked: Debian's main has no library for that.
  bool reads_rar() const { return reads_rar_; }

  // Temporary files go there from now on: after a fork.
  void use_directory(std::filesystem::path directory);

  // Scans a mail.  Never throws for what is in it.
  //   error: no answer that can be relied on: trouble with temporary space before, during
  //   or after the scan, a message of severity "error", an unknown return code.
  //   Several findings: infected before unscannable before encrypted.
  //   A part that libclamav did not unpack is decoded here and scanned alone.
  ScanResult scan(std::string_view mail, FeedRule rule = FeedRule::missed);

 private:
  struct Run;
  struct Callbacks;
  void run(std::string_view content, Run& run);
  void prove(std::string_view canary);

  struct Free {
    void operator()(void* engine) const;
  };
  std::unique_ptr<void, Free> engine_;
  const GatewayPolicy::Virus settings_;
  std::filesystem::path directory_;
  unsigned signatures_ = 0;
  bool reads_rar_ = false;
};

// The signatures that a name shows to be no virus but a limit ("unscannable") or content
// that cannot be read ("encrypted"); all else is "infected".
ScanVerdict classify(std::string_view signature);

}  // namespace mxfeed::virus
