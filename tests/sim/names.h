// The name system of the simulation: domains with their hosts, and trouble at random.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mx/dns/resolver.h"
#include "tests/sim/world.h"

namespace sim {

class Names final : public mx::Resolver {
 public:
  explicit Names(World* world) : world_(world) {}
  void add_mx(const std::string& domain, uint16_t preference, const std::string& host) {
    mx_[domain].push_back({preference, host});
  }
  void forget_mx(const std::string& domain) { mx_.erase(domain); }
  void add_address(const std::string& host, const std::string& address) {
    addresses_[host].push_back(address);
  }
  double trouble = 0;
  std::set<std::string> sick;  // names that get no good answer
  void forget() { ++life_; }   // those who asked are gone

  void query(std::string_view name, mx::RecordType type, Done done) override {
    auto answer = std::make_shared<mx::DnsAnswer>();
    answer->canonical_name = name;
    answer->ttl = ttl;
    const std::string key(name);
    if (sick.contains(key)) {
      fail(answer.get());
    } else if (world_->random.chance(trouble)) {
      fail(answer.get());
    } else if (!mx_.contains(key) && !addresses_.contains(key)) {
      answer->status = mx::DnsStatus::kNoName;
    } else if (type == mx::RecordType::kMx && mx_.contains(key)) {
      answer->status = mx::DnsStatus::kOk;
      answer->mx = mx_[key];
    } else if (type == mx::RecordType::kA && addresses_.contains(key)) {
      answer->status = mx::DnsStatus::kOk;
      answer->addresses = addresses_[key];
    } else {
      answer->status = mx::DnsStatus::kNoData;
    }
    if (world_->random.chance(0.5)) {
      done(answer);  // cached
      return;
    }
    world_->after(world_->between(conf::Duration(100), conf::Duration(200'000)),
                  [this, done, answer, life = life_] {
                    if (life != life_) return;
                    done(answer);
                  });
  }
  // From now on the domain has these, in place of what it had.
  void set_mx(const std::string& domain, std::vector<mx::MxRecord> records) {
    mx_[domain] = std::move(records);
  }
  // From now on the domain has this host only.
  void move_mx(const std::string& domain, const std::string& host) { mx_[domain] = {{10, host}}; }
  conf::Duration ttl{300'000'000};  // of every answer that is good

 private:
  // SERVFAIL or REFUSED, or no answer.
  void fail(mx::DnsAnswer* answer) {
    answer->status = world_->random.chance(0.5) ? mx::DnsStatus::kFailed : mx::DnsStatus::kTimeout;
    answer->ttl = conf::Duration(5'000'000);
  }

  World* world_;
  uint64_t life_ = 0;
  std::map<std::string, std::vector<mx::MxRecord>> mx_;
  std::map<std::string, std::vector<std::string>> addresses_;
};

}  // namespace sim
