// The walk as a whole: a spool in memory, names from a table, and a server that answers RCPT as the test
// says.
#include "relay/walk/transit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "relay/host/configuration.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::EventKind;

class ManualClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s) + time.time_since_epoch(); }
  conf::Instant time{1h};
};

// Every domain has the MX host mx.DOMAIN at 127.0.0.1.
class Names final : public mx::Resolver {
 public:
  void query(std::string_view name, mx::RecordType type, Done done) override {
    asked.emplace_back(name);
    auto answer = std::make_shared<mx::DnsAnswer>();
    answer->canonical_name = name;
    answer->ttl = 1h;
    answer->status = type == mx::RecordType::kAaaa ? mx::DnsStatus::kNoData : mx::DnsStatus::kOk;
    if (type == mx::RecordType::kMx) answer->mx.push_back({10, "mx." + std::string(name)});
    if (type == mx::RecordType::kA) answer->addresses.push_back("127.0.0.1");
    if (slow) {
      later.push_back([done, answer] { done(answer); });
    } else {
      done(answer);
    }
  }
  // Answers all that was asked, and what is asked then.
  void answer_all() {
    while (!later.empty()) answer_one();
  }
  // Stops before the first question for `name` is answered.
  void answer_until(const std::string& name) {
    while (!later.empty() && std::ranges::find(asked, name) == asked.end()) answer_one();
  }
  void answer_one() {
    const std::function<void()> next = std::move(later.front());
    later.pop_front();
    next();
  }
  bool slow = false;
  std::deque<std::function<void()>> later;
  std::vector<std::string> asked;
};

// Speaks SMTP when work() is called, never from inside a call of the relay.
class Server final : public Network {
 public:
  std::unique_ptr<Transport> connect(const ConnectTarget&, TransportUser* user) override;
  // False: there was nothing to say.
  bool work();

  std::string to_rcpt = "250 2.1.5 ok";
  std::map<std::string, std::string> to_rcpt_of;  // instead, for these
  std::string wire;                               // all that it heard
  std::vector<std::string> recipients;            // accepted and sent to

 private:
  friend class Stream;
  void hear(TransportUser* user, const std::string& bytes);
  std::deque<std::pair<TransportUser*, std::function<void()>>> waiting_;
  std::map<TransportUser*, bool> content_;
};

class Stream final : public Transport {
 public:
  Stream(Server* server, TransportUser* user) : server_(server), user_(user) {}
  ~Stream() override {
    std::erase_if(server_->waiting_, [this](const auto& each) { return each.first == user_; });
    server_->content_.erase(user_);
  }
  void set_user(TransportUser*) override {}
  void write(OutQueue* out) override {
    const std::string bytes = out->flatten();
    out->clear();
    server_->hear(user_, bytes);
  }
  void start_tls(const TlsRequest&) override {}
  void pause_reading() override {}
  void resume_reading() override {}
  void set_deadline(conf::Instant) override {}
  void finish() override {}
  size_t unsent_bytes() const override { return 0; }
  std::string local_address() const override { return {}; }

 private:
  Server* server_;
  TransportUser* user_;
};

std::unique_ptr<Transport> Server::connect(const ConnectTarget&, TransportUser* user) {
  waiting_.emplace_back(user, [user] { user->on_connected(); });
  waiting_.emplace_back(user, [user] { user->on_bytes("220 mx.test\r\n"); });
  return std::make_unique<Stream>(this, user);
}

void Server::hear(TransportUser* user, const std::string& bytes) {
  waiting_.emplace_back(user, [user] { user->on_drained(); });
  wire += bytes;
  const auto say = [&](const std::string& text) {
    waiting_.emplace_back(user, [user, text] { user->on_bytes(text + "\r\n"); });
  };
  for (size_t at = 0, end = 0; at < bytes.size(); at = end + 2) {
    end = std::min(bytes.find("\r\n", at), bytes.size());
    const std::string line = bytes.substr(at, end - at);
    if (content_[user]) {
      if (line != ".") continue;
      content_[user] = false;
      say("250 2.0.0 taken");
    } else if (line.rfind("RCPT TO:", 0) == 0) {
      const std::string recipient = line.substr(9, line.find('>') - 9);
      const auto own = to_rcpt_of.find(recipient);
      const std::string& reply = own == to_rcpt_of.end() ? to_rcpt : own->second;
      if (reply[0] == '2') recipients.push_back(recipient);
      say(reply);
    } else if (line == "DATA") {
      content_[user] = true;
      say("354 go");
    } else {
      say("250 ok");
    }
  }
}

