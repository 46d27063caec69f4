#include "relay/admin/mx_order.h"

#include <gtest/gtest.h>

namespace relay::admin {
namespace {

TEST(MxOrder, DomainOfAnAddressOrAlone) {
  const std::pair<const char*, const char*> cases[] = {{"User@Example.NET", "example.net"},
                                                       {"Example.net.", "example.net"},
                                                       {"\"a@b\"@example.net", "example.net"},
                                                       {"a@[192.0.2.1]", "[192.0.2.1]"}};
  for (const auto& [text, domain] : cases) {
    const auto read = domain_of(text);
    ASSERT_TRUE(read.ok()) << text << ": " << read.error().detail;
    EXPECT_EQ(read.value(), domain);
  }
  for (const char* text : {"", "@", "a@", "@example.net", "a b", "a@b@c", "-.example", "a@exa mple.net"}) {
    const auto read = domain_of(text);
    ASSERT_FALSE(read.ok()) << text << " is " << read.value();
    EXPECT_FALSE(read.error().detail.empty());
  }
}

TEST(MxOrder, Block) {
  auto order =
      parse_mx_order(MxAction::kBlock, R"({"rule":"gmail","source":"news","for":"3h","why":"their call"})");
  ASSERT_TRUE(order.ok()) << order.error().detail;
  EXPECT_EQ(order->action, MxAction::kBlock);
  EXPECT_EQ(order->rule, "gmail");
  EXPECT_EQ(order->source, "news");
  EXPECT_EQ(order->block_for, conf::Duration(std::chrono::hours(3)));
  EXPECT_EQ(order->why, "their call");
  EXPECT_EQ(target_text(*order), "rule gmail from news");
}

TEST(MxOrder, WhatIsNotClearIsRefused) {
  const std::string cases[] = {"",
                               "[]",
                               "{}",
                               R"({"all":true,"rule":"x"})",
                               R"({"all":"yes"})",
                               R"({"site":"x","automatic":true})",
                               R"({"domain":"a.example","rule":"x"})",
                               R"({"rule":"x","site":"y"})",
                               R"({"domain":""})",
                               R"({"domain":"a b"})",
                               R"({"domain":5})",
                               R"({"domain":"a.example","for":"soon"})",
                               R"({"domain":"a.example","for":"0s"})",
                               R"({"domain":"a.example","for":"366d"})",
                               R"({"domain":"a.example","for":10})",
                               R"({"domain":"a.example","colour":"red"})",
                               R"({"domain":"a.example","why":")" + std::string(201, 'x') + "\"}"};
  for (const std::string& body : cases) {
    auto order = parse_mx_order(MxAction::kBlock, body);
    ASSERT_FALSE(order.ok()) << body;
    EXPECT_EQ(order.error().code, conf::ErrorCode::kInvalid);
    EXPECT_FALSE(order.error().detail.empty());
  }
  EXPECT_FALSE(parse_mx_order(MxAction::kUnblock, R"({"domain":"a.example","for":"3h"})").ok());
  EXPECT_FALSE(parse_mx_order(MxAction::kReset, R"({"domain":"a.example","why":"x"})").ok());
  EXPECT_TRUE(parse_mx_order(MxAction::kReset, R"({"domain":"a.example"})").ok());
}

TEST(MxOrder, AStreamStandsAlone) {
  auto order = parse_mx_order(MxAction::kBlock, R"({"stream":"news*","for":"3h"})");
  ASSERT_TRUE(order.ok());
  EXPECT_EQ(order->stream, "news*");
  EXPECT_EQ(target_text(*order), "stream news*");
  EXPECT_TRUE(parse_mx_order(MxAction::kUnblock, R"({"stream":"news"})").ok());
  for (const char* other :
       {R"("source":"tx")", R"("rule":"x")", R"("domain":"a.example")", R"("all":true)"}) {
    const std::string body = std::string(R"({"stream":"news",)") + other + '}';
    EXPECT_FALSE(parse_mx_order(MxAction::kBlock, body).ok()) << body;
  }
  EXPECT_FALSE(parse_mx_order(MxAction::kReset, R"({"stream":"news"})").ok());
}

}  // namespace
}  // namespace relay::admin
