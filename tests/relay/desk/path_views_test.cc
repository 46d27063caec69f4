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

}  // namespace
}  // namespace relay
