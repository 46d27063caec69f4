#include "bounce/ledger/address_table.h"

#include <gtest/gtest.h>

#include <unordered_map>

#include "bounce/ledger/address_key.h"
#include "bounce/ledger/csv.h"
#include "bounce/ledger/known_addresses.h"
#include "conf/vocab/random.h"
#include "tests/temporary_folder.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;

TEST(AddressKeyTest, IsSipHash24) {
  // The vectors of the paper: key 00..0f, text 00, 01, ... of each length.
  const SipKey key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  std::string text;
  for (char c = 0; c < 15; ++c) text.push_back(c);
  EXPECT_EQ(siphash(key, text), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(siphash(key, ""), 0x726fdb47dd0e0e31ULL);
  EXPECT_NE(address_key(key, "a", "bc@x"), address_key(key, "ab", "c@x"));
}

TEST(AddressTableTest, AgreesWithAMapThroughGrowthAndRemoval) {
  AddressTable table;
  std::unordered_map<uint64_t, std::pair<AddressStatus, uint8_t>> map;
  conf::Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    // Few distinct homes: long runs, so that removal has to close gaps.
    const uint64_t key = (random.below(30'000) * 0x9e3779b97f4a7c15ULL) | 15;
    const auto status = static_cast<AddressStatus>(random.below(6));
    const auto reason = static_cast<uint8_t>(random.below(128));
    table.set(key, status, reason);
    if (status == AddressStatus::kUnknown || status == AddressStatus::kValid) {
      map.erase(key);
    } else {
      map[key] = {status, reason};
    }
    ASSERT_EQ(table.size(), map.size());
  }
  for (uint64_t i = 0; i < 30'000; ++i) {
    const uint64_t key = (i * 0x9e3779b97f4a7c15ULL) | 15;
    const auto found = map.find(key);
    ASSERT_EQ(table.find(key), found == map.end() ? AddressStatus::kUnknown : found->second.first);
    ASSERT_EQ(table.standing(key).reason, found == map.end() ? 0 : found->second.second);
  }
}

TEST(AddressTableTest, TenMillionRowsStayBelow400Megabytes) {
  AddressTable table;
  table.reserve(10'000'000);
  EXPECT_LE(table.memory_bytes(), 400'000'000U / 2);  // and half of it again while it doubles
}

TEST(KnownAddressesTest, RemembersForgetsInTimeAndOutlivesARestart) {
  KnownAddresses known(100'000, 20h);
  conf::Random random(1);
  std::vector<uint64_t> keys;
  for (int i = 0; i < 50'000; ++i) keys.push_back(random.next());
  const conf::WallTime begin = conf::from_unix_micros(1'790'000'000'000'000);
  for (const uint64_t key : keys) known.add(key, begin);
  size_t remembered = 0, wrong = 0;
  for (const uint64_t key : keys) remembered += known.knows(key) ? 1 : 0;
  for (int i = 0; i < 50'000; ++i) wrong += known.knows(random.next()) ? 1 : 0;
  EXPECT_EQ(remembered, keys.size());
  EXPECT_LT(wrong, 100U);
  const TemporaryFolder folder;
  ASSERT_TRUE(known.save(folder / "known").ok());
  KnownAddresses again(100'000, 20h);
  ASSERT_TRUE(again.load(folder / "known").ok());
  for (const uint64_t key : keys) ASSERT_TRUE(again.knows(key));
  EXPECT_FALSE(KnownAddresses(10'000'000, 20h).load(folder / "known").ok());
  known.add(1, begin + 11h);
  EXPECT_TRUE(known.knows(keys.front()));
  known.add(2, begin + 22h);
  EXPECT_FALSE(known.knows(keys.front()) && known.knows(keys[1]) && known.knows(keys[2]));
}

TEST(CsvTest, CellsThatWouldRunAreHarmlessAndComeBack) {
  const std::vector<std::string> cells = {"=1+1",  "+x@y", "-2",         "@SUM(A1)",     "\tx", "'=x",
                                          "plain", "a,b",  "say \"no\"", "two\r\nlines", "",    "'quoted'"};
  std::string out;
  append_csv({cells.begin(), cells.end()}, &out);
  for (const char* bad : {"=", "+", "-", "@", "\t"}) {
    EXPECT_EQ(out.find(std::string(",") + bad), std::string::npos) << out;
    EXPECT_EQ(out.find(std::string("\"") + bad), std::string::npos) << out;
  }
  for (size_t split = 0; split <= out.size(); ++split) {
    CsvReader reader;
    std::vector<std::string> read;
    reader.feed(out.substr(0, split));
    if (!reader.next(&read)) {
      reader.feed(out.substr(split));
      ASSERT_TRUE(reader.next(&read)) << split;
    }
    ASSERT_EQ(read, cells) << split;
  }
}

TEST(CsvTest, AQuoteWithoutAnEndIsSaid) {
  CsvReader reader;
  std::vector<std::string> cells;
  reader.feed("a\n\"b\n");
  reader.finish();
  EXPECT_TRUE(reader.next(&cells));
  EXPECT_FALSE(reader.next(&cells));
  EXPECT_TRUE(reader.broken());
}

}  // namespace
}  // namespace bounce