bool Server::work() {
  if (waiting_.empty()) return false;
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next.second();
  return true;
}

class Events final : public journal::Feed {
 public:
  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override {
    last_ = sequence;
    all.push_back(event);
  }
  uint64_t through() const override { return last_; }
  std::vector<conf::DeliveryEvent> of(EventKind kind) const {
    std::vector<conf::DeliveryEvent> found;
    for (const conf::DeliveryEvent& each : all) {
      if (each.kind == kind) found.push_back(each);
    }
    return found;
  }
  std::vector<conf::DeliveryEvent> all;

 private:
  uint64_t last_ = 0;
};

// Says no with `reply` to the recipients that are listed.
class List final : public Veto {
 public:
  std::optional<Refusal> refuses(const spool::MessageRecord&,
                                 const spool::RecipientRecord& recipient) const override {
    ++asked;
    if (listed.count(recipient.recipient.mailbox.text()) == 0) return std::nullopt;
    return Refusal{reply, nullptr};
  }
  bounce::Reply reply = bounce::Reply::make(550, "5.7.1 in quarantine");
  std::set<std::string> listed;
  void carried_out(const spool::MessageRecord&, const spool::RecipientRecord&) override { ++carried; }
  mutable size_t asked = 0;
  size_t carried = 0;
};

// Believes no Hard while `doubting`.
class Doubter final : public Witness {
 public:
  bool doubts(const spool::MessageRecord&, const spool::RecipientRecord& recipient,
              const smtp::RecipientOutcome& outcome, const AttemptFacts&, conf::WallTime) override {
    heard.push_back(recipient.recipient.mailbox.text() + ' ' + std::to_string(outcome.reply.code));
    return doubting;
  }
  void recovered(const spool::MessageRecord&, conf::WallTime) override {}
  bool doubting = false;
  std::vector<std::string> heard;
};

// Signs what it is given, as often as `good` says, and then no more.
class FewSignatures final : public dkim::SignQueue {
 public:
  bool enabled() const override { return good >= 0; }
  bool submit(conf::Bytes, Done done) override {
    dkim::SignOutcome outcome;
    outcome.kind = good-- > 0 ? dkim::SignOutcome::Kind::kSigned : dkim::SignOutcome::Kind::kFailed;
    outcome.fields = "DKIM-Signature: x\r\n";
    ready_.emplace_back(std::move(done), std::move(outcome));
    good = std::max(good, 0);
    return true;
  }
  size_t drain_completions() override {
    auto ready = std::exchange(ready_, {});
    for (auto& [done, outcome] : ready) done(std::move(outcome));
    return ready.size();
  }
  int good = -1;  // below 0: nothing is signed

 private:
  std::vector<std::pair<Done, dkim::SignOutcome>> ready_;
};

class TransitTest : public testing::Test {
 protected:
  TransitTest() {
    config_->hostname = "relay.test";
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    config_->defaults.tls = conf::TlsMode::kOff;
    config_->defaults.retry.delays = {10min};
    config_->dns.allow_private_targets = true;
    journal_.add(&events_);
  }
  ~TransitTest() override {
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
  Events events_;
  Names names_;
  Server server_;
  List list_;
  FewSignatures signer_;
  Doubter doubter_;
  std::unique_ptr<Transit> transit_;
};

TEST_F(TransitTest, MailThatNobodyVetoesIsDelivered) {
  start();
  submit({"a@one.test", "b@one.test", "c@two.test"});
  std::sort(server_.recipients.begin(), server_.recipients.end());
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"a@one.test", "b@one.test", "c@two.test"}));
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 3U);
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, AVetoedRecipientFailsBeforeItsDomainIsLookedUp) {
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test"});
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].stage, conf::Stage::kLocal);
  EXPECT_NE(failed[0].reply.find("in quarantine"), std::string::npos);
  EXPECT_TRUE(names_.asked.empty());
  EXPECT_EQ(spool_.message_count(), 0U);
  EXPECT_GT(list_.asked, 1U);
  EXPECT_EQ(list_.carried, 1U) << "it is carried out once, however often it is asked for";
}

