#include "relay/admin/order.h"

#include <gtest/gtest.h>

namespace relay::admin {
namespace {

TEST(Order, Ids) {
  const auto order = parse_order(R"({"ids":[")" + conf::to_text(5) + R"(",")" + conf::to_text(9) + R"("]})");
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order.value().ids, (std::vector<conf::MessageId>{5, 9}));
  EXPECT_FALSE(order.value().dry_run);
}

TEST(Order, Filter) {
  const auto order = parse_order(R"({"filter":{"domain":"example.net","older_than":"2h"},"dry_run":true})");
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order.value().filter.domain, "example.net");
  EXPECT_EQ(order.value().filter.older_than, conf::Duration(std::chrono::hours(2)));
  EXPECT_TRUE(order.value().dry_run);
}

TEST(Order, All) {
  const auto order = parse_order(R"({"all":true})");
  ASSERT_TRUE(order.ok());
  EXPECT_TRUE(order.value().all);
}

TEST(Order, WhatIsNotClearIsRefused) {
  const std::string id = conf::to_text(5);
  const std::string cases[] = {
      "",
      "null",
      "[]",
      "{}",
      "{\"ids\":[]}",
      "{\"ids\":[5]}",
      "{\"ids\":[\"\"]}",
      "{\"ids\":\"" + id + "\"}",
      "{\"filter\":{}}",
      "{\"filter\":{\"domain\":7}}",
      "{\"filter\":{\"domain\":\"\"}}",
      "{\"filter\":{\"colour\":\"red\"}}",
      "{\"filter\":[]}",
      "{\"all\":false}",
      "{\"all\":\"yes\"}",
      "{\"all\":true,\"ids\":[\"" + id + "\"]}",
      "{\"all\":true,\"filter\":{\"domain\":\"example.net\"}}",
      "{\"dry_run\":true}",
      "{\"all\":true,\"surprise\":1}",
      "{\"all\":true",
  };
  for (const std::string& text : cases) {
    const auto order = parse_order(text);
    ASSERT_FALSE(order.ok()) << text;
    EXPECT_FALSE(order.error().detail.empty()) << text;
  }
}

}  // namespace
}  // namespace relay::admin
