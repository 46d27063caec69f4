// Mail of a stream leaves from its sources, and greylisted mail from the one it came from before, after a
// restart and a reload too.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitStreamsTest : public WalkRig {
 protected:
  TransitStreamsTest() {
    config_->sources = {source("tx", 1), source("news", 2)};
    config_->streams = {stream("newsletter", "news.test", "2")};
  }
  static conf::Source source(const char* name, uint32_t id) {
    conf::Source made;
    made.name = name;
    made.id = id;
    made.address = "127.0.0." + std::to_string(id);
    return made;
  }
  static conf::Stream stream(const char* name, const char* sender, const char* sources) {
    conf::Stream made;
    made.name = name;
    if (sender != nullptr) made.senders = {sender};
    made.sources = conf::SourceSet::parse(sources).value();
    return made;
  }
  // The sources that the mail of this sender was delivered from, each once.
  std::set<std::string> sources_of(const std::string& sender) const {
    std::set<std::string> names;
    for (const conf::DeliveryEvent& event : events_.of(EventKind::kDelivered)) {
      if (event.reverse_path == sender) names.insert(event.source);
    }
    return names;
  }
  using Names = std::set<std::string>;
};

TEST_F(TransitStreamsTest, LeavesFromItsSourcesAndTheRestFromAll) {
  start();
  for (int i = 0; i < 40; ++i) {
    submit({"u@d" + std::to_string(i) + ".test"}, "n@news.test");
    submit({"u@d" + std::to_string(i) + ".test"}, "t@tx.test");
  }
  EXPECT_EQ(sources_of("n@news.test"), Names{"news"});
  EXPECT_EQ(sources_of("t@tx.test"), (Names{"news", "tx"}));
  for (const conf::DeliveryEvent& event : events_.all)
    EXPECT_EQ(event.stream, event.reverse_path == "n@news.test" ? "newsletter" : "") << event.reverse_path;
}

// Both while it is scheduled: decided by the name in the spool and not by the configuration of the day.
TEST_F(TransitStreamsTest, ARestartKeepsTheStreamThatWasChosenAtTheDoor) {
  refuse_for_now();
  start();
  for (int i = 0; i < 20; ++i) submit({"u@d" + std::to_string(i) + ".test"}, "n@news.test");
  transit_.reset();
  config_ = std::make_shared<conf::Config>(*config_);
  config_->streams = {stream("other", "news.test", "1"), stream("newsletter", "nobody.test", "2")};
  server_.to_rcpt = "250 ok";
  start();
  pass(2h);
  EXPECT_EQ(sources_of("n@news.test"), Names{"news"});
}

TEST_F(TransitStreamsTest, AReloadThatDropsTheStreamLeavesItsMailToAllSources) {
  refuse_for_now();
  start();
  for (int i = 0; i < 40; ++i) submit({"u@d" + std::to_string(i) + ".test"}, "n@news.test");
  config_ = std::make_shared<conf::Config>(*config_);
  config_->streams.clear();
  transit_->reload(config_, nullptr);
  server_.to_rcpt = "250 ok";
  pass(2h);
  EXPECT_EQ(sources_of("n@news.test"), (Names{"news", "tx"}));
  EXPECT_EQ(events_.of(EventKind::kDelivered).front().stream, "newsletter") << "the name stays its own";
}

TEST_F(TransitStreamsTest, WaitsWithTheReasonWhileNoSourceOfItMaySendThere) {
  config_->sources[1].exclude_domains = {"d.test"};
  start();
  submit({"u@d.test"}, "n@news.test");
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_NE(events_.of(EventKind::kDeferred)[0].reply.find(
                "no source of the stream \"newsletter\" may send to this domain"),
            std::string::npos)
      << events_.of(EventKind::kDeferred)[0].reply;
  submit({"u@d.test"}, "t@tx.test");
  EXPECT_EQ(sources_of("t@tx.test"), Names{"tx"});
}

// What waits behind a block goes from another source, but only from one of its own.
TEST_F(TransitStreamsTest, ABlockedSourceGivesNothingToSourcesOutsideTheStream) {
  config_->sources.push_back(source("more news", 3));
  config_->streams[0].sources = conf::SourceSet::parse("2-3").value();
  config_->streams.push_back(stream("only two", "bound.test", "2"));
  start();
  queue::DomainEntry& domain =
      transit_->domains().at(transit_->domains().intern(conf::Domain::from_canonical("d.test")));
  submit({"u@d.test"}, "t@tx.test");  // its route is known now
  queue::Path* path = transit_->sites().path_from(&domain, config_->sources[1]);
  path->counters.standing->block_by_rule(clock_.time + 10h, "test", clock_.time);
  for (int i = 0; i < 20; ++i) {
    submit({"u@d.test"}, "n@news.test");
    submit({"u@d.test"}, "b@bound.test");
  }
  pass(1min);
  EXPECT_EQ(sources_of("n@news.test"), Names{"more news"});
  EXPECT_EQ(sources_of("b@bound.test"), Names{});
  EXPECT_EQ(path->ready.size(), 20U);
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 20U) << "each told once, and moved to and fro never";
  for (const conf::DeliveryEvent& event : events_.of(EventKind::kDeferred))
    EXPECT_EQ(event.stream, "only two");
}

