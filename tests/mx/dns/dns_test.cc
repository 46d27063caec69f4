// DNS answers off the wire, and the cache in front of the name server.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mx/dns/dns_answer.h"
#include "mx/dns/dns_cache.h"

namespace mx {
namespace {

using namespace std::chrono_literals;

std::string u16(unsigned v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string u32(uint32_t v) { return u16(v >> 16) + u16(v & 0xffff); }
std::string name(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t dot = std::min(text.find('.', at), text.size());
    out += static_cast<char>(dot - at);
    out += text.substr(at, dot - at);
    at = dot + 1;
  }
  return out + '\0';
}
std::string record(const std::string& owner, RecordType type, uint32_t ttl, const std::string& data,
                   unsigned klass = 1) {
  return owner + u16(static_cast<unsigned>(type)) + u16(klass) + u32(ttl) +
         u16(static_cast<unsigned>(data.size())) + data;
}
// A response to "d.example" with one question; the question's name is at offset 12.
std::string response(unsigned rcode, const std::vector<std::string>& answers,
                     const std::vector<std::string>& authority = {}) {
  std::string raw = u16(7) + u16(0x8180 | rcode) + u16(1) + u16(static_cast<unsigned>(answers.size())) +
                    u16(static_cast<unsigned>(authority.size())) + u16(0) + name("d.example") + u16(15) +
                    u16(1);
  for (const std::string& each : answers) raw += each;
  for (const std::string& each : authority) raw += each;
  return raw;
}
const std::string kAsked = std::string("\xc0\x0c", 2);  // a pointer to the question's name

std::string soa(uint32_t ttl, uint32_t minimum) {
  return record(name("example"), RecordType::kSoa, ttl,
                name("ns.example") + name("h.example") + u32(1) + u32(2) + u32(3) + u32(4) + u32(minimum));
}

TEST(DnsAnswer, Rfc1035_MxWithCompression) {
  const std::string raw =
      response(0, {record(kAsked, RecordType::kMx, 300, u16(10) + std::string("\x02MX") + kAsked),
                   record(kAsked, RecordType::kMx, 200, u16(20) + name("other.example"))});
  const DnsAnswer answer = parse_dns_answer(raw, "D.Example.", RecordType::kMx);
  ASSERT_EQ(answer.status, DnsStatus::kOk) << answer.detail;
  ASSERT_EQ(answer.mx.size(), 2U);
  EXPECT_EQ(answer.mx[0].host, "mx.d.example");
  EXPECT_EQ(answer.mx[1].preference, 20);
  EXPECT_EQ(answer.ttl, conf::Duration(200s));
}

TEST(DnsAnswer, AddressesAndTexts) {
  DnsAnswer answer =
      parse_dns_answer(response(0, {record(kAsked, RecordType::kA, 60, "\xc0\x00\x02\x01" + std::string())}),
                       "d.example", RecordType::kA);
  EXPECT_EQ(answer.status, DnsStatus::kFailed);  // three octets are no address: the zero ends the literal
  answer =
      parse_dns_answer(response(0, {record(kAsked, RecordType::kA, 60, std::string("\xc0\x00\x02\x01", 4))}),
                       "d.example", RecordType::kA);
  EXPECT_EQ(answer.addresses, std::vector<std::string>{"192.0.2.1"});
  answer = parse_dns_answer(response(0, {record(kAsked, RecordType::kTxt, 60,
                                                std::string("\x02"
                                                            "ab\x01"
                                                            "c"))}),
                            "d.example", RecordType::kTxt);
  EXPECT_EQ(answer.texts, std::vector<std::string>{"abc"});
}

TEST(DnsAnswer, OfVeryManyRecordsTheBestAreKept) {
  std::vector<std::string> many;
  for (unsigned i = 0; i < 300; ++i)
    many.push_back(
        record(kAsked, RecordType::kMx, 60, u16(1000 - i) + name("mx" + std::to_string(i) + ".example")));
  const DnsAnswer answer = parse_dns_answer(response(0, many), "d.example", RecordType::kMx);
  ASSERT_EQ(answer.mx.size(), 64U);
  EXPECT_EQ(answer.mx.front().host, "mx299.example");
  EXPECT_EQ(answer.mx.back().preference, 764);
}

TEST(DnsAnswer, CnameChainInAnyOrder) {
  const std::string a = record(name("z.example"), RecordType::kA, 100, std::string("\xc0\x00\x02\x01", 4));
  const std::string first = record(kAsked, RecordType::kCname, 50, name("y.example"));
  const std::string second = record(name("y.example"), RecordType::kCname, 70, name("z.example"));
  for (const std::vector<std::string>& order :
       {std::vector{first, second, a}, std::vector{a, second, first}}) {
    const DnsAnswer answer = parse_dns_answer(response(0, order), "d.example", RecordType::kA);
    ASSERT_EQ(answer.status, DnsStatus::kOk);
    EXPECT_EQ(answer.canonical_name, "z.example");
    EXPECT_EQ(answer.ttl, conf::Duration(50s));
  }
  const std::string back = record(name("y.example"), RecordType::kCname, 70, kAsked);
  EXPECT_EQ(parse_dns_answer(response(0, {first, back}), "d.example", RecordType::kA).status,
            DnsStatus::kFailed);
}

TEST(DnsAnswer, Rfc2308_NegativeAnswers) {
  DnsAnswer answer = parse_dns_answer(response(3, {}, {soa(900, 300)}), "d.example", RecordType::kMx);
  EXPECT_EQ(answer.status, DnsStatus::kNoName);
  EXPECT_EQ(answer.ttl, conf::Duration(300s));
  answer = parse_dns_answer(response(0, {}, {soa(100, 300)}), "d.example", RecordType::kMx);
  EXPECT_EQ(answer.status, DnsStatus::kNoData);
  EXPECT_EQ(answer.ttl, conf::Duration(100s));
  EXPECT_EQ(parse_dns_answer(response(0, {}), "d.example", RecordType::kMx).ttl, conf::Duration(0));
}

// RFC 1912 §2.8: a lame server knows nothing of the name, and that is no answer about it.
TEST(DnsAnswer, NothingCountsOnlyFromWhoKnowsTheNameOrHasAskedForIt) {
  const std::string referral = record(name("example"), RecordType::kMx, 60, u16(1) + name("ns.example"));
  for (const unsigned rcode : {0U, 3U}) {
    for (const std::vector<std::string>& authority : {std::vector<std::string>{}, std::vector{referral}}) {
      for (const unsigned flags : {0x8000U, 0x8400U, 0x8080U}) {
        std::string raw = response(rcode, {}, authority);
        raw.replace(2, 2, u16(flags | rcode));
        const DnsStatus status = parse_dns_answer(raw, "d.example", RecordType::kMx).status;
        EXPECT_EQ(status == DnsStatus::kFailed, flags == 0x8000U) << flags << ' ' << rcode;
      }
    }
  }
  const std::string foreign =
      response(0, {record(name("x.example"), RecordType::kA, 1, std::string(4, '\1'))});
  EXPECT_EQ(parse_dns_answer(foreign, "d.example", RecordType::kA).status, DnsStatus::kFailed);
  std::string led_on = response(0, {record(kAsked, RecordType::kCname, 60, name("x.example"))});
  led_on.replace(2, 2, u16(0x8000));
  EXPECT_EQ(parse_dns_answer(led_on, "d.example", RecordType::kMx).status, DnsStatus::kNoData)
      << "it knows where the name leads";
  std::string whole = response(0, {record(kAsked, RecordType::kMx, 300, u16(10) + name("a.example"))});
  whole.replace(2, 2, u16(0x8000));
  EXPECT_EQ(parse_dns_answer(whole, "d.example", RecordType::kMx).status, DnsStatus::kOk);
}

TEST(DnsAnswer, Rfc2181_8_TtlWithTopBitIsZero) {
  const std::string raw =
      response(0, {record(kAsked, RecordType::kA, 0x80000001, std::string("\xc0\x00\x02\x01", 4))});
  EXPECT_EQ(parse_dns_answer(raw, "d.example", RecordType::kA).ttl, conf::Duration(0));
}

TEST(DnsAnswer, TroubleAndNonsense) {
  EXPECT_EQ(parse_dns_answer(response(2, {}), "d.example", RecordType::kMx).status, DnsStatus::kFailed);
  EXPECT_EQ(parse_dns_answer("", "d.example", RecordType::kMx).status, DnsStatus::kFailed);
  const std::string loop =
      response(0, {record(std::string("\xc0\x1b", 2), RecordType::kA, 1, std::string(4, '\0'))});
  EXPECT_EQ(parse_dns_answer(loop, "d.example", RecordType::kA).status, DnsStatus::kFailed);
  // Other names, other classes: not for us.
  const std::string foreign = response(0, {record(name("x.example"), RecordType::kA, 1, std::string(4, '\1')),
                                           record(kAsked, RecordType::kA, 1, std::string(4, '\1'), 3)});
  EXPECT_EQ(parse_dns_answer(foreign, "d.example", RecordType::kA).status, DnsStatus::kNoData);
  const std::string whole = response(0, {record(kAsked, RecordType::kMx, 300, u16(10) + name("a.example"))});
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(parse_dns_answer(whole.substr(0, length), "d.example", RecordType::kMx).status,
              DnsStatus::kFailed)
        << length;
  }
}

// RFC 2181 §9: an answer with TC says nothing, least of all that there is no more than what is in it.
TEST(DnsAnswer, Rfc2181_9_ACutAnswerIsTrouble) {
  const std::string mx = record(kAsked, RecordType::kMx, 300, u16(10) + name("a.example"));
  for (const std::vector<std::string>& records : {std::vector<std::string>{}, std::vector{mx}}) {
    for (const unsigned rcode : {0U, 3U}) {
      std::string raw = response(rcode, records, {soa(900, 900)});
      raw[2] = static_cast<char>(raw[2] | 2);
      const DnsAnswer answer = parse_dns_answer(raw, "d.example", RecordType::kMx, "192.0.2.53");
      EXPECT_EQ(answer.status, DnsStatus::kFailed);
      EXPECT_TRUE(answer.mx.empty());
      EXPECT_EQ(answer.detail, "the name server 192.0.2.53 cut its answer, by TCP too");
    }
  }
}

struct HandClock final : conf::Clock {
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return {}; }
  conf::Instant time{1h};
};

