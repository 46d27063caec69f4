#include "relay/smtp/data_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "conf/vocab/random.h"

namespace relay::smtp {
namespace {

std::string written(const std::string& prefix, const std::string& body) {
  OutQueue out;
  write_data(prefix, conf::Bytes(body), &out);
  EXPECT_EQ(out.size(), out.flatten().size());
  return out.flatten();
}

TEST(DataWriter, Rfc5321_4_5_2_Transparency) {
  struct Case {
    const char* prefix;
    const char* body;
    const char* wire;
  };
  constexpr Case kCases[] = {
      {"", "", ".\r\n"},
      {"", "a\r\n", "a\r\n.\r\n"},
      {"", "a", "a\r\n.\r\n"},
      {"", ".\r\n", "..\r\n.\r\n"},
      {"", ".", "..\r\n.\r\n"},
      {"", "..", "...\r\n.\r\n"},
      {"", "a\r\n.\r\nMAIL FROM:<x>\r\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"},
      {"", "\r\n.\r\n.\r\n.", "\r\n..\r\n..\r\n..\r\n.\r\n"},
      {"", "a.b\r\nc.\r\n", "a.b\r\nc.\r\n.\r\n"},
      {"X: y\r\n", ".a\r\n", "X: y\r\n..a\r\n.\r\n"},
      {"X: y\r\n", "", "X: y\r\n.\r\n"},
      {"X: y\r\n", "a\r\n", "X: y\r\na\r\n.\r\n"},
      {".X: y\r\n.z\r\n", "a\r\n", "..X: y\r\n..z\r\na\r\n.\r\n"},
      {"", "a\r", "a\r\r\n.\r\n"},
  };
  for (const Case& c : kCases) EXPECT_EQ(written(c.prefix, c.body), c.wire) << c.body;
}

// The receiving side of §4.5.2, written the plain way.
std::string undo(const std::string& wire) {
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t end = wire.find("\r\n", at);
    if (end == std::string::npos) return out + "[no end of data]";
    std::string line = wire.substr(at, end - at);
    at = end + 2;
    if (line == ".") return at == wire.size() ? out : out + "[more after the end]";
    if (line[0] == '.') line.erase(0, 1);
    out += line + "\r\n";
  }
}

TEST(DataWriter, Rfc5321_4_5_2_RandomBodiesComeBack) {
  conf::Random random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string body;
    const uint64_t lines = random.below(30);
    for (uint64_t i = 0; i < lines; ++i) {
      const uint64_t length = random.below(8) == 0 ? random.below(900) : random.below(4);
      for (uint64_t j = 0; j < length; ++j) body += random.below(2) == 0 ? '.' : 'a';
      body += "\r\n";
    }
    ASSERT_EQ(undo(written("", body)), body) << "round " << round;
  }
}

TEST(DataWriter, RunsBetweenDotsAreNotCopied) {
  const conf::Bytes body(std::string(5000, 'a') + "\r\n." + std::string(5000, 'b') + "\r\n");
  OutQueue out;
  write_data("X: y\r\n", body, &out);
  std::string_view runs[8];
  const size_t count = out.peek(runs, 8);
  ASSERT_EQ(count, 5u);  // prefix, run, dot, run, end
  EXPECT_EQ(runs[1].data(), body.view().data());
  EXPECT_EQ(runs[3].data(), body.view().data() + 5002);
}

// Pieces end anywhere: within CRLF.CRLF too. Each is made when what stands before it is gone.
TEST(DataWriter, Rfc5321_4_5_2_ABigBodyIsMadeInPieces) {
  conf::Random random(8);
  for (int round = 0; round < 20; ++round) {
    std::string body;
    const size_t size = 500'000 + random.below(100'000);
    while (body.size() < size) body += random.below(3) == 0 ? "\r\n." : random.below(2) == 0 ? "." : "ab";
    body += "\r\n";
    OutQueue out;
    write_data("X: y\r\n", conf::Bytes(body), &out);
    out.append("QUIT\r\n");
    std::string wire;
    size_t most = 0;
    while (!out.empty()) {
      std::string_view runs[16];
      size_t ready = 0;
      for (size_t i = 0, count = out.peek(runs, 16); i < count; ++i) ready += runs[i].size();
      most = std::max(most, ready);
      const std::string_view front = out.front().substr(0, 1 + random.below(5000));
      wire += front;
      out.consume(front.size());
    }
    ASSERT_TRUE(wire.ends_with(".\r\nQUIT\r\n"));
    wire.resize(wire.size() - 6);
    ASSERT_EQ(undo(wire), "X: y\r\n" + body) << "round " << round;
    EXPECT_LT(most, 300'000U) << "the rest is made later";
    EXPECT_EQ(out.size(), 0U);
  }
}

TEST(DataWriter, Rfc3030_2_ChunkIsOpaque) {
  const conf::Bytes body(".a\r\n.\r\nb");
  OutQueue out;
  write_chunk("X: y\r\n", body, &out);
  EXPECT_EQ(out.flatten(), "X: y\r\n.a\r\n.\r\nb");
  OutQueue empty;
  write_chunk("", conf::Bytes(""), &empty);
  EXPECT_TRUE(empty.empty());
}

}  // namespace
}  // namespace relay::smtp