// The server takes seven bits only: each transaction sends a converted copy with a signature of its own, and
// that of the second one fails. What the first one said of its recipient stands.
TEST_F(TransitTest, AVerdictIsFinalWhateverBecomesOfTheNextTransaction) {
  config_->defaults.max_recipients_per_transaction = 1;
  config_->defaults.peer.eight_bit = conf::EightBit::kConvert;
  config_->dkim.without_signature = conf::WithoutSignature::kDefer;
  signer_.good = 2;  // the message, and the first copy
  start();
  server_.to_rcpt_of["a@one.test"] = "550 5.1.1 user unknown";
  submit({"a@one.test", "b@one.test"}, "", conf::kNotifyDefault,
         "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n");
  EXPECT_EQ(signer_.good, 0);
  size_t about_a = 0;
  for (const conf::DeliveryEvent& each : events_.all) {
    if (each.recipient != "a@one.test" || each.kind == EventKind::kAccepted) continue;
    ++about_a;
    EXPECT_EQ(each.kind, EventKind::kFailed) << each.reply;
  }
  EXPECT_EQ(about_a, 1U);
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDeferred)[0].recipient, "b@one.test");
}

// A message to two domains; a rule about the one's refusal says hold.
TEST_F(TransitTest, AHoldOfARuleIsOfThoseRecipientsAloneAlsoAfterARestart) {
  start();
  bounce::ReplyRule rule;
  rule.name = "cellar";
  rule.text = {"cellar is full"};
  rule.act = bounce::Act::kHold;
  config_->defaults.retry.delays.assign(20, 1h);
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  server_.to_rcpt = "450 4.2.1 try later";
  server_.to_rcpt_of["a@one.test"] = "451 4.3.0 zzz the cellar is full";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"});
  EXPECT_EQ(transit_->resting().held(), 1U);
  transit_.reset();
  server_.to_rcpt_of.clear();
  server_.to_rcpt = "250 2.1.5 ok";
  start();
  EXPECT_EQ(transit_->resting().held(), 1U) << "the hold outlives the restart";
  pass(2h);
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@two.test"});
  EXPECT_TRUE(transit_->orders().release(id));
  run();
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"b@two.test", "a@one.test"}));
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, AVetoEndsOneRecipientAndLetsTheOthersOfTheDomainPass) {
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test", "b@one.test"});
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@one.test"});
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 1U);
}

TEST_F(TransitTest, AVetoWithA4yzIsAskedAgainByTheSchedule) {
  start();
  list_.listed = {"a@one.test"};
  list_.reply = bounce::Reply::make(450, "4.7.1 not today");
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_TRUE(server_.recipients.empty());
  list_.listed.clear();
  pass(15min);
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"a@one.test"});
}

TEST_F(TransitTest, AVetoThatComesWhileTheMailWaitsHoldsForTheNextAttempt) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  list_.listed = {"a@one.test"};
  pass(15min);
  EXPECT_TRUE(server_.recipients.empty());
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

// Its record is not in memory when it is routed: the veto is asked before it is sent.
TEST_F(TransitTest, AVetoHoldsForMailThatRestsInTheSpoolOnly) {
  config_->spool.body_memory_bytes = 0;
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test", "b@one.test"});
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@one.test"});
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

TEST_F(TransitTest, RepliesAfterAChangeOfRulesAreReadByTheNewOnes) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, {}));
  run();
  submit({"b@one.test"});
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 2U) << "what waits because of such a reply is tried again at once";
  EXPECT_EQ(failed[1].recipient, "b@one.test");
  EXPECT_EQ(failed[1].rule, "the cellar");
}

TEST_F(TransitTest, MailWhoseRefusalReadsOtherwiseNowIsDueAtOnce) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  const conf::MessageId held = submit({"h@one.test"});
  EXPECT_TRUE(transit_->orders().hold(held));
  server_.to_rcpt = "451 4.3.0 zzz the attic is full";
  submit({"b@two.test"});
  run();
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 3U);
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  const auto shipped = bounce::Qualifier::make({}, bounce::shipped_reply_rules());
  transit_->use(shipped);
  run();
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 3U) << "nothing reads otherwise";
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  run();
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].recipient, "a@one.test");
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 3U)
      << "what is held, or waits for another reason, rests";
}