struct HandTransport final : DnsTransport {
  void ask(const std::string& asked, RecordType, Done done) override {
    questions.push_back(asked);
    waiting.push_back(std::move(done));
  }
  void answer(DnsStatus status, const std::string& raw) {
    const std::vector<Done> all = std::move(waiting);
    waiting.clear();
    for (const Done& done : all) done(status, raw, "detail");
  }
  std::vector<std::string> questions;
  std::vector<Done> waiting;
};

class CacheTest : public testing::Test {
 protected:
  DnsAnswerPtr ask(const std::string& asked = "d.example") {
    const auto got = std::make_shared<DnsAnswerPtr>();  // the answer may come after this call
    cache->query(asked, RecordType::kA, [got](DnsAnswerPtr answer) { *got = std::move(answer); });
    return *got;
  }
  static std::string address(uint32_t ttl) {
    return response(0, {record(kAsked, RecordType::kA, ttl, std::string("\xc0\x00\x02\x01", 4))});
  }
  HandClock clock;
  HandTransport wire;
  conf::DnsSettings settings;
  std::unique_ptr<DnsCache> cache = std::make_unique<DnsCache>(settings, &wire, &clock);
};

TEST_F(CacheTest, KeepsForTheTtlAndTellsWhatIsLeft) {
  int answers = 0;
  cache->query("d.example", RecordType::kA, [&answers](const DnsAnswerPtr&) { ++answers; });
  cache->query("D.EXAMPLE.", RecordType::kA, [&answers](const DnsAnswerPtr&) { ++answers; });
  EXPECT_EQ(wire.questions.size(), 1U);  // one query in flight per question
  wire.answer(DnsStatus::kOk, address(100));
  EXPECT_EQ(answers, 2);
  clock.time += 60s;
  const DnsAnswerPtr kept = ask();
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->ttl, conf::Duration(40s));
  clock.time += 41s;
  EXPECT_EQ(ask(), nullptr);
  EXPECT_EQ(wire.questions.size(), 2U);
}

