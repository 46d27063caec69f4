#include "relay/desk/site_mask.h"

#include <gtest/gtest.h>

#include "relay/flow/site_key.h"

namespace relay {
namespace {

TEST(SiteMask, MeansAllHostsOrOneOfThem) {
  EXPECT_TRUE(means_site("mx1.example.net,mx2.example.net", "mx1.example.net,mx2.example.net"));
  EXPECT_TRUE(means_site("mx2.example.net", "mx1.example.net,mx2.example.net"));
  EXPECT_TRUE(means_site("*.example.net", "mx.other.test,mx2.example.net"));
  EXPECT_FALSE(means_site("mx3.example.net", "mx1.example.net,mx2.example.net"));
  EXPECT_FALSE(means_site("mx.example.net", "")) << "no host";
}

TEST(SiteMask, APortMayBeLeftOutAndAnAddressHasNone) {
  EXPECT_TRUE(means_site("smart.example.net", "smart.example.net:2525"));
  EXPECT_TRUE(means_site("smart.example.net:2525", "smart.example.net:2525"));
  EXPECT_FALSE(means_site("smart.example.net:26", "smart.example.net:2525"));
  EXPECT_TRUE(means_site("2001:db8::1", "2001:db8::1"));
  EXPECT_FALSE(means_site("2001", "2001:db8::1"));
}

TEST(SiteKey, TheHostsComeOutAsTheyWentIn) {
  EXPECT_EQ(queue::site_key("mx.example.net", ""), "mx.example.net|");
  EXPECT_EQ(queue::site_key("mx.example.net", "bulk"), "mx.example.net|bulk");
  for (const char* label : {"mx.example.net", "a|b.example.net", ""}) {
    for (const char* destination : {"", "bulk", "bulk|night", "100%"})
      EXPECT_EQ(queue::label_of(queue::site_key(label, destination)), label);
  }
  EXPECT_NE(queue::site_key("a|b", "c"), queue::site_key("a", "b|c"));
}

}  // namespace
}  // namespace relay
