// A name system in a table, for tests.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mx/dns/resolver.h"

namespace mx {

class FakeResolver final : public Resolver {
 public:
  void query(std::string_view name, RecordType type, Done done) override {
    ++queries;
    auto answer = std::make_shared<DnsAnswer>();
    answer->canonical_name = name;
    answer->status = DnsStatus::kNoName;
    const auto found = answers.find({std::string(name), type});
    if (found != answers.end()) {
      *answer = found->second;
      if (answer->canonical_name.empty()) answer->canonical_name = name;
    } else {
      for (const auto& [key, other] : answers) {
        if (key.first == name) answer->status = DnsStatus::kNoData;
      }
    }
    if (!hold) {
      done(answer);
    } else {
      held.push_back([done = std::move(done), answer] { done(answer); });
    }
  }
  void release() {
    while (!held.empty()) {
      const std::function<void()> first = std::move(held.front());
      held.erase(held.begin());
      first();
    }
  }

  void mx(const std::string& domain, std::vector<MxRecord> records,
          conf::Duration ttl = std::chrono::hours(1)) {
    DnsAnswer answer;
    answer.status = DnsStatus::kOk;
    answer.mx = std::move(records);
    answer.ttl = ttl;
    answers[{domain, RecordType::kMx}] = answer;
  }
  void address(const std::string& host, std::vector<std::string> addresses,
               conf::Duration ttl = std::chrono::hours(1)) {
    const bool v6 = addresses.front().find(':') != std::string::npos;
    DnsAnswer answer;
    answer.status = DnsStatus::kOk;
    answer.addresses = std::move(addresses);
    answer.ttl = ttl;
    answers[{host, v6 ? RecordType::kAaaa : RecordType::kA}] = answer;
  }
  void status(const std::string& name, RecordType type, DnsStatus status) {
    DnsAnswer answer;
    answer.status = status;
    answers[{name, type}] = answer;
  }

  std::map<std::pair<std::string, RecordType>, DnsAnswer> answers;
  std::vector<std::function<void()>> held;
  bool hold = false;
  int queries = 0;
};

}  // namespace mx
