#include "relay/walk/stream_choice.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

conf::Stream stream(const char* name) {
  conf::Stream made;
  made.name = name;
  return made;
}

TEST(StreamChoice, TheFirstWhoseEveryKeyMatchesDecides) {
  conf::Config config;
  conf::Envelope envelope;
  envelope.reverse_path = conf::Mailbox::parse("a@news.example.com").value();
  envelope.authenticated_as = "crm";
  envelope.listener = "bulk";
  const std::string message = "X-Stream: news\r\n\r\n";
  EXPECT_EQ(stream_of(config, envelope, message), "") << "there is none";
  config.streams = {stream("all four"), stream("user"), stream("rest")};
  conf::Stream& narrow = config.streams[0];
  narrow.senders = {"x.example", "*@news.example.com"};
  narrow.users = {"crm"};
  narrow.listeners = {"bulk"};
  narrow.header_name = "x-stream";
  narrow.header_value = "news";
  config.streams[1].users = {"crm"};
  EXPECT_EQ(stream_of(config, envelope, message), "all four");
  EXPECT_EQ(stream_of(config, envelope, "X-Stream: other\r\n\r\n"), "user");
  conf::Envelope other = envelope;
  other.listener = "main";
  EXPECT_EQ(stream_of(config, other, message), "user");
  other = envelope;
  other.reverse_path = conf::Mailbox::parse("a@example.com").value();
  EXPECT_EQ(stream_of(config, other, message), "user");
  other.authenticated_as = "shop";
  EXPECT_EQ(stream_of(config, other, message), "rest");
  config.streams.pop_back();
  EXPECT_EQ(stream_of(config, other, message), "");
}

}  // namespace
}  // namespace relay
