// Whose answer is taken: against a name server of two sockets, by UDP and by TCP on one port.
#include "relay/uv/cares_transport.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mx/dns/dns_answer.h"
#include "relay/uv/loop.h"

namespace relay::uv {
namespace {

using namespace std::chrono_literals;

std::string octets(std::initializer_list<int> values) {
  std::string out;
  for (const int each : values) out += static_cast<char>(each);
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return text;
}

// The name of a question, as it stands on the wire, and its type and class behind it.
struct Asked {
  std::string name, kind;
};

Asked asked_in(std::string_view query) {
  size_t at = 12;
  while (at < query.size() && query[at] != 0) at += static_cast<unsigned char>(query[at]) + 1U;
  return {std::string(query.substr(12, at + 1 - 12)), std::string(query.substr(at + 1, 4))};
}

std::string head_of(std::string_view query) {
  return std::string(query.substr(0, 2)) + octets({0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0});
}

std::string address_record(const std::string& owner, int last_octet) {
  return owner + octets({0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last_octet});
}

// What the server is asked, answered with 192.0.2.1.
std::string honest(std::string_view query) {
  const Asked asked = asked_in(query);
  return head_of(query) + asked.name + asked.kind + address_record(octets({0xc0, 12}), 1);
}

// 192.0.2.66, by one who does not know the case of the letters.
std::string forged(std::string_view query) {
  const Asked asked = asked_in(query);
  const int owner = 12 + 2 + static_cast<int>(asked.kind.size());
  return head_of(query) + octets({0xc0, owner}) + asked.kind + address_record(lower(asked.name), 66);
}

class NameServer {
 public:
  using Answer = std::function<std::string(std::string_view query)>;
  NameServer(Answer by_udp, Answer by_tcp) : by_udp_(std::move(by_udp)), by_tcp_(std::move(by_tcp)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 100; ++i) {  // until the port is free for both
      place.sin_port = 0;
      tcp_ = socket(AF_INET, SOCK_STREAM, 0);
      udp_ = socket(AF_INET, SOCK_DGRAM, 0);
      socklen_t size = sizeof place;
      auto* address = reinterpret_cast<sockaddr*>(&place);
      if (bind(tcp_, address, size) == 0 && getsockname(tcp_, address, &size) == 0 &&
          bind(udp_, address, size) == 0 && (by_tcp_ == nullptr || listen(tcp_, 8) == 0))
        break;
      close(tcp_);
      close(udp_);
    }
    port_ = ntohs(place.sin_port);
    EXPECT_EQ(pipe(stop_), 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    EXPECT_EQ(write(stop_[1], "x", 1), 1);
    thread_.join();
    for (const int each : {tcp_, udp_, stop_[0], stop_[1]}) close(each);
  }
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    for (;;) {
      pollfd wanted[] = {{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
      if (poll(wanted, by_tcp_ == nullptr ? 2 : 3, -1) <= 0 || wanted[0].revents != 0) return;
      if (wanted[1].revents != 0) one_by_udp();
      if (by_tcp_ != nullptr && wanted[2].revents != 0) one_by_tcp();
    }
  }
  void one_by_udp() {
    char query[512];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t count = recvfrom(udp_, query, sizeof query, 0, address, &size);
    if (count < 17) return;
    const std::string answer = by_udp_({query, static_cast<size_t>(count)});
    EXPECT_EQ(sendto(udp_, answer.data(), answer.size(), 0, address, size),
              static_cast<ssize_t>(answer.size()));
  }
  void one_by_tcp() {
    const int client = accept(tcp_, nullptr, nullptr);
    unsigned char length[2];
    char query[512];
    if (recv(client, length, 2, MSG_WAITALL) == 2) {
      const size_t size = length[0] * 256U + length[1];
      if (size <= sizeof query && recv(client, query, size, MSG_WAITALL) == static_cast<ssize_t>(size)) {
        std::string answer = by_tcp_({query, size});
        answer.insert(0,
                      octets({static_cast<int>(answer.size() / 256), static_cast<int>(answer.size() % 256)}));
        EXPECT_EQ(send(client, answer.data(), answer.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(answer.size()));
      }
    }
    close(client);
  }

  Answer by_udp_, by_tcp_;  // null: nobody hears on TCP
  int tcp_ = -1, udp_ = -1;
  uint16_t port_ = 0;
  int stop_[2] = {-1, -1};
  std::thread thread_;
};

// Answers with this error code alone.
NameServer::Answer failing(int code, int* asked = nullptr) {
  return [code, asked](std::string_view query) {
    const Asked about = asked_in(query);
    if (asked != nullptr) ++*asked;
    return std::string(query.substr(0, 2)) + octets({0x81, 0x80 + code, 0, 1, 0, 0, 0, 0, 0, 0}) +
           about.name + about.kind;
  };
}

// What is told people about a question to these.
std::string told_by(const std::vector<std::string>& servers, uint32_t tries = 1,
                    const std::string& name = "a-name-of-many-letters.example") {
  Loop loop;
  conf::DnsSettings settings;
  settings.servers = servers;
  settings.tries = tries;
  settings.timeout = 50ms;
  auto transport = CaresTransport::open(&loop, settings);
  EXPECT_TRUE(transport.ok());
  std::string told;
  (*transport)
      ->ask(name, mx::RecordType::kA,
            [&](mx::DnsStatus status, std::string_view raw, std::string_view detail) {
              told = detail;
              if (status == mx::DnsStatus::kOk)
                told = mx::parse_dns_answer(raw, name, mx::RecordType::kA, detail).detail;
              loop.stop();
            });
  loop.run();
  return told;
}

// The last octet of the address that came; 0: none.
int asked_of(std::initializer_list<const NameServer*> servers) {
  Loop loop;
  conf::DnsSettings settings;
  for (const NameServer* server : servers) settings.servers.push_back(server->place());
  settings.tries = 1;
  auto transport = CaresTransport::open(&loop, settings);
  EXPECT_TRUE(transport.ok());
  int last_octet = -1;
  (*transport)
      ->ask("a-name-of-many-letters.example", mx::RecordType::kA,
            [&](mx::DnsStatus status, std::string_view raw, std::string_view) {
              last_octet = status == mx::DnsStatus::kOk ? static_cast<unsigned char>(raw.back()) : 0;
              loop.stop();
            });
  loop.run();
  return last_octet;
}

int asked_of(const NameServer& server) { return asked_of({&server}); }

// Its record belongs to a name that stands behind the end of the answer.
std::string broken(std::string_view query) {
  const Asked asked = asked_in(query);
  return head_of(query) + asked.name + asked.kind + address_record(octets({0xc0, 255}), 77);
}

// RFC 1034 §5.3.3, step 4d.
TEST(CaresTransport, WhatCannotBeReadLeadsToTheNextServer) {
  const NameServer first(broken, nullptr), second(honest, nullptr);
  EXPECT_EQ(asked_of({&first, &second}), 1);
}

// The whole of it is not to be had from this server, though some records are there.
std::string cut(std::string_view query) {
  std::string answer = honest(query);
  answer[2] = static_cast<char>(answer[2] | 2);
  answer.back() = 66;
  return answer;
}

TEST(CaresTransport, AnAnswerThatIsCutByTcpTooLeadsToTheNextServer) {
  const NameServer first(cut, cut), second(honest, nullptr);
  EXPECT_EQ(asked_of({&first, &second}), 1);
  const NameServer whole_by_tcp(cut, honest);
  EXPECT_EQ(asked_of(whole_by_tcp), 1);
}

TEST(CaresTransport, AnHonestAnswerIsTakenByUdp) { EXPECT_EQ(asked_of({honest, nullptr}), 1); }

TEST(CaresTransport, ACompressedQuestionDoesNotHideTheCase) { EXPECT_EQ(asked_of({forged, honest}), 1); }

TEST(CaresTransport, ACompressedQuestionIsNeverTakenWithoutTcp) { EXPECT_EQ(asked_of({forged, nullptr}), 0); }

TEST(CaresTransport, AnErrorCodeIsToldWithTheServerThatGaveIt) {
  const struct {
    int code;
    const char* name;
  } codes[] = {{1, "FORMERR"}, {2, "SERVFAIL"}, {4, "NOTIMP"}, {5, "REFUSED"}, {9, "error code 9"}};
  for (const auto& [code, name] : codes) {
    const NameServer server(failing(code), nullptr);
    const std::string told = told_by({server.place()}),
                      wanted = "the name server " + server.place() + " answered " + name;
    EXPECT_EQ(told.substr(0, wanted.size()), wanted);
  }
}

TEST(CaresTransport, AServerThatFailsOnceIsAskedAgainAndTheNextOneBefore) {
  int first_asked = 0, second_asked = 0;
  {
    const NameServer first(failing(2, &first_asked), nullptr), second(failing(2, &second_asked), nullptr);
    EXPECT_NE(told_by({first.place(), second.place()}, 2).find("SERVFAIL"), std::string::npos);
  }
  EXPECT_EQ(first_asked, 2);
  EXPECT_EQ(second_asked, 2);
  const NameServer refuses(failing(5), nullptr), answers(honest, nullptr);
  EXPECT_EQ(asked_of({&refuses, &answers}), 1);
}

TEST(CaresTransport, SilenceIsToldWithTheServersThatWereAsked) {
  std::string gone;
  {
    const NameServer server(honest, nullptr);
    gone = server.place();
  }
  EXPECT_EQ(told_by({gone}), "no name server can be reached (" + gone + ')');
  const NameServer silent([](std::string_view) { return "x"; }, nullptr);  // too short to be an answer
  EXPECT_EQ(told_by({silent.place()}), "no name server answered in time (" + silent.place() + ')');
  EXPECT_EQ(told_by({silent.place()}, 1, std::string(64, 'a') + ".example"),
            "no name server can know such a name");
}

}  // namespace
}  // namespace relay::uv
