// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/net/dns_channel.h"

// libcares 1.34 calls the functions that 1.18 has deprecated.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/fault.h"
#include "common/net/dns_message.h"

namespace mxfeed::dns {
namespace {

// What reaches us unfragmented (DNS flag day 2020).
constexpr int kUdpSize = 1232;

struct Asked {
  Question question;
  Channel::Done done;
};

Trouble trouble_of(int status) {
  switch (status) {
    case ARES_ESERVFAIL:
    case ARES_ENOTIMP:
    case ARES_EFORMERR:
      return Trouble::server_failure;
    case ARES_EREFUSED:
      return Trouble::refused;
    case ARES_ETIMEOUT:
      return Trouble::timed_out;
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
      return Trouble::unsendable;
    case ARES_EBADRESP:
      return Trouble::malformed;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
      return Trouble::stopped;
    default:
      return Trouble::no_server;
  }
}

// The status is that of the transport; what a reply says is ours to read.
void on_done(void* argument, int status, int /*timeouts*/, unsigned char* reply,
             int size) noexcept {
  const std::unique_ptr<Asked> asked(static_cast<Asked*>(argument));
  const bool has_reply =
      reply != nullptr && size > 0 &&
      (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND);
  asked->done(has_reply
                  ? parse_reply(asked->question, {reply, static_cast<std::size_t>(size)})
                  : Answer::temporary(trouble_of(status)));
}

void check(int status, std::string_view doing) {
  if (status != ARES_SUCCESS) throw Fault(doing, "libcares", ::ares_strerror(status));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// In libcares' form of names a backslash escapes.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '\\') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

Channel::Channel(const Servers& servers) {
  static const int initialised = ::ares_library_init(ARES_LIB_INIT_ALL);
  check(initialised, "set up DNS");
  ares_options options{};
  options.flags = ARES_FLAG_EDNS;
  options.ednspsz = kUdpSize;
  options.timeout = static_cast<int>(servers.first_try.count());
  options.tries = servers.tries;
  options.sock_state_cb = on_state;
  options.sock_state_cb_data = this;
  int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
             ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
  mask |= ARES_OPT_QUERY_CACHE;  // off: it is not bounded
#endif
#ifdef ARES_OPT_UDP_MAX_QUERIES
  options.udp_max_queries = 8;  // then a new port
  mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
  check(::ares_init_options(&channel_, &options, mask), "set up DNS");
  if (servers.addresses.empty()) return;
  const int status =
      ::ares_set_servers_ports_csv(channel_, joined(servers.addresses).c_str());
  if (status == ARES_SUCCESS) return;
  ::ares_destroy(channel_);
  throw Fault("set up DNS", joined(servers.addresses), ::ares_strerror(status));
}

Channel::~Channel() {
  ::ares_destroy(channel_);
}

void Channel::on_state(void* self, int fd, int readable, int writable) {
  auto& events = static_cast<Channel*>(self)->events_;
  if (readable == 0 && writable == 0) {
    events.erase(fd);
  } else {
    events[fd] =
        static_cast<short>((readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0));
  }
}

void Channel::ask(const Question& question, Done done) {
  auto asked = std::make_unique<Asked>(Asked{question, std::move(done)});
  ::ares_query(channel_, escaped(question.name()).c_str(), 1 /* Internet */,
               static_cast<int>(question.type()), on_done, asked.release());
}

void Channel::add_descriptors(std::vector<pollfd>& polled) const {
  for (const auto& [fd, events] : events_) polled.push_back({fd, events, 0});
}

std::chrono::milliseconds Channel::timeout(std::chrono::milliseconds most) const {
  using std::chrono::milliseconds;
  timeval longest{};
  longest.tv_sec = most.count() / 1000;
  longest.tv_usec = most.count() % 1000 * 1000;
  timeval buffer{};
  const timeval* const wait = ::ares_timeout(channel_, &longest, &buffer);
  // Rounded up: a timer is not due before its time.
  return std::min(most, milliseconds(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000));
}

void Channel::process(std::span<const pollfd> polled) {
  for (const pollfd& one : polled) {
    // What came before may have closed it.
    if (one.revents == 0 || events_.find(one.fd) == events_.end()) continue;
    const bool failed = (one.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    ::ares_process_fd(channel_,
                      failed || (one.revents & POLLIN) != 0 ? one.fd : ARES_SOCKET_BAD,
                      (one.revents & POLLOUT) != 0 ? one.fd : ARES_SOCKET_BAD);
  }
  ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

}  // namespace mxfeed::dns
