#include "mx/rules/rule_book.h"

#include <gtest/gtest.h>

#include "conf/vocab/address.h"
#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::MxRule;
using conf::RuleField;
using Count = RuleField<uint32_t>;

MxRule rule(std::string name, std::vector<std::string> mx, std::vector<std::string> domains = {},
            std::string sources = "") {
  static int line = 100;
  MxRule out;
  out.name = std::move(name);
  out.file = "test.toml";
  out.line = line += 10;
  for (std::string& mask : mx) out.mx.push_back({std::move(mask), out.line + 1});
  for (std::string& mask : domains) out.domains.push_back({std::move(mask), out.line + 2});
  out.sources = std::move(sources);
  out.sources_line = out.line + 3;
  return out;
}

MxRule shipped(MxRule rule) {
  rule.shipped = true;
  rule.file = "rules.toml";
  return rule;
}

std::string texts(const std::vector<conf::Problem>& problems) {
  std::string out;
  for (const conf::Problem& p : problems) out += p.text() + "\n";
  return out;
}

RuleBookPtr book_of(const std::vector<MxRule>& rules) {
  BuiltRules built = build_rules(rules);
  EXPECT_NE(built.book, nullptr) << texts(built.problems);
  return built.book;
}

std::string matched(const RuleBook& book, const char* domain, std::vector<std::string> hosts,
                    uint32_t source = 1) {
  const RulePtr found = book.match(domain, hosts, source);
  return found == nullptr ? "-" : (found->shipped ? "shipped " : "") + found->name;
}

TEST(RuleBook, FirstMatchDecides) {
  const RuleBookPtr book = book_of({
      shipped(rule("google", {"*.google.com"})),
      shipped(rule("rest", {"*"})),
      rule("few", {"mx?.isp.example"}, {}, "1-5"),
      rule("isp", {"*.ISP.example"}),
      rule("vip", {}, {"vip.example"}),
      rule("both", {"*.google.com"}, {"*.corp.example"}),
      rule("template", {}, {}),
  });
  EXPECT_EQ(matched(*book, "gmail.com", {"alt1.gmail-smtp-in.l.google.com"}), "shipped google");
  EXPECT_EQ(matched(*book, "a.example", {"mx1.isp.example"}), "few");
  EXPECT_EQ(matched(*book, "a.example", {"mx1.isp.example"}, 6), "isp");
  EXPECT_EQ(matched(*book, "a.example", {"mx12.Isp.Example"}), "isp");
  EXPECT_EQ(matched(*book, "a.example", {"other.example", "mx1.isp.example"}), "few") << "any host counts";
  EXPECT_EQ(matched(*book, "VIP.example", {"mx1.isp.example"}), "vip") << "a domain mask ranks above";
  EXPECT_EQ(matched(*book, "x.corp.example", {"aspmx.l.google.com"}), "both");
  EXPECT_EQ(matched(*book, "x.corp.example", {"mx1.isp.example"}), "few") << "both masks must match";
  EXPECT_EQ(matched(*book, "b.example", {"mx.b.example"}), "shipped rest");
  EXPECT_EQ(book->named("template")->is_template(), true);
  EXPECT_EQ(book->named("nothing"), nullptr);
}

// For 1,000 sources as for one: only the rules that can matter are kept for a domain.
TEST(RuleBook, CandidatesGiveEachSourceWhatItsOwnMatchDoes) {
  const BuiltRules built = build_rules({rule("other-domain", {}, {"other.test"}),
                                        rule("low", {"mx.*"}, {}, "1-9"), rule("high", {"mx.*"}, {}, "500-"),
                                        rule("all", {"*"}), rule("never-reached", {"mx.one.*"})});
  ASSERT_NE(built.book, nullptr);
  const std::vector<std::string> hosts = {"mx.one.test"};
  const RuleBook::Candidates candidates = built.book->candidates("one.test", hosts);
  EXPECT_LE(candidates.size(), 4U);
  for (uint32_t source = 0; source < 1000; ++source)
    EXPECT_EQ(RuleBook::first_for(candidates, source), built.book->match("one.test", hosts, source))
        << source;
}

