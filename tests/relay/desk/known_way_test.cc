// Deferred mail is found where it went last, although its route is not known at present.
#include "relay/desk/known_way.h"

#include <gtest/gtest.h>

#include <string>

#include "mx/rules/rule_book.h"
#include "tests/relay/routes_and_rules.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

class KnownWayTest : public WalkRig {
 protected:
  KnownWayTest() {
    book_ = mx::build_rules({rule_for_test("shared", "mx.shared.test")}).book;
    names_.mx_of = {{"one.test", "mx.shared.test"}, {"two.test", "mx.shared.test"}};
    refuse_for_now();
    start();
    submit({"a@one.test"});
    submit({"b@two.test"});
  }
  void expect_known(const char* when) {
    for (const char* name : {"one.test", "two.test"}) {
      const queue::DomainEntry* domain = transit_->domains().find(name);
      ASSERT_NE(domain, nullptr);
      const KnownWay way = known_way(transit_.get(), *domain);
      EXPECT_EQ(way.site, "mx.shared.test") << when << ' ' << name;
      EXPECT_EQ(way.rules, "shared") << when << ' ' << name;
    }
  }
};

TEST_F(KnownWayTest, AfterARestart) {
  transit_->close();
  start();
  ASSERT_EQ(transit_->domains().find("one.test")->route, nullptr);
  expect_known("after a restart");
}

TEST_F(KnownWayTest, AfterAReload) {
  transit_->reload(config_, book_);
  run();
  ASSERT_EQ(transit_->domains().find("one.test")->route, nullptr);
  expect_known("after a reload");
}

TEST_F(KnownWayTest, WhileDnsFails) {
  names_.failing = true;
  pass(3h);
  ASSERT_EQ(transit_->domains().find("one.test")->route->site, "");
  expect_known("without DNS");
}

}  // namespace
}  // namespace relay