// A delivery does not know which host refused it: a rule for some hosts may be about it, and is asked.
TEST_F(TransitTest, MailIsDueAtOnceAlsoWhenTheChangedRuleNamesHosts) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.mx = {"*"};
  rule.stages = 1U << static_cast<int>(bounce::Stage::kRcpt);
  rule.domains = {"one.test"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  run();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

TEST_F(TransitTest, AHardThatIsDoubtedIsTriedAgainAndOneThatIsBelievedEnds) {
  start();
  server_.to_rcpt = "550 5.1.1 nobody of that name";
  doubter_.doubting = true;
  submit({"a@one.test"});
  EXPECT_TRUE(events_.of(EventKind::kFailed).empty());
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDeferred)[0].type, conf::ErrorType::kSoft);
  doubter_.doubting = false;
  pass(15min);
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(doubter_.heard, (std::vector<std::string>{"a@one.test 550", "a@one.test 550"}));
}

TEST_F(TransitTest, AMessageThatCannotBeReadAnyMoreLeavesTheQueueWithAnEvent) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  ASSERT_TRUE(spool_.corrupt_record(id));
  pass(15min);
  const std::vector<conf::DeliveryEvent> alarms = events_.of(EventKind::kAlarm);
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].id, id);
  EXPECT_EQ(alarms[0].recipient, "@one.test");
  EXPECT_NE(alarms[0].reply.find("left the queue"), std::string::npos) << alarms[0].reply;
  EXPECT_EQ(transit_->resting().scheduled(), 0U);
}

TEST_F(TransitTest, AnAttemptThatTakesNoStepOfTheScheduleIsNoneOfTheDelivery) {
  start();
  server_.to_rcpt = "450 4.7.1 too many messages from your address, slow down";
  const conf::MessageId id = submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  ASSERT_TRUE(spool_.corrupt_record(id));
  pass(15min);
  ASSERT_EQ(events_.of(EventKind::kAlarm).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kAlarm)[0].attempt, 0U);
}

TEST_F(TransitTest, OfALongReplyWholeCharactersAreKept) {
  start();
  for (const std::string first : {"", "x"}) {  // one of the two has a character across the limit
    std::string line = first;
    for (int i = 0; i < 200; ++i) line += "\u00e9";
    server_.to_rcpt = "451-4.3.0 " + line + "\r\n451 4.3.0 " + line;
    submit({"a@one.test"});
  }
  std::vector<std::string> kept;
  ASSERT_TRUE(spool_
                  .scan([&kept](const spool::MessageRecord& record) {
                    kept.push_back(record.recipients.at(0).last_reply);
                    return true;
                  })
                  .ok());
  ASSERT_EQ(kept.size(), 2U);
  for (const std::string& each : kept) {
    EXPECT_GE(each.size(), 511U);
    EXPECT_LE(each.size(), 512U);
    EXPECT_EQ(each.substr(each.size() - 2), "\u00e9");
  }
}

TEST_F(TransitTest, AnMxThatLeadsToAListenerAddedByAReloadIsALoop) {
  start();
  submit({"a@one.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  transit_->routes().use_own_addresses({"127.0.0.1:25"});
  transit_->reload(config_, book_);
  run();
  submit({"a@one.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  ASSERT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kFailed)[0].enhanced_status, "5.4.6");
}

TEST_F(TransitTest, HeldMailStaysHeldOverARestartUntilItIsReleased) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  EXPECT_TRUE(transit_->orders().hold(id));
  EXPECT_FALSE(transit_->orders().hold(id)) << "it is held";
  EXPECT_EQ(transit_->resting().held(), 1U);
  run();
  transit_->close();
  start();
  EXPECT_EQ(transit_->resting().held(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  pass(15min);
  EXPECT_TRUE(server_.recipients.empty());
  EXPECT_FALSE(transit_->orders().retry(id));
  EXPECT_TRUE(transit_->orders().release(id));
  run();
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"a@one.test"});
  EXPECT_EQ(transit_->resting().held(), 0U);
}

TEST_F(TransitTest, ADroppedMessageEndsWithoutAReport) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"});
  EXPECT_TRUE(transit_->orders().drop(id, "anna (uid 7)"));
  run();
  EXPECT_FALSE(transit_->orders().drop(id, "anna (uid 7)")) << "it has gone";
  ASSERT_EQ(events_.of(EventKind::kDropped).size(), 2U);
  EXPECT_EQ(events_.of(EventKind::kDropped)[0].reply, "dropped by an operator: anna (uid 7)");
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty());
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, ASenderWhoAsksIsToldOnceThatHisMailIsLate) {
  refuse_for_now();
  start();
  const conf::MessageId id = submit({"a@one.test"}, "sender@home.test", conf::kNotifyDelay);
  for (int i = 0; i < 7; ++i) pass(30min);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty()) << "it is not late";
  pass(30min);
  ASSERT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  const conf::DeliveryEvent told = events_.of(EventKind::kReportSent)[0];
  EXPECT_EQ(told.related, id);
  EXPECT_EQ(told.recipient, "sender@home.test");
  EXPECT_EQ(told.reverse_path, "");
  transit_->close();
  start();
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U) << "nor after a restart";
  server_.to_rcpt = "250 2.1.5 ok";
  for (int i = 0; i < 4; ++i) pass(30min);
  const std::string& wire = server_.wire;
  for (const char* field :
       {"Auto-Submitted: auto-replied\r\n", "Final-Recipient: rfc822; a@one.test\r\nAction: delayed\r\n",
        "Status: 4.2.2\r\n", "Diagnostic-Code: smtp; 452 4.2.2 mailbox full\r\n", "\r\nWill-Retry-Until: "})
    EXPECT_NE(wire.find(field), std::string::npos) << field << wire;
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, ACrashAfterTheReportOfADelayDoesNotReportTwice) {
  refuse_for_now();
  start();
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyDelay);
  names_.slow = true;  // nothing else is written
  pass(4h);
  ASSERT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  spool_.crash();
  transit_.reset();
  names_.slow = false;
  names_.later.clear();
  start();
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