TEST(RuleBook, WithoutARuleTheCandidatesSaySo) {
  const BuiltRules built = build_rules({rule("low", {"mx.*"}, {}, "1-9")});
  const std::vector<std::string> hosts = {"mx.one.test"};
  const RuleBook::Candidates candidates = built.book->candidates("one.test", hosts);
  EXPECT_FALSE(candidates.empty()) << "empty: not asked yet";
  EXPECT_EQ(RuleBook::first_for(candidates, 10), nullptr);
  EXPECT_EQ(RuleBook::first_for({}, 1), nullptr);
  EXPECT_EQ(RuleBook::first_for(candidates, 5), built.book->rules()[0]);
}

TEST(RuleBook, LocalRulesStandBeforeShippedOnes) {
  const RuleBookPtr book = book_of(
      {shipped(rule("domain", {}, {"*.example"})), rule("host", {"mx.*"}), rule("local", {}, {"a.example"})});
  EXPECT_EQ(matched(*book, "a.example", {"mx.a"}), "local");
  EXPECT_EQ(matched(*book, "b.example", {"mx.a"}), "shipped domain");
  EXPECT_EQ(matched(*book, "b.test", {"mx.a"}), "host");
  EXPECT_EQ(matched(*book, "b.test", {"a"}), "-");
}

TEST(RuleBook, ALocalGeneralCaseComesBehindTheShippedProviders) {
  const RuleBookPtr book =
      book_of({rule("first", {"*.first.example"}), rule("some", {"*"}, {}, "7"), rule("ours", {"*"}),
               shipped(rule("isp", {"*.isp.example"})), shipped(rule("rest", {"*"}))});
  EXPECT_EQ(matched(*book, "a.example", {"mx.first.example"}), "first");
  EXPECT_EQ(matched(*book, "a.example", {"mx.isp.example"}), "shipped isp");
  EXPECT_EQ(matched(*book, "a.example", {"mx.isp.example"}, 7), "some") << "not for all sources: not general";
  EXPECT_EQ(matched(*book, "a.example", {"mx.a.example"}), "ours");
  const RuleBookPtr every = book_of({rule("every", {}, {"*"}), shipped(rule("isp", {"*.isp.example"}))});
  EXPECT_EQ(matched(*every, "a.example", {"mx.isp.example"}), "every");
}

TEST(RuleBook, CertainMatchNeedsNeitherHostsNorSource) {
  const RuleBookPtr book =
      book_of({rule("few", {}, {"few.example"}, "1-3"), rule("both", {"mx.*"}, {"both.example"}),
               rule("template", {}), rule("domain", {}, {"*.example"}), rule("host", {"*.host.test"})});
  const auto certain = [&book](const char* domain) {
    const RulePtr found = book->certain_match(domain);
    return found == nullptr ? std::string("-") : found->name;
  };
  EXPECT_EQ(certain("a.example"), "domain");
  EXPECT_EQ(certain("few.example"), "-") << "depends on the source";
  EXPECT_EQ(certain("both.example"), "-") << "depends on the hosts";
  EXPECT_EQ(certain("a.test"), "-");
  EXPECT_EQ(book_of({rule("all", {"*"})})->certain_match("a.test")->name, "all");
  EXPECT_EQ(RuleBook().certain_match("a.test"), nullptr);
}

TEST(RuleBook, InheritsAndUnsets) {
  MxRule base = rule("base", {});
  base.fields.max_connections = Count::set(30, 5);
  base.fields.messages_per_hour = Count::set(1200, 6);
  base.fields.connect_timeout = RuleField<conf::Duration>::set(10s, 7);
  MxRule middle = rule("middle", {"*.mid.example"});
  middle.inherit = "base";
  middle.fields.max_connections = Count::set(5, 20);
  MxRule leaf = rule("leaf", {"*.leaf.example"});
  leaf.inherit = "middle";
  leaf.fields.messages_per_hour = Count::unset(31);
  const RuleBookPtr book = book_of({leaf, middle, base});
  const RulePtr found = book->named("leaf");
  EXPECT_EQ(found->values.max_connections.value_or(0), 5u);
  EXPECT_EQ(found->values.max_connections.origin.text(), "test.toml:20 (rule middle)");
  EXPECT_EQ(found->values.connect_timeout.value_or(0s), 10s);
  EXPECT_EQ(found->values.connect_timeout.origin.text(), "test.toml:7 (rule base)");
  EXPECT_FALSE(found->values.messages_per_hour.set);
  EXPECT_EQ(found->values.messages_per_hour.origin.text(), "test.toml:31 (rule leaf)");
  EXPECT_EQ(found->values.messages_per_hour.value_or(77), 77u);
  EXPECT_FALSE(found->values.max_recipients.set);
  EXPECT_EQ(book->named("middle")->values.messages_per_hour.value_or(0), 1200u);
}