TEST_F(TransitStreamsTest, AReportOfOursIsMailOfItsOwn) {
  config_->streams = {stream("reports", "<>", "1"), stream("rest", nullptr, "2")};
  start();
  server_.to_rcpt_of["u@d.test"] = "550 5.1.1 user unknown";
  submit({"u@d.test"}, "t@tx.test", conf::kNotifyFailure);
  run();
  EXPECT_EQ(sources_of(""), Names{"tx"});
  ASSERT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kReportSent)[0].stream, "reports");
}

class GreylistedFromTest : public TransitStreamsTest {
 protected:
  static constexpr int kMails = 24;
  GreylistedFromTest() { server_.to_rcpt = "451 4.7.1 greylisted, come back later"; }
  // By chance half of them would come from another source.
  void greylist_all() {
    for (int i = 0; i < kMails; ++i) submit({"u" + std::to_string(i) + "@d.test"}, "t@tx.test");
    EXPECT_EQ(sources_after(0), (Names{"news", "tx"}));
  }
  void make_first_tries() {
    config_->defaults.retry.delays.assign(20, 1h);
    greylist_all();
    for (const conf::Duration wait : {6min, 11min, 22min, 43min}) pass(wait);
    ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 5U * kMails);
    EXPECT_EQ(tried_from_several(), 0U);
  }
  Names sources_after(size_t first) const {
    Names names;
    const std::vector<conf::DeliveryEvent> deferred = events_.of(EventKind::kDeferred);
    for (size_t i = first; i < deferred.size(); ++i) names.insert(deferred[i].source);
    return names;
  }
  // The recipients that were not tried from one and the same source alone.
  size_t tried_from_several() const {
    std::map<std::string, Names> sources;
    for (const conf::DeliveryEvent& event : events_.all) {
      if (event.kind == EventKind::kDeferred || event.kind == EventKind::kDelivered)
        sources[event.recipient].insert(event.source);
    }
    return static_cast<size_t>(
        std::ranges::count_if(sources, [](const auto& each) { return each.second.size() > 1; }));
  }
};

TEST_F(GreylistedFromTest, TheNextTriesComeFromTheSameSourceAlsoAfterARestart) {
  start();
  greylist_all();
  pass(6min);
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 2U * kMails);
  EXPECT_EQ(tried_from_several(), 0U);
  transit_.reset();
  server_.to_rcpt = "250 ok";
  start();
  pass(3h);
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), size_t{kMails});
  EXPECT_EQ(tried_from_several(), 0U) << "the spool has its name";
}

TEST_F(GreylistedFromTest, ABlockedSourceLeavesItToAnother) {
  start();
  greylist_all();
  queue::DomainEntry& domain =
      transit_->domains().at(transit_->domains().intern(conf::Domain::from_canonical("d.test")));
  queue::Path* path = transit_->sites().path_from(&domain, config_->sources[1]);
  path->holds.order_until(clock_.time + 10h);
  pass(6min);
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 2U * kMails);
  EXPECT_EQ(sources_after(kMails), Names{"tx"});
}

TEST_F(GreylistedFromTest, ASourceThatIsGoneLeavesItToAnother) {
  start();
  greylist_all();
  config_ = std::make_shared<conf::Config>(*config_);
  config_->sources.erase(config_->sources.begin());
  transit_->reload(config_, nullptr);
  pass(6min);
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 2U * kMails);
  EXPECT_EQ(sources_after(kMails), Names{"news"});
}

// A receiver may greylist one source always: its mail must not wait for that one until it expires.
TEST_F(GreylistedFromTest, BehindTheFirstTriesTheChoiceIsFree) {
  start();
  make_first_tries();
  pass(2h);
  EXPECT_GT(tried_from_several(), 0U);
}

TEST_F(GreylistedFromTest, BehindTheFirstTriesTheChoiceIsFreeAlsoAfterARestart) {
  start();
  make_first_tries();
  transit_.reset();
  start();
  pass(2h);
  EXPECT_GT(tried_from_several(), 0U);
}

// A rule that says when makes as many tries from there as the schedule would.
TEST_F(GreylistedFromTest, ARuleThatDefersKeepsItFromOneSourceNoLonger) {
  bounce::ReplyRule rule;
  rule.name = "patience";
  rule.text = {"greylisted"};
  rule.act = bounce::Act::kDefer;
  rule.act_for = 10min;
  rule.scope = bounce::Scope::kMessage;
  rule.pace = bounce::Pace::kSame;
  start();
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  run();
  greylist_all();
  for (int i = 0; i < 4; ++i) pass(11min);
  EXPECT_EQ(tried_from_several(), 0U);
  for (int i = 0; i < 4; ++i) pass(11min);
  EXPECT_GT(tried_from_several(), 0U);
}

// What says nothing of our address leaves the choice free again.
TEST_F(GreylistedFromTest, ALaterRefusalOfAnotherKindFreesIt) {
  config_->defaults.retry.delays.assign(20, 1h);
  config_->defaults.retry.by_reason.clear();
  start();
  greylist_all();
  server_.to_rcpt = "452 4.2.2 mailbox full";
  pass(6min);
  EXPECT_EQ(tried_from_several(), 0U);
  pass(2h);
  EXPECT_GT(tried_from_several(), 0U);
}

}  // namespace
}  // namespace relay
