// The walk as a whole: a spool in memory, names from a table, and a server that answers RCPT as the test
// says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "relay/spool/memory_spool.h"
#include "relay/walk/transit.h"
#include "tests/relay/manual_clock.h"
#include "tests/relay/walk/fake_server.h"
#include "tests/relay/walk/walk_fakes.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class WalkRig : public testing::Test {
 protected:
  WalkRig() {
    config_->hostname = "relay.test";
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    config_->defaults.tls = conf::TlsMode::kOff;
    config_->defaults.retry.delays = {10min};
    config_->dns.allow_private_targets = true;
    journal_.add(&events_);
  }
  ~WalkRig() override {
    transit_.reset();
    journal_.remove(&events_);
  }
  void start() {
    TransitParts parts;
    parts.config = config_;
    parts.book = book_;
    parts.spool = &spool_;
    parts.journal = &journal_;
    parts.resolver = &names_;
    parts.network = &server_;
    parts.clock = &clock_;
    parts.random = &random_;
    parts.veto = &list_;
    parts.signer = &signer_;
    parts.converter = &converter_;
    parts.witness = &doubter_;
    transit_ = std::make_unique<Transit>(std::move(parts));
    ASSERT_TRUE(transit_->recover([](const std::string&, const std::string&) {}).ok());
  }
  conf::MessageId submit(const std::vector<std::string>& recipients, const std::string& from = "",
                         uint8_t notify = conf::kNotifyDefault,
                         const std::string& text = "Subject: x\r\n\r\nx\r\n") {
    spool::MessageRecord record;
    record.id = transit_->next_id();
    if (!from.empty()) record.envelope.reverse_path = conf::Mailbox::parse(from).value();
    for (const std::string& each : recipients)
      record.recipients.push_back({{conf::Mailbox::parse(each).value(), notify}});
    record.size_bytes = text.size();
    const conf::MessageId id = record.id;
    transit_->accept(std::move(record), conf::Bytes(text),
                     [](const conf::Result<spool::Receipt>& stored) { EXPECT_TRUE(stored.ok()); });
    run();
    return id;
  }
  // Each try is refused for now, for days.
  void refuse_for_now() {
    server_.to_rcpt = "452 4.2.2 mailbox full";
    config_->defaults.retry.delays.assign(100, 1h);
    config_->defaults.retry.by_reason.clear();
  }
  // The path to a domain with one host of its own.
  queue::Path* path_to(const std::string& name) {
    queue::DomainTable& domains = transit_->domains();
    queue::DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical(name)));
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx." + name;
    route->hosts.push_back({route->site, 10, 25, {"127.0.0.1"}});
    domain.route = route;
    transit_->routes().settings_of(&domain);
    return transit_->choice().choose(&domain).path;
  }
  // Until nothing happens any more at this moment.
  void run() {
    for (int i = 0; i < 1000; ++i) {
      const bool wrote = spool_.run_batch() > 0;
      transit_->step(clock_.time);
      bool spoke = false;
      while (server_.work()) spoke = true;
      if (!wrote && !spoke && spool_.waiting() == 0) return;
    }
    FAIL() << "it never comes to rest";
  }
  void pass(conf::Duration time) {
    clock_.time += time;
    run();
  }

  ManualClock clock_;
  mx::RuleBookPtr book_;  // null: no rules
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  spool::MemorySpool spool_;
  journal::Journal journal_;
  EventList events_;
  TableOfNames names_;
  FakeServer server_;
  List list_;
  FewSignatures signer_;
  LateConverter converter_;
  Doubter doubter_;
  std::unique_ptr<Transit> transit_;
};

}  // namespace relay