TEST(RuleBook, ALocalRuleMayInheritTheShippedOneOfItsName) {
  MxRule theirs = shipped(rule("google", {"*.google.com"}));
  theirs.fields.max_connections = Count::set(20, 9);
  MxRule ours = rule("google", {"*.google.com"}, {}, "1-3");
  ours.inherit = "google";
  ours.fields.messages_per_hour = Count::set(500, 4);
  const RuleBookPtr book = book_of({ours, theirs});
  const RulePtr found = book->match("gmail.com", std::vector<std::string>{"mx.google.com"}, 2);
  EXPECT_EQ(found->values.max_connections.origin.text(), "rules.toml:9 (rule google)");
  EXPECT_EQ(found->values.messages_per_hour.value_or(0), 500u);
  EXPECT_TRUE(book->match("gmail.com", std::vector<std::string>{"mx.google.com"}, 4)->shipped);
}

TEST(RuleBook, ReportsBadRulesWithTheirLines) {
  struct Case {
    const char* name;
    void (*spoil)(MxRule* rule);
    const char* expected;
  };
  using conf::RuleThreshold;
  using Thresholds = RuleField<std::vector<RuleThreshold>>;
  using Rate = RuleField<conf::RuleRate>;
  const std::vector<Case> cases = {
      {"rate",
       [](MxRule* r) {
         r->fields.rate = Rate::set({0, 1min, 1}, 7);
       },
       "f.toml:7:1: a rate of 0"},
      {"period",
       [](MxRule* r) {
         r->fields.rate = Rate::set({5, 0s, 1}, 7);
       },
       "f.toml:7:1: a rate of 0"},
      {"burst",
       [](MxRule* r) {
         r->fields.rate = Rate::set({5, 1s, 0}, 7);
       },
       "f.toml:7:1: burst = 0"},
      {"wide-burst",
       [](MxRule* r) {
         r->fields.rate = Rate::set({5, 1s, 6}, 7);
       },
       "f.toml:7:1: burst = 6 is above the rate itself"},
      {"fast",
       [](MxRule* r) {
         r->fields.rate = Rate::set({2'000'000, 1s, 1}, 7);
       },
       "f.toml:7:1: a rate above"},
      {"quota", [](MxRule* r) { r->fields.messages_per_hour = Count::set(0, 8); },
       "f.toml:8:1: messages_per_hour = 0"},
      {"connections", [](MxRule* r) { r->fields.max_connections = Count::set(0, 8); },
       "f.toml:8:1: max_connections = 0"},
      {"floor",
       [](MxRule* r) {
         r->fields.max_connections = Count::set(3, 8);
         r->fields.min_connections = Count::set(4, 9);
       },
       "f.toml:9:1: min_connections = 4 is above max_connections = 3 of f.toml:8 (rule floor)"},
      {"timeout", [](MxRule* r) { r->fields.timeout = RuleField<conf::Duration>::set(0s, 8); },
       "f.toml:8:1: timeout must be longer"},
      {"mask",
       [](MxRule* r) {
         r->mx.push_back({"mx.ex ample", 3});
       },
       "f.toml:3:1: mask \"mx.ex ample\": ' '"},
      {"empty",
       [](MxRule* r) {
         r->mx.push_back({"", 3});
       },
       "f.toml:3:1: mask \"\": an empty mask"},
      {"dot",
       [](MxRule* r) {
         r->domains.push_back({".example", 3});
       },
       "write \"*.example\""},
      {"end",
       [](MxRule* r) {
         r->domains.push_back({"example.", 3});
       },
       "dot at the end"},
      {"utf8",
       [](MxRule* r) {
         r->domains.push_back({"caf\xc3\xa9.example", 3});
       },
       "masks are ASCII"},
      {"sources",
       [](MxRule* r) {
         r->sources = "5-1";
         r->sources_line = 4;
       },
       "f.toml:4:1: \"5-1\" is not a range"},
      {"orphan",
       [](MxRule* r) {
         r->inherit = "nobody";
         r->inherit_line = 5;
       },
       "f.toml:5:1: no rule is named \"nobody\""},
      {"own",
       [](MxRule* r) {
         r->inherit = "own";
         r->inherit_line = 5;
       },
       "cannot be its own parent"},
      {"sample",
       [](MxRule* r) {
         r->fields.messages_per_hour = Count::set(200, 8);
         RuleThreshold t;
         t.line = 12;
         r->fields.thresholds = Thresholds::set({t}, 11);
       },
       "f.toml:12:1: threshold of rule \"sample\": min_messages = 300 is above what messages_per_hour = 200 "
       "(f.toml:8 (rule sample)) allows"},
      {"share", [](MxRule* r) { r->fields.thresholds = Thresholds::set({{.error_rate_ppm = 0}}, 11); },
       "f.toml:11:1: threshold of rule \"share\": error_rate"},
      {"most", [](MxRule* r) { r->fields.thresholds = Thresholds::set({{.error_rate_ppm = 1'000'001}}, 11); },
       "error_rate must be"},
      {"none",
       [](MxRule* r) {
         r->fields.thresholds = Thresholds::set({{.count_hard = false, .count_soft = false}}, 11);
       },
       "it counts no error"},
      {"bound", [](MxRule* r) { r->fields.thresholds = Thresholds::set({{.max_block = 1h}}, 11); },
       "max_block is shorter"},
      {"five", [](MxRule* r) { r->fields.thresholds = Thresholds::set(std::vector<RuleThreshold>(5), 11); },
       "f.toml:11:1: more than 4 thresholds"},
      {"slow",
       [](MxRule* r) {
         r->fields.rate = Rate::set({1, 1min, 1}, 8);
         r->fields.thresholds = Thresholds::set({{.min_messages = 62}}, 11);
       },
       "min_messages = 62 is above what the rate (f.toml:8 (rule slow)) allows within the window"},
      {"yearly",
       [](MxRule* r) {
         r->fields.rate = Rate::set({1, 8760h, 1}, 8);
       },
       "f.toml:8:1: a rate is for at most a day"},
      {"a|b", [](MxRule*) {}, "f.toml:1:1: the name of a rule has no blanks"},
      {"adaptive",
       [](MxRule* r) {
         r->fields.adaptive = RuleField<conf::AdaptiveMode>::set(conf::AdaptiveMode::kOn, 13);
       },
       "f.toml:13:1: adaptive needs adaptive_min"},
  };
  for (const Case& c : cases) {
    MxRule bad;
    bad.name = c.name;
    bad.file = "f.toml";
    bad.line = 1;
    bad.mx.push_back({"*", 2});
    if (bad.name == "a|b") bad.name = "good";
    EXPECT_NE(build_rules({bad}).book, nullptr) << c.name << " before it is spoilt";
    bad.name = c.name;
    c.spoil(&bad);
    const BuiltRules built = build_rules({bad});
    EXPECT_EQ(built.book, nullptr) << c.name;
    EXPECT_NE(texts(built.problems).find(c.expected), std::string::npos)
        << c.name << ": " << texts(built.problems);
  }
}

