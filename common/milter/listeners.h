// SPDX-License-Identifier: GPL-2.0-or-later
//
// The sockets at which libmilter listens, which it does not show.

#pragma once

#include <vector>

namespace mxfeed {

class Listeners {
 public:
  // Those that the process has now: to be called when the milter's is the only one.
  static Listeners find();

  // A milter on TCP answers in small writes: with Nagle's algorithm each message waits
  // for the peer's delayed ACK, 40 ms.  Accepted sockets inherit the option.  Returns
  // whether there is a TCP socket.
  bool disable_nagle() const;

  // Nobody is accepted any more, though who polls the descriptors goes on doing so.
  // Throws Fault.
  void close() const;

 private:
  std::vector<int> descriptors_;
};

}  // namespace mxfeed