TEST_F(TransitTest, NobodyIsToldOfADelayWhoDidNotAskOrWhoseMailArrived) {
  refuse_for_now();
  start();
  submit({"a@one.test"}, "sender@home.test");
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyNever);
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyFailure | conf::kNotifySuccess);
  submit({"a@one.test"}, "", conf::kNotifyDelay);  // it is a report itself
  server_.to_rcpt = "250 2.1.5 ok";
  submit({"a@two.test"}, "sender@home.test", conf::kNotifyDelay);
  server_.to_rcpt = "452 4.2.2 mailbox full";
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty());
}

TEST_F(TransitTest, WithDelayReportsSendersWhoSaidNothingAreToldToo) {
  refuse_for_now();
  config_->defaults.delay_reports = true;
  config_->defaults.delay_report_after = 2h;
  start();
  submit({"a@one.test"}, "sender@home.test");
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyFailure);
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

TEST_F(TransitTest, RecipientsThatAreLateTogetherShareAReportThoughOneIsHeld) {
  refuse_for_now();
  start();
  const conf::MessageId id =
      submit({"a@one.test", "b@one.test", "c@two.test"}, "sender@home.test", conf::kNotifyDelay);
  EXPECT_TRUE(transit_->orders().hold(id));
  pass(5h);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  pass(2h);
  size_t told = 0;
  for (size_t at = 0; (at = server_.wire.find("Action: delayed", at)) != std::string::npos; ++at) ++told;
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(spool_.message_count(), 1U) << "it is on hold";
}

TEST_F(TransitTest, AMessageThatIsGivenUpFailsWithAReport) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"}, "sender@home.test");
  run();
  server_.to_rcpt = "250 2.1.5 ok";
  EXPECT_TRUE(transit_->orders().fail(id, "anna (uid 7)"));  // though its next attempt is an hour away
  run();
  EXPECT_FALSE(transit_->orders().fail(id, "anna (uid 7)")) << "it has gone";
  const auto failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].enhanced_status, "5.3.0");
  EXPECT_EQ(failed[0].rule, "operator anna (uid 7)");
  const auto of_kind = [](EventKind kind) {
    return [kind](const conf::DeliveryEvent& event) { return event.kind == kind; };
  };
  const auto& all = events_.all;
  EXPECT_LT(std::find_if(all.begin(), all.end(), of_kind(EventKind::kFailed)),
            std::find_if(all.begin(), all.end(), of_kind(EventKind::kReportSent)));
  EXPECT_EQ(failed[0].type, conf::ErrorType::kIgnored) << "no address is to blame";
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 2U);
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"sender@home.test", "sender@home.test"}));
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, AHeldMessageCanBeGivenUp) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  EXPECT_TRUE(transit_->orders().hold(id));
  run();
  EXPECT_TRUE(transit_->orders().fail(id, "anna (uid 7)"));
  run();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(transit_->resting().held(), 0U);
}

