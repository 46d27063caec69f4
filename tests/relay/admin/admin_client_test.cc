#include "relay/admin/admin_client.h"

#include <gtest/gtest.h>

#include "relay/admin/loop_call.h"

namespace relay::admin {
namespace {

TEST(AdminClient, Rfc9112_6_3_Replies) {
  struct Case {
    const char* wire;
    int status;  // 0: refused
    const char* body;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
      {"HTTP/1.1 200 OK\r\ncontent-length:  2 \r\n\r\nhi and more", 200, "hi"},
      {"HTTP/1.0 404 Not Found\r\n\r\ngone", 404, "gone"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 503, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", 0, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 0, ""},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 0, ""},
      {"HTTP/1.1 abc OK\r\n\r\n", 0, ""},
      {"220 mail.example.org ESMTP\r\n", 0, ""},
      {"", 0, ""},
  };
  for (const Case& c : cases) {
    const auto reply = parse_reply(c.wire);
    ASSERT_EQ(reply.ok(), c.status != 0) << c.wire;
    if (!reply.ok()) continue;
    EXPECT_EQ(reply.value().status, c.status);
    EXPECT_EQ(reply.value().body, c.body);
  }
}

TEST(AdminClient, Rfc3986_2_1_PercentEncoding) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("<> a&b=c\xff"), "%3C%3E%20a%26b%3Dc%FF");
}

TEST(AdminClient, NobodyThereIsSaid) {
  const auto reply = request("/nonexistent/admin.sock", "GET", "/v1/health");
  ASSERT_FALSE(reply.ok());
  EXPECT_NE(reply.error().detail.find("is penstock running?"), std::string::npos) << reply.error().detail;
}

TEST(LoopCall, QuestionThatWasGivenUpIsNotCarriedOut) {
  std::vector<std::function<void()>> posted;
  LoopCall loop([&](std::function<void()> work) { posted.push_back(std::move(work)); },
                std::chrono::milliseconds(10));
  bool ran = false;
  const auto answer = loop.ask<int>([&](auto done) {
    ran = true;
    done(1);
  });
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, conf::ErrorCode::kTimeout);
  ASSERT_EQ(posted.size(), 1u);
  posted[0]();
  EXPECT_FALSE(ran);
}

TEST(LoopCall, LateAnswerIsDropped) {
  std::function<void(int)> late;
  {
    LoopCall loop([](const std::function<void()>& work) { work(); }, std::chrono::milliseconds(10));
    const auto answer = loop.ask<int>([&](auto done) { late = done; });
    ASSERT_FALSE(answer.ok());
    EXPECT_NE(answer.error().detail.find("may still"), std::string::npos);
  }
  late(5);
  LoopCall closed([](const std::function<void()>& work) { work(); });
  closed.close();
  const auto refused = closed.ask<int>([](auto done) { done(1); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, conf::ErrorCode::kClosed);
}

}  // namespace
}  // namespace relay::admin