TEST(RuleBook, FindsCyclesAndDoubleNames) {
  MxRule a = rule("a", {"a.*"}), b = rule("b", {"b.*"}), c = rule("c", {"c.*"});
  a.inherit = "b";
  b.inherit = "c";
  c.inherit = "a";
  const BuiltRules cycle = build_rules({a, b, c});
  EXPECT_EQ(cycle.book, nullptr);
  EXPECT_EQ(cycle.problems.size(), 3u) << texts(cycle.problems);
  EXPECT_NE(texts(cycle.problems).find("rule \"a\" inherits from itself"), std::string::npos);
  const BuiltRules twice = build_rules({rule("x", {"a"}), rule("x", {"b"})});
  EXPECT_EQ(twice.book, nullptr);
  EXPECT_NE(texts(twice.problems).find("\"x\" is already at test.toml:"), std::string::npos);
  EXPECT_NE(build_rules({rule("x", {"a"}), shipped(rule("x", {"b"}))}).book, nullptr);
}

TEST(RuleBook, AShippedRuleDoesNotInheritALocalOne) {
  MxRule child = shipped(rule("child", {"*.a"}));
  child.inherit = "base";
  EXPECT_EQ(build_rules({child, rule("base", {})}).book, nullptr);
  EXPECT_NE(build_rules({child, rule("base", {}), shipped(rule("base", {}))}).book, nullptr);
}