TEST_F(TransitTest, AnOrderlyEndWhileAReportIsBeingStoredDoesNotReportTwice) {
  start();
  server_.to_rcpt = "550 5.1.1 nobody of that name";
  submit({"a@one.test"}, "");
  names_.slow = true;  // the report stays here
  spool::MessageRecord record;
  record.id = transit_->next_id();
  record.envelope.reverse_path = conf::Mailbox::parse("sender@home.test").value();
  record.recipients.push_back({{conf::Mailbox::parse("a@one.test").value()}});
  transit_->accept(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"),
                   [](const conf::Result<spool::Receipt>&) {});
  spool_.run_batch();
  transit_->step(clock_.time);
  while (server_.work()) transit_->step(clock_.time);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty()) << "it is being stored";
  transit_->close();
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  spool_.crash();  // what close() did not wait for never reaches the disk
  names_.slow = false;
  names_.later.clear();
  start();
  run();
  pass(1h);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

TEST_F(TransitTest, AQuestionForTheRouteOfADomainIsAnsweredThoughItsMailWasHeldDuringAReload) {
  start();
  names_.slow = true;
  const conf::MessageId id = submit({"a@one.test"});
  bool answered = false;
  transit_->routes().ask(conf::Domain::from_canonical("one.test"),
                         [&](queue::DomainEntry* domain) { answered = domain->route != nullptr; });
  EXPECT_TRUE(transit_->orders().hold(id));
  transit_->reload(config_, nullptr);
  names_.answer_all();
  run();
  EXPECT_EQ(transit_->resting().held(), 1U);
  EXPECT_TRUE(answered);
}

// The reload takes the route away while the smart host of its rule is looked up, and with its mail on hold
// nobody but the question asks for it again.
TEST_F(TransitTest, AQuestionIsAnsweredThoughTheRuleOfADetourWentWithAReload) {
  Configuration read = parse_configuration(R"(hostname = "relay.test"
[[listener]]
address = "127.0.0.1:25"
[[rule]]
name = "by-way"
mx = ["mx.one.test"]
smart_hosts = ["smart.test:25"]
)",
                                           "t.toml");
  ASSERT_NE(read.book, nullptr) << (read.problems.empty() ? "" : read.problems[0].text());
  book_ = read.book;
  start();
  names_.slow = true;
  const conf::MessageId id = submit({"a@one.test"});
  names_.answer_until("smart.test");
  ASSERT_FALSE(names_.later.empty());
  bool answered = false;
  EXPECT_TRUE(transit_->orders().hold(id));
  transit_->reload(config_, nullptr);
  transit_->routes().ask(conf::Domain::from_canonical("one.test"),
                         [&](queue::DomainEntry* domain) { answered = domain->route != nullptr; });
  EXPECT_FALSE(answered);
  names_.answer_all();
  run();
  EXPECT_TRUE(answered);
}

TEST_F(TransitTest, ConfirmedBouncesThatCameBackBlockASiteWhereTheyCount) {
  Configuration read = parse_configuration(R"(hostname = "relay.test"
[[listener]]
address = "127.0.0.1:25"
[mx]
shipped_rules = "off"
[[rule]]
name = "general"
mx = ["*"]
[[rule.threshold]]
error_rate = "50%"
min_messages = 10
block = "1h"
)",
                                           "t.toml");
  ASSERT_NE(read.book, nullptr) << (read.problems.empty() ? "" : read.problems[0].text());
  book_ = read.book;
  start();
  submit({"a@one.test"});
  conf::DeliveryEvent event;
  event.kind = EventKind::kBounced;
  event.recipient = "a@one.test";
  event.source = "default";
  event.type = conf::ErrorType::kHard;
  event.scope = conf::Scope::kRecipient;
  event.reason = conf::Reason::kUserUnknown;
  event.reply = "5.1.1 no such user";
  const auto bounce = [&] {
    for (int i = 0; i < 30; ++i) journal_.append(event);
    run();
    return events_.of(EventKind::kDecision).size();
  };
  event.confirmed = true;
  EXPECT_EQ(bounce(), 0U) << "count_late is off";
  config_ = std::make_shared<conf::Config>(*config_);
  config_->returns.count_late = true;
  transit_->reload(config_, book_);
  run();
  event.confirmed = false;
  EXPECT_EQ(bounce(), 0U) << "anybody can write a bounce";
  event.confirmed = true;
  EXPECT_EQ(bounce(), 1U);
  server_.recipients.clear();
  submit({"a@one.test"});
  EXPECT_TRUE(server_.recipients.empty()) << "the site is blocked";
}

}  // namespace
}  // namespace relay
