#include "relay/flow/stream_table.h"

#include <gtest/gtest.h>

#include <memory>

namespace relay::queue {
namespace {

std::shared_ptr<conf::Config> three_sources() {
  auto config = std::make_shared<conf::Config>();
  for (uint32_t id = 1; id <= 3; ++id) {
    conf::Source source;
    source.name = "s" + std::to_string(id);
    source.id = id;
    config->sources.push_back(source);
  }
  return config;
}

conf::Stream stream(const char* name, const char* sources) {
  conf::Stream made;
  made.name = name;
  made.sources = conf::SourceSet::parse(sources).value();
  return made;
}

std::string names(const StreamTable::Sources& sources) {
  std::string all;
  for (const conf::Source* source : sources) all += source->name;
  return all;
}

TEST(StreamTable, ANameKeepsItsNumberOverReloads) {
  auto config = three_sources();
  config->streams = {stream("news", "2-"), stream("tx", "1")};
  StreamTable table(config);
  EXPECT_EQ(table.number_of(""), StreamTable::kNone);
  const uint16_t news = table.number_of("news"), gone = table.number_of("of before");
  EXPECT_NE(news, StreamTable::kNone);
  EXPECT_EQ(table.find("news"), news);
  EXPECT_EQ(table.find("nobody"), StreamTable::kNone);
  EXPECT_EQ(table.name(gone), "of before");
  EXPECT_EQ(names(table.sources_of(news)), "s2s3");
  EXPECT_EQ(names(table.sources_of(gone)), "s1s2s3") << "a stream that the configuration does not have";
  EXPECT_EQ(names(table.sources_of(StreamTable::kNone)), "s1s2s3");

  auto next = three_sources();
  next->sources.pop_back();
  next->streams = {stream("of before", "1"), stream("new", "2")};
  config.reset();
  table.reload(next);
  EXPECT_EQ(table.number_of("news"), news);
  EXPECT_EQ(names(table.sources_of(news)), "s1s2");
  EXPECT_EQ(names(table.sources_of(gone)), "s1");
  EXPECT_EQ(names(table.sources_of(table.find("new"))), "s2") << "known before any mail of it";
}

TEST(StreamTable, WhatIsBeyondItsNumbersIsMailOfNoStream) {
  StreamTable table(three_sources());
  for (int i = 0; i < 65'535; ++i) ASSERT_NE(table.number_of("n" + std::to_string(i)), StreamTable::kNone);
  EXPECT_EQ(table.number_of("one more"), StreamTable::kNone);
  EXPECT_EQ(table.name(table.number_of("n65534")), "n65534");
}

TEST(StreamTable, ASourceKeepsItsNumberOverReloads) {
  StreamTable table(three_sources());
  const uint16_t second = table.source_number("s2"), third = table.source_number("s3");
  const uint16_t gone = table.source_number("of before");
  EXPECT_EQ(table.source_number(""), StreamTable::kNone);
  EXPECT_EQ(table.source_numbered(StreamTable::kNone), nullptr);
  EXPECT_EQ(table.source_numbered(gone), nullptr);
  auto next = three_sources();
  next->sources.erase(next->sources.begin() + 1);
  next->sources.back().name = "of before";
  table.reload(next);
  EXPECT_EQ(table.source_numbered(second), nullptr);
  EXPECT_EQ(table.source_numbered(third), nullptr);
  EXPECT_EQ(table.source_numbered(gone), &next->sources[1]);
  EXPECT_EQ(table.source_named("s2"), nullptr);
}

}  // namespace
}  // namespace relay::queue