TEST(RuleBook, AMistakeOfAParentIsSaidOnce) {
  MxRule parent = rule("parent", {});
  parent.fields.messages_per_hour = Count::set(0, 5);
  MxRule child = rule("child", {"*"});
  child.inherit = "parent";
  EXPECT_EQ(build_rules({parent, child}).problems.size(), 1u);
}

TEST(RuleBook, WarnsOfShadowedRules) {
  struct Case {
    std::vector<MxRule> rules;
    const char* shadowed;  // "": none
  };
  for (const Case& c : std::vector<Case>{
           {{rule("all", {"*"}), rule("late", {"*.google.com"})}, "late"},
           {{rule("late", {"*.google.com"}), rule("all", {"*"})}, ""},
           {{rule("all", {"*"}, {}, "1-5"), rule("late", {"*.google.com"})}, ""},
           {{rule("all", {"*"}, {}, "1-5"), rule("late", {"*.google.com"}, {}, "2-3")}, "late"},
           {{rule("x", {"*"}, {}, "-5"), rule("y", {"*.com"}, {}, "6-"), rule("late", {"*.google.com"})},
            "late"},
           {{rule("x", {"*.com"}), rule("late", {"*.google.com", "*.org"})}, ""},
           {{rule("x", {"*.com"}), rule("y", {"*.org"}), rule("late", {"*.google.com", "*.org"})}, "late"},
           {{rule("late", {"*.com"}), rule("every", {}, {"*"})}, "late"},
           {{rule("narrow", {"*.google.com"}, {"*"}), rule("fine", {"*.com"})}, ""},
           {{rule("some", {}, {"*.example"}), rule("fine", {"*"})}, ""},
           {{rule("wide", {}, {"*.example"}), rule("late", {"mx.*"}, {"a.example"})}, "late"},
           {{rule("template", {}), rule("all", {"*"})}, ""},
           {{shipped(rule("fine", {"*.a"})), rule("all", {}, {"*"})}, ""},
           {{shipped(rule("all", {"*"})), shipped(rule("late", {"*.a"})), rule("fine", {"*"})}, "late"},
           {{shipped(rule("theirs", {"*.a"})), rule("all", {"*"}), rule("late", {"x.a"})}, "late"},
       }) {
    const BuiltRules built = build_rules(c.rules);
    ASSERT_NE(built.book, nullptr);
    const std::string found = texts(built.problems);
    if (*c.shadowed == 0) {
      EXPECT_EQ(found, "");
      continue;
    }
    ASSERT_EQ(built.problems.size(), 1u) << found;
    EXPECT_TRUE(built.problems[0].warning);
    EXPECT_NE(found.find("rule \"late\" can never match"), std::string::npos) << found;
  }
}

TEST(RuleBook, MaskCoversIsNeverWrongly) {
  EXPECT_TRUE(mask_covers("*", "*.a?c*"));
  EXPECT_TRUE(mask_covers("*.Google.com", "*.l.google.COM"));
  EXPECT_TRUE(mask_covers("a?c", "abc"));
  EXPECT_FALSE(mask_covers("a?c", "a*c"));
  EXPECT_FALSE(mask_covers("abc", "a?c"));
  EXPECT_FALSE(mask_covers("*.google.com", "google.com"));
  conf::Random random(7);
  const auto word = [&random](std::string_view letters) {
    std::string out;
    for (uint64_t n = random.below(6); n > 0; --n) out += letters[random.below(letters.size())];
    return out;
  };
  int covered = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string wide = word("ab*?"), narrow = word("ab*?");
    if (!mask_covers(wide, narrow)) continue;
    ++covered;
    for (int k = 0; k < 20; ++k) {
      const std::string name = word("abc");
      if (conf::domain_matches(narrow, name)) {
        EXPECT_TRUE(conf::domain_matches(wide, name)) << wide << " " << narrow << " " << name;
      }
    }
  }
  EXPECT_GT(covered, 500);
}

}  // namespace
}  // namespace mx
