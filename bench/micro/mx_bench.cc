// Where to: answers of the name server, the cache before it, and the book of rules.
#include <string>
#include <vector>

#include "bench/micro/micro.h"
#include "mx/dns/dns_answer.h"
#include "mx/dns/dns_cache.h"
#include "mx/rules/rule_book.h"

namespace {

std::string u16(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

// Five MX hosts, as a large provider has them, with names compressed against the question (RFC 1035 §4.1.4).
std::string mx_response() {
  const std::string question = std::string("\x01") + "d" + "\x07" + "example" + std::string(1, '\0');
  std::string raw = u16(7) + u16(0x8180) + u16(1) + u16(5) + u16(0) + u16(0) + question + u16(15) + u16(1);
  for (unsigned host = 1; host <= 5; ++host) {
    const std::string name = "\x03mx" + std::to_string(host) + std::string("\xc0\x0e", 2);
    raw += std::string("\xc0\x0c", 2) + u16(15) + u16(1) + u16(0) + u16(300) +
           u16(static_cast<unsigned>(name.size() + 2)) + u16(host * 10) + name;
  }
  return raw;
}

void parse_mx_answer(benchmark::State& state) {
  const std::string raw = mx_response();
  if (mx::parse_dns_answer(raw, "d.example", mx::RecordType::kMx).mx.size() != 5)
    return state.SkipWithError("the response does not parse");
  for (auto _ : state) benchmark::DoNotOptimize(mx::parse_dns_answer(raw, "d.example", mx::RecordType::kMx));
}
MICRO(parse_mx_answer);

struct StandingClock final : conf::Clock {
  conf::Instant now() const override { return conf::Instant(conf::Duration(1)); }
  conf::WallTime wall() const override { return {}; }
};
// Everything exists. Answers inside the call, which is enough to fill the cache.
struct ReadyTransport final : mx::DnsTransport {
  void ask(const std::string&, mx::RecordType, Done done) override { waiting = std::move(done); }
  Done waiting;
};

void hit_dns_cache(benchmark::State& state) {
  StandingClock clock;
  ReadyTransport transport;
  mx::DnsCache cache({}, &transport, &clock);
  const std::string raw = mx_response();
  cache.query("d.example", mx::RecordType::kMx, [](mx::DnsAnswerPtr) {});
  transport.waiting(mx::DnsStatus::kOk, raw, "");
  size_t hosts = 0;
  for (auto _ : state)
    cache.query("d.example", mx::RecordType::kMx,
                [&hosts](mx::DnsAnswerPtr answer) { hosts += answer->mx.size(); });
  const auto asked = static_cast<uint64_t>(state.iterations());
  if (cache.counters().hits != asked || hosts != 5 * asked)
    state.SkipWithError("not every question was a hit");
}
MICRO(hit_dns_cache);

// A book of `rules` rules none of which matches but the last, the general case.
void match_rule(benchmark::State& state) {
  std::vector<conf::MxRule> written;
  for (int64_t i = 0; i < state.range(0); ++i) {
    conf::MxRule rule;
    rule.name = "provider" + std::to_string(i);
    rule.mx.push_back({"*.mail" + std::to_string(i) + ".example"});
    rule.fields.max_connections = conf::RuleField<uint32_t>::set(20);
    written.push_back(rule);
  }
  written.back().mx[0].glob = "*";
  const mx::BuiltRules built = mx::build_rules(written);
  if (built.book == nullptr) return state.SkipWithError("the rules are wrong");
  const std::vector<std::string> hosts = {"mx1.some.test", "mx2.some.test"};
  if (built.book->match("some.test", hosts, 1) == nullptr) return state.SkipWithError("no rule matches");
  for (auto _ : state) benchmark::DoNotOptimize(built.book->match("some.test", hosts, 1));
}
MICRO(match_rule)->Arg(10)->Arg(100);

}  // namespace
