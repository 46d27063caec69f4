// The dispatcher alone: a network whose peers say what the test says, and a walk that answers as told.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mx/limits/lease.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/spool/memory_spool.h"
#include "tests/relay/manual_clock.h"
#include "tests/relay/net/quiet_transport.h"
#include "tests/relay/routes_and_rules.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// What all peers of a network have in common.
struct PeerState {
  std::string sent;
  conf::Instant deadline = conf::kNever;  // of the latest
  int tls_started = 0;
  int finished = 0;
  bool closes_late = false;  // a stream that got finish() is closed when the test clears `closing`
  std::vector<std::shared_ptr<const void>> closing;
};

class Peer final : public QuietTransport {
 public:
  explicit Peer(PeerState* state) : state_(state) {}
  void start_tls(const TlsRequest&) override { ++state_->tls_started; }
  void set_deadline(conf::Instant when) override { state_->deadline = when; }
  void finish() override { ++state_->finished; }
  void hold(std::shared_ptr<const void> place) override {
    if (state_->closes_late) {
      state_->closing.push_back(std::move(place));
    } else {
      Transport::hold(std::move(place));
    }
  }

 private:
  void hear(const std::string& bytes) override { state_->sent += bytes; }

  PeerState* state_;
};

class PeerNetwork final : public Network, public PeerState {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget& target, TransportUser* user) override {
    users.push_back(user);
    places.push_back(target.address);
    return std::make_unique<Peer>(this);
  }
  std::vector<TransportUser*> users;
  std::vector<std::string> places;  // that were connected to, in order
};

// A walk whose deliveries have so many transactions each; 0: nothing of them is due.
class ScriptedWalk final : public DispatcherUser {
 public:
  Answer next_errand(queue::Delivery* delivery, const queue::Path&, const ErrandTerms&, Errand* errand,
                     Later later) override {
    ++asked;
    most_deep = std::max(most_deep, ++depth);
    const Answer answer = answer_for(delivery, errand, std::move(later));
    --depth;
    return answer;
  }
  void reroute(queue::Path* /*path*/) override {}
  void waits_long(queue::Delivery* delivery, const queue::PathError&, const AttemptFacts&) override {
    told.push_back(delivery);
  }
  bool report(queue::Delivery* delivery, Report report) override {
    reports.push_back(report.kind);
    if (report.kind == Report::Kind::kTransaction) {
      outcomes.insert(outcomes.end(), report.outcomes.begin(), report.outcomes.end());
      return left[delivery] > 0;
    }
    back.push_back(delivery);
    return false;
  }
  conf::Instant expiry(const queue::Delivery& delivery, const conf::DestinationSettings&) override {
    ++looks;
    return delivery.id <= expiring ? conf::Instant{1h} + 5min : conf::Instant{} + 1000h;
  }

  std::map<queue::Delivery*, int> left;
  std::deque<Later> laters;
  bool answers_later = false;
  std::vector<Report::Kind> reports;
  std::vector<smtp::RecipientOutcome> outcomes;
  std::vector<queue::Delivery*> back, told;
  conf::MessageId expiring = 0;
  size_t recipients = 1;  // of a transaction
  size_t asked = 0, looks = 0;
  int depth = 0, most_deep = 0;

 private:
  Answer answer_for(queue::Delivery* delivery, Errand* errand, Later later) {
    if (answers_later) {
      laters.push_back(std::move(later));
      return Answer::kLater;
    }
    if (left[delivery] == 0) {
      delivery->move_to(queue::DeliveryState::kScheduled);
      return Answer::kNone;
    }
    --left[delivery];
    if (delivery->state == queue::DeliveryState::kLoading) delivery->move_to(queue::DeliveryState::kSending);
    *errand = an_errand();
    errand->recipients.resize(recipients);
    errand->transaction.recipients.resize(recipients, errand->transaction.recipients[0]);
    return Answer::kNow;
  }

 public:
  static Errand an_errand() {
    Errand errand;
    errand.recipients = {0};
    errand.transaction.recipients.resize(1);
    errand.transaction.recipients[0].mailbox = conf::Mailbox::parse("a@d.test").value();
    errand.transaction.body = conf::Bytes("Subject: x\r\n\r\nx\r\n");
    return errand;
  }
};

class FakeSecrets final : public Secrets {
 public:
  void get(const std::string& login, Done done) override {
    asked.push_back(login);
    if (missing) return done(conf::Error{conf::ErrorCode::kIo, "the secret cannot be read"});
    done(std::string("secret"));
  }
  void refused(const std::string& login) override { bad.push_back(login); }
  std::vector<std::string> asked, bad;
  bool missing = false;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    config_->defaults.tls = conf::TlsMode::kOff;
    sites_ = std::make_unique<queue::SiteTable>(config_, nullptr, &clock_);
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Parts{config_, &messages_, sites_.get(), &lease_, &network_, &clock_, &random_, &walk_,
                          nullptr, [](const queue::Path&, const std::vector<mx::Decision>&) {},
                          [this](const queue::Path&, const ServerTrouble& trouble) {
                            troubles_.push_back(trouble.mx_host + ": " + trouble.text);
                          },
                          [this](queue::Path*) { ++failures_; }, &secrets_});
    number_ = domains_.intern(conf::Domain::from_canonical("d.test"));
    queue::DomainEntry& domain = domains_.at(number_);
    domain.settings = conf::settings_in(config_, domain.name.text());
    route_by({{"mx.test", 10, 25, {"127.0.0.1"}}});
  }
  ~DispatcherTest() override { dispatcher_->abandon(); }

  void route_by(std::vector<mx::RouteHost> hosts) {
    domains_.at(number_).route = route_to(std::move(hosts));
    path_ = queue::PathChoice(sites_.get(), &random_).choose(&domains_.at(number_)).path;
  }
  queue::Delivery* add(int transactions) {
    queue::Delivery* delivery = deliveries_.add(++last_id_, number_, clock_.time);
    walk_.left[delivery] = transactions;
    dispatcher_->add(delivery, path_);
    return delivery;
  }
  void step() { dispatcher_->step(clock_.time); }
  void say(const std::string& text) { network_.users.back()->on_bytes(text); }
  void open() {
    step();
    ASSERT_FALSE(network_.users.empty());
    greet();
  }
  void greet() {
    network_.users.back()->on_connected();
    say("220 mx.test\r\n");
    say("250 mx.test\r\n");
  }

  ManualClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  spool::MemorySpool spool_;
  queue::MessageCache messages_{&spool_, 1'000'000};
  queue::DomainTable domains_;
  queue::DeliveryStore deliveries_;
  mx::Lease lease_;
  PeerNetwork network_;
  FakeSecrets secrets_;
  ScriptedWalk walk_;
  std::unique_ptr<queue::SiteTable> sites_;
  std::unique_ptr<Dispatcher> dispatcher_;
  queue::Path* path_ = nullptr;
  uint32_t number_ = 0;
  conf::MessageId last_id_ = 0;
  std::vector<std::string> troubles_;
  size_t failures_ = 0;
};

}  // namespace relay
