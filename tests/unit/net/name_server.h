// SPDX-License-Identifier: GPL-2.0-or-later
//
// A name server on the loopback interface that behaves as it is told.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "tests/unit/net/wire.h"

namespace mxfeed::dns {

enum class Conduct {
  honest,  // every name has one A, MX and TXT record; "absent." does not exist
  late,    // honest, after 100 ms
  silent,
  wrong_id,
  wrong_question,
  garbage,
  empty,  // a datagram of no octets
  query_echoed,
  malformed,              // the right id and question, then a record that is cut off
  truncated_always,       // also over TCP
  truncated_tcp_silent,   // takes the connection and the question
  truncated_tcp_closed,   // ends the connection at once
  truncated_tcp_dribble,  // an octet of a long reply at a time, for ever
  truncated_tcp_garbage,
  truncated_then_honest,  // the whole reply over TCP
  servfail,
  refused,
  notimp,
  formerr,
  flood,  // hundreds of replies with wrong ids
};

class NameServer {
 public:
  explicit NameServer(Conduct conduct) : conduct_(conduct) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // The port of the listener is free for UDP too, but for bad luck.
    for (int tries = 0; tries < 100; ++tries) {
      tcp_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      udp_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      sockaddr_in bound = any;
      socklen_t size = sizeof bound;
      if (::bind(tcp_.get(), address(any), sizeof any) != 0 ||
          ::getsockname(tcp_.get(), address(bound), &size) != 0 ||
          ::listen(tcp_.get(), 64) != 0 ||
          ::bind(udp_.get(), address(bound), sizeof bound) != 0) {
        continue;
      }
      port_ = ntohs(bound.sin_port);
      thread_ = std::thread([this] { run(); });
      return;
    }
    throw std::runtime_error("no port for a name server");
  }

