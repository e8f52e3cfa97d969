// SPDX-License-Identifier: GPL-2.0-or-later
//
// The virus engine: a narrow interface to libclamav.
//
// A process has one engine, used by one thread; processes forked after that share its
// memory.  libclamav sometimes answers "clean" when it could not scan; scan() does not
// rely on that answer alone.

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
  // Loads and tests an engine.  Loads the signatures at `settings.database`, at least one
  // and all without an error; then the canary must be found in an encoded part of a
  // message, and not in a message without it.  `directory` is for temporary files.  Calls
  // `alive` from time to time while loading.  Throws Fault: there is no half-loaded
  // engine.
  Engine(const GatewayPolicy::Virus& settings, std::filesystem::path directory,
         const std::function<void()>& alive);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  unsigned signatures() const { return signatures_; }
  // Whether RAR archives can be unpacked: the library for that is not in Debian's main.
  bool reads_rar() const { return reads_rar_; }

  // Sets another directory for temporary files, after a fork.
  void use_directory(std::filesystem::path directory);

  // Proves once more that the canary is found and that a message without it is clean.
  // False if that could not be tried, because temporary space is short; throws Fault if
  // the engine must not be used any more.
  bool prove();

  // Scans a message.  Never throws because of its content.
  //   error: no answer that can be relied on: trouble with temporary space before, during
  //   or after the scan, a message of severity "error", an unknown return code.
  //   Several findings: infected before unscannable before encrypted.
  //   A part that libclamav did not unpack is decoded here and scanned alone, and so is a
  //   content that libclamav does not open (formats/examine.h).
  //   If it lists attachments, the result has them all; it has no list with an infection,
  //   which ends the scan.
  ScanResult scan(std::string_view mail, FeedRule rule = FeedRule::missed,
                  bool lists_attachments = false);

 private:
  struct Run;
  struct Callbacks;
  class Weigher;
  void run(std::string_view content, Run& run);

  struct Free {
    void operator()(void* engine) const;
  };
  std::unique_ptr<void, Free> engine_;
  const GatewayPolicy::Virus settings_;
  const std::string canary_;  // the text that the test signature finds
  std::filesystem::path directory_;
  unsigned signatures_ = 0;
  bool reads_rar_ = false;
};

// The verdict for the name of a signature: a name of libclamav for an exceeded limit is
// "unscannable", one for encrypted content is "encrypted", any other is "infected".
ScanVerdict classify(std::string_view signature);

}  // namespace mxfeed::virus