TEST_F(CacheTest, AnAnswerSaysNoLongerTimeThanItIsKept) {
  conf::Duration said{0};
  cache->query("d.example", RecordType::kA, [&said](const DnsAnswerPtr& answer) { said = answer->ttl; });
  wire.answer(DnsStatus::kOk, address(30 * 24 * 3600));
  EXPECT_EQ(said, conf::DnsSettings().max_ttl) << "a route lives as long as its answers say";
}

TEST_F(CacheTest, Rfc2308_KeepsNegativeAnswersAndTroubleShortly) {
  ask();
  wire.answer(DnsStatus::kOk, response(3, {}, {soa(900, 100'000)}));
  ASSERT_NE(ask(), nullptr);
  clock.time += 901s;
  EXPECT_EQ(ask(), nullptr);
  wire.answer(DnsStatus::kTimeout, "");
  const DnsAnswerPtr failed = ask();
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->status, DnsStatus::kTimeout);
  clock.time += 6s;
  EXPECT_EQ(ask(), nullptr);
}

TEST_F(CacheTest, TheLeastUsedGoesWhenFull) {
  settings.cache_entries = 2;
  cache = std::make_unique<DnsCache>(settings, &wire, &clock);
  for (const char* asked : {"a.example", "b.example"}) {
    ask(asked);
    wire.answer(DnsStatus::kTimeout, "");
  }
  EXPECT_NE(ask("a.example"), nullptr);
  ask("c.example");
  wire.answer(DnsStatus::kTimeout, "");
  EXPECT_EQ(cache->counters().entries, 2U);
  EXPECT_NE(ask("a.example"), nullptr);
  EXPECT_EQ(ask("b.example"), nullptr);
}

// 64 names of 250 octets are some 18 KB in the cache, and a few hundred octets on the wire.
TEST_F(CacheTest, AnswersOfManyRecordsTakeNoMoreThanTheirShare) {
  settings.cache_entries = 100;
  cache = std::make_unique<DnsCache>(settings, &wire, &clock);
  std::vector<std::string> many;
  const std::string tail = std::string(60, 'x') + '.' + std::string(60, 'y') + '.' + std::string(60, 'z');
  for (unsigned i = 0; i < 64; ++i)
    many.push_back(record(kAsked, RecordType::kMx, 60, u16(i) + name(std::to_string(i) + '.' + tail)));
  for (int i = 0; i < 50; ++i) {
    const std::string asked = std::to_string(i) + ".example";
    std::string raw = response(0, many);
    cache->query(asked, RecordType::kMx, [](const DnsAnswerPtr&) {});
    const size_t owner = raw.find(name("d.example"));
    raw.replace(owner, name("d.example").size(), name(asked));
    for (const DnsTransport::Done& done : std::exchange(wire.waiting, {})) done(DnsStatus::kOk, raw, "");
    EXPECT_LE(cache->counters().octets, 100U * 1024);
  }
  EXPECT_GT(cache->counters().entries, 3U);
  EXPECT_LT(cache->counters().entries, 10U);
  cache->clear();
  EXPECT_EQ(cache->counters().octets, 0U);
}

// RFC 6761, 7686: a question about them would tell a stranger, and no answer would mean anything.
TEST_F(CacheTest, Rfc7686_NamesThatNobodyKnowsAreAnsweredWithoutAQuestion) {
  for (const char* asked : {"x.onion", "abc.ONION.", "host.invalid", "invalid", "x.alt"}) {
    const DnsAnswerPtr answer = ask(asked);
    ASSERT_NE(answer, nullptr) << asked;
    EXPECT_EQ(answer->status, DnsStatus::kNoName) << asked;
  }
  EXPECT_EQ(ask("onion.example"), nullptr);
  EXPECT_EQ(wire.questions, std::vector<std::string>{"onion.example"});
}

TEST_F(CacheTest, SoManyQuestionsAtOnceAndAddressesFirst) {
  cache = std::make_unique<DnsCache>(settings, &wire, &clock, 2);
  int answers = 0;
  const auto count = [&answers](const DnsAnswerPtr&) { ++answers; };
  for (const char* asked : {"a.example", "b.example", "c.example", "d.example"})
    cache->query(asked, RecordType::kMx, count);
  cache->query("host.example", RecordType::kAaaa, count);
  EXPECT_EQ(wire.questions, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(cache->counters().in_flight, 2U);
  EXPECT_EQ(cache->counters().waiting, 3U);
  for (int round = 0; round < 3; ++round) wire.answer(DnsStatus::kTimeout, "");
  EXPECT_EQ(wire.questions,
            (std::vector<std::string>{"a.example", "b.example", "host.example", "c.example", "d.example"}));
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(cache->counters().in_flight, 0U);
}

TEST_F(CacheTest, AZoneThatSaysNothingKeepsNobodyElseWaiting) {
  cache = std::make_unique<DnsCache>(settings, &wire, &clock, 16);
  for (int i = 0; i < 1000; ++i)
    cache->query("d" + std::to_string(i) + ".evil.example", RecordType::kMx, [](const DnsAnswerPtr&) {});
  EXPECT_EQ(wire.questions.size(), 2U) << "its part";
  cache->query("good.test", RecordType::kMx, [](const DnsAnswerPtr&) {});
  EXPECT_EQ(wire.questions.back(), "good.test");
  cache->query("mx.evil.example", RecordType::kA, [](const DnsAnswerPtr&) {});
  EXPECT_EQ(wire.questions.size(), 3U) << "addresses are of the same part";
  for (int round = 0; round < 600; ++round) wire.answer(DnsStatus::kTimeout, "");
  EXPECT_EQ(wire.questions.size(), 1002U) << "in the end each is asked";
  EXPECT_EQ(wire.questions[3], "mx.evil.example");
  EXPECT_EQ(cache->counters().waiting, 0U);
}

TEST_F(CacheTest, AnswersAfterItsEndAreDropped) {
  bool answered = false;
  cache->query("d.example", RecordType::kA, [&answered](const DnsAnswerPtr&) { answered = true; });
  cache.reset();
  wire.answer(DnsStatus::kOk, address(100));
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace mx
