#include "relay/desk/path_views.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

class PathViewsTest : public WalkRig {
 protected:
  PathViewsTest() {
    config_->sources.resize(2);
    config_->sources[1].name = "news";
    config_->sources[1].id = 2;
    conf::Stream stream;
    stream.name = "newsletter";
    stream.sources = conf::SourceSet::parse("2").value();
    stream.senders = {"news.test"};
    config_->streams = {stream};
    start();
  }
  admin::Explanation ask(const std::string& stream) {
    admin::Explanation told;
    PathViews(transit_.get(), {&decisions_, &flow_})
        .explain("d.test", "", stream, [&](admin::Explanation answer) { told = std::move(answer); });
    return told;
  }
  static std::string sources_of(const admin::Explanation& told) {
    std::string names;
    for (const admin::PathView& path : told.paths) names += path.source + ' ';
    return names;
  }
  const DecisionHistory decisions_;
  const FlowRates flow_{&clock_};
};

TEST_F(PathViewsTest, AStreamIsExplainedByItsSourcesBeforeItHasMail) {
  EXPECT_EQ(sources_of(ask("")), "default news ");
  const admin::Explanation told = ask("newsletter");
  EXPECT_EQ(sources_of(told), "news ");
  ASSERT_EQ(told.sources.size(), 2U);
  EXPECT_EQ(told.sources[0].never, "it is not one of the stream's");
  EXPECT_EQ(told.sources[1].share, 1);
  const admin::Explanation nobody = ask("newsleter");
  EXPECT_TRUE(nobody.unknown_source);
  EXPECT_EQ(nobody.problem, "no [[stream]] is named \"newsleter\"");
}

// The history of decisions begins anew with each start.
TEST_F(PathViewsTest, WhyAPathIsBlockedIsShownThoughNoDecisionIsKnownAnyMore) {
  (void)ask("newsletter");
  queue::Path* blocked = nullptr;
  transit_->sites().for_each([&blocked](queue::Path* path) {
    if (path->source.name == "news") blocked = path;
  });
  ASSERT_NE(blocked, nullptr);
  blocked->counters.standing->block_by_rule(clock_.time + 1h, "listed", clock_.time);
  (void)blocked->counters.standing->take_decisions();
  clock_.time += 1min;
  const admin::Explanation told = ask("newsletter");
  ASSERT_EQ(told.paths.size(), 1U);
  ASSERT_EQ(told.paths[0].decisions.size(), 1U);
  const admin::DecisionView& why = told.paths[0].decisions[0];
  EXPECT_EQ(why.decision->by, "reply rule \"listed\"");
  EXPECT_EQ(why.decision->text, "reply rule \"listed\": nothing is sent for 1 h");
  EXPECT_EQ(why.time, clock_.wall() - 1min);
  EXPECT_EQ(why.decision->until, clock_.wall() + 59min);
}

}  // namespace
}  // namespace relay
