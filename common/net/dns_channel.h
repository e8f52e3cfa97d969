// SPDX-License-Identifier: GPL-2.0-or-later
//
// c-ares: sends questions to the name servers, repeats them, tries the next server, goes
// on over TCP.  It matches replies by address, id and question.

#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/net/dns.h"

struct ares_channeldata;

namespace mxfeed::dns {

struct Servers {
  // "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:5353"; in this order.  None: those
  // of /etc/resolv.conf, as it is now.
  std::vector<std::string> addresses;
  // How long a server has for its first reply.  A later try at the same server has twice
  // the time of the one before.
  std::chrono::milliseconds first_try{1500};
  int tries = 3;  // of each server
};

// Used by one thread.
class Channel {
 public:
  // Called once for each question, by ask(), process() or the destructor; must not throw,
  // and must not use the channel.
  using Done = std::function<void(const Answer&)>;

  // Throws Fault.
  explicit Channel(const Servers& servers);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void ask(const Question& question, Done done);

  // The descriptors to poll(2), and the longest time to wait, up to `most`.
  void add_descriptors(std::vector<pollfd>& polled) const;
  std::chrono::milliseconds timeout(std::chrono::milliseconds most) const;
  // Reads, sends and repeats what is due.  Descriptors that are not the channel's are
  // skipped.
  void process(std::span<const pollfd> polled);

 private:
  static void on_state(void* self, int fd, int readable, int writable);

  std::map<int, short> events_;  // what each descriptor waits for
  ares_channeldata* channel_ = nullptr;
};

}  // namespace mxfeed::dns
