// The dispatcher alone: a network whose peers say what the test says, and a walk that answers as told.
#include "relay/flow/dispatcher.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "mx/limits/lease.h"
#include "relay/flow/site_table.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class ManualClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s) + time.time_since_epoch(); }
  conf::Instant time{1h};
};

class Peer final : public Transport {
 public:
  explicit Peer(std::string* sent) : sent_(sent) {}
  void set_user(TransportUser*) override {}
  void write(OutQueue* out) override {
    *sent_ += out->flatten();
    out->clear();
  }
  void start_tls(const TlsRequest&) override {}
  void pause_reading() override {}
  void resume_reading() override {}
  void set_deadline(conf::Instant) override {}
  void finish() override {}
  size_t unsent_bytes() const override { return 0; }
  std::string local_address() const override { return {}; }

 private:
  std::string* sent_;
};

class PeerNetwork final : public Network {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget&, TransportUser* user) override {
    users.push_back(user);
    return std::make_unique<Peer>(&sent);
  }
  std::vector<TransportUser*> users;
  std::string sent;
};

// A walk whose deliveries have so many transactions each; 0: nothing of them is due.
class Walk final : public DispatcherUser {
 public:
  Answer next_errand(queue::Delivery* delivery, const queue::Path&, size_t, Errand* errand,
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

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    config_->defaults.tls = conf::TlsMode::kOff;
    sites_ = std::make_unique<queue::SiteTable>(config_, nullptr, &clock_, &random_);
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Parts{config_, &messages_, sites_.get(), &lease_, &network_, &clock_, &random_, &walk_,
                          nullptr, [](const queue::Path&, const std::vector<mx::Decision>&) {}});
    number_ = domains_.intern(conf::Domain::from_canonical("d.test"));
    queue::DomainEntry& domain = domains_.at(number_);
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx.test";
    route->hosts.push_back({"mx.test", 10, 25, {"127.0.0.1"}});
    domain.route = route;
    domain.settings = conf::settings_in(config_, domain.name.text());
    path_ = sites_->choose(&domain).path;
  }
  ~DispatcherTest() override { dispatcher_->abandon(); }

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
  Walk walk_;
  std::unique_ptr<queue::SiteTable> sites_;
  std::unique_ptr<Dispatcher> dispatcher_;
  queue::Path* path_ = nullptr;
  uint32_t number_ = 0;
  conf::MessageId last_id_ = 0;
};

TEST_F(DispatcherTest, DeliveriesWithNothingToSendAreTakenInALoopNotOneWithinTheOther) {
  for (int i = 0; i < 20'000; ++i) add(0);
  open();
  EXPECT_EQ(walk_.most_deep, 1);
  EXPECT_LT(walk_.asked, 1000U) << "bounded in a step";
  for (int i = 0; i < 1000 && dispatcher_->ready() > 0; ++i) step();
  EXPECT_EQ(dispatcher_->ready(), 0U);
  EXPECT_EQ(walk_.asked, 20'000U);
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
}

TEST_F(DispatcherTest, ADeliveryWithMoreRecipientsStaysOnItsConnection) {
  add(2);
  open();
  EXPECT_NE(network_.sent.find("MAIL FROM:"), std::string::npos);
  for (int round = 0; round < 2; ++round) {
    say("250 ok\r\n");
    say("250 ok\r\n");
    say("354 go\r\n");
    network_.users.back()->on_drained();  // the content has reached the kernel
    say("250 2.0.0 taken\r\n");
  }
  EXPECT_EQ(walk_.reports,
            (std::vector<Report::Kind>{Report::Kind::kTransaction, Report::Kind::kTransaction}))
      << network_.sent;
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
  EXPECT_EQ(network_.users.size(), 1U) << network_.sent;
}

TEST_F(DispatcherTest, AReportCarriesTheMeaningOfTheReply) {
  add(1);
  open();
  say("250 ok\r\n");
  say("451 4.7.1 Gray-listed, come back\r\n");
  ASSERT_EQ(walk_.outcomes.size(), 1U);
  EXPECT_EQ(walk_.outcomes[0].meaning.type, bounce::ErrorType::kSoft);
  EXPECT_EQ(walk_.outcomes[0].meaning.pace, bounce::Pace::kSame);
}

TEST_F(DispatcherTest, AnErrandThatComesAfterItsConnectionWentIsGivenBack) {
  walk_.answers_later = true;
  queue::Delivery* delivery = add(1);
  open();
  ASSERT_EQ(walk_.laters.size(), 1U);
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "reset"});
  step();
  EXPECT_TRUE(walk_.back.empty()) << "it is still being fetched";
  EXPECT_EQ(dispatcher_->in_flight(), 1U);
  delivery->move_to(queue::DeliveryState::kSending);
  walk_.laters.front()(Walk::an_errand());
  EXPECT_EQ(walk_.back, (std::vector<queue::Delivery*>{delivery}));
  EXPECT_EQ(walk_.reports.back(), Report::Kind::kReleased);
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
}

TEST_F(DispatcherTest, AMassExpiryLooksAtEachDeliveryOnce) {
  path_->standing->block(clock_.time + 10h, "test", clock_.time);
  constexpr size_t kCount = 20'000;
  for (size_t i = 0; i < kCount; ++i) add(1);
  walk_.expiring = kCount / 2;
  path_->first_expiry = clock_.time + 5min;
  step();
  clock_.time += 6min;
  walk_.looks = 0;
  size_t most = 0;
  for (int i = 0; i < 1000 && walk_.back.size() < kCount / 2; ++i) {
    const size_t before = walk_.looks;
    step();
    most = std::max(most, walk_.looks - before);
    clock_.time += 10ms;
  }
  EXPECT_EQ(walk_.back.size(), kCount / 2);
  EXPECT_LE(most, 4096U) << "bounded in a step";
  for (int i = 0; i < 100; ++i, clock_.time += 10ms) step();
  EXPECT_EQ(walk_.looks, kCount) << "one round, not one for each part";
  EXPECT_EQ(dispatcher_->ready(), kCount / 2);
}

}  // namespace
}  // namespace relay