  ~NameServer() {
    is_stopping_ = true;
    thread_.join();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void behave(Conduct conduct) { conduct_ = conduct; }
  unsigned queries() const { return queries_; }

 private:
  using Clock = std::chrono::steady_clock;

  static sockaddr* address(sockaddr_in& a) { return reinterpret_cast<sockaddr*>(&a); }
  static const sockaddr* address(const sockaddr_in& a) {
    return reinterpret_cast<const sockaddr*>(&a);
  }

  void run() {
    while (!is_stopping_) {
      std::vector<pollfd> polled{{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      for (const auto& [fd, connection] : connections_) polled.push_back({fd, POLLIN, 0});
      ::poll(polled.data(), polled.size(), 5);
      if (polled[0].revents != 0) on_datagram();
      if (polled[1].revents != 0) on_connection();
      for (std::size_t i = 2; i < polled.size(); ++i) {
        if (polled[i].revents != 0) on_stream(polled[i].fd);
      }
      while (!late_.empty() && late_.begin()->first <= Clock::now()) {
        send(late_.begin()->second.first, late_.begin()->second.second);
        late_.erase(late_.begin());
      }
      if (conduct_ == Conduct::truncated_tcp_dribble) {
        for (const auto& [fd, connection] : connections_) {
          static_cast<void>(::send(fd, "\x7F", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
        }
      }
    }
  }

  void on_datagram() {
    char buffer[2048];
    sockaddr_in client{};
    socklen_t size = sizeof client;
    const auto got = ::recvfrom(udp_.get(), buffer, sizeof buffer, MSG_DONTWAIT,
                                address(client), &size);
    if (got < 17) return;
    ++queries_;
    const std::string query(buffer, static_cast<std::size_t>(got));
    switch (conduct_.load()) {
      case Conduct::honest:
        return send(client, honest(query));
      case Conduct::late:
        late_.emplace(Clock::now() + std::chrono::milliseconds(100),
                      std::pair(client, honest(query)));
        return;
      case Conduct::silent:
        return;
      case Conduct::wrong_id: {
        std::string reply = honest(query);
        reply[0] = static_cast<char>(~reply[0]);
        return send(client, reply);
      }
      case Conduct::wrong_question: {
        std::string reply = honest(query);
        reply[13] = reply[13] == 'x' ? 'y' : 'x';
        return send(client, reply);
      }
      case Conduct::garbage:
        return send(client, query.substr(0, 2) + std::string(300, '\xC3'));
      case Conduct::empty:
        return send(client, "");
      case Conduct::query_echoed:
        return send(client, query);
      case Conduct::malformed:
        return send(client, honest(query).substr(0, question_end(query) + 14));
      case Conduct::truncated_always:
      case Conduct::truncated_tcp_silent:
      case Conduct::truncated_tcp_closed:
      case Conduct::truncated_tcp_dribble:
      case Conduct::truncated_tcp_garbage:
      case Conduct::truncated_then_honest:
        return send(client, coded(query, wire::kTruncated));
      case Conduct::servfail:
        return send(client, coded(query, wire::servfail));
      case Conduct::refused:
        return send(client, coded(query, wire::refused));
      case Conduct::notimp:
        return send(client, coded(query, wire::notimp));
      case Conduct::formerr:
        return send(client, coded(query, wire::formerr));
      case Conduct::flood:
        for (int i = 0; i < 500; ++i) {
          std::string reply = honest(query);
          reply[0] = static_cast<char>(reply[0] ^ (1 + i % 255));
          send(client, reply);
        }
        return;
    }
  }

  void on_connection() {
    Fd connection(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection || conduct_ == Conduct::truncated_tcp_closed) return;
    const int fd = connection.get();
    connections_.insert_or_assign(fd, std::move(connection));
  }

  void on_stream(int fd) {
    char buffer[2048];
    const auto got = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) {
      connections_.erase(fd);
      return;
    }
    if (got < 19) return;
    const std::string query(buffer + 2, static_cast<std::size_t>(got) - 2);
    std::string reply;
    switch (conduct_.load()) {
      case Conduct::truncated_always:
        reply = coded(query, wire::kTruncated);
        break;
      case Conduct::truncated_tcp_garbage:
        reply = query.substr(0, 2) + std::string(300, '\xC3');
        break;
      case Conduct::truncated_then_honest:
        reply = honest(query);
        break;
      default:
        return;
    }
    reply.insert(0, wire::number(static_cast<std::uint32_t>(reply.size()), 2));
    static_cast<void>(::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL));
  }

  void send(const sockaddr_in& client, const std::string& reply) {
    static_cast<void>(::sendto(udp_.get(), reply.data(), reply.size(), MSG_DONTWAIT,
                               address(client), sizeof client));
  }

  static std::size_t question_end(const std::string& query) {
    std::size_t at = 12;
    while (at < query.size() && query[at] != '\0') {
      at += static_cast<unsigned char>(query[at]) + 1U;
    }
    return at + 5;
  }

  static std::string honest(const std::string& query) {
    wire::Message message;
    message.id = static_cast<unsigned char>(query[0]) * 256U +
                 static_cast<unsigned char>(query[1]);
    const std::size_t end = question_end(query);
    message.question = query.substr(12, end - 12);
    const auto type = static_cast<unsigned char>(query[end - 3]);
    if (message.question.find("\6absent") == 0) {
      message.flags |= wire::nxdomain;
    } else if (type == 1) {
      message.answers = {{wire::kSameName, 1, 60, std::string("\xC0\0\2\7", 4)}};
    } else if (type == 15) {
      message.answers = {
          {wire::kSameName, 15, 60, wire::number(10, 2) + wire::name("mx.example")}};
    } else if (type == 16) {
      message.answers = {{wire::kSameName, 16, 60, "\x0Bv=spf1 +all"}};
    }
    return message.octets();
  }

  static std::string coded(const std::string& query, unsigned code) {
    wire::Message message;
    message.id = static_cast<unsigned char>(query[0]) * 256U +
                 static_cast<unsigned char>(query[1]);
    message.flags |= code;
    message.question = query.substr(12, question_end(query) - 12);
    return message.octets();
  }

  std::atomic<Conduct> conduct_;
  std::atomic<unsigned> queries_{0};
  std::atomic<bool> is_stopping_{false};
  Fd tcp_;
  Fd udp_;
  unsigned port_ = 0;
  // The thread's.
  std::map<int, Fd> connections_;
  std::multimap<Clock::time_point, std::pair<sockaddr_in, std::string>> late_;
  std::thread thread_;
};

}  // namespace mxfeed::dns
