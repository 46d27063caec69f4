#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "bench/load/content.h"
#include "bench/load/domains.h"
#include "bench/load/sizes.h"
#include "bench/load/template.h"

namespace bench::load {
namespace {

std::string text_of(const Output& output) {
  iovec parts[64];
  const size_t count = output.gather(parts, 64);
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return text;
}

std::string render(const std::string& source, bool stuffed = false, uint64_t size = 0) {
  const std::string filler = make_filler(10'000);
  std::vector<conf::Problem> problems;
  const Template made = Template::parse("t.eml", source, filler, &problems);
  for (const conf::Problem& problem : problems) ADD_FAILURE() << problem.text();
  Filling filling;
  filling.local = "user7";
  filling.domain = "d3.test";
  filling.from = ".me@sender.test";
  filling.number = "7";
  filling.id = "run-7";
  filling.date = "Tue, 24 Nov 2026 10:00:00 +0000";
  filling.size_bytes = size;
  conf::Random random(1);
  Output out;
  made.write(filling, stuffed, &random, &out);
  EXPECT_EQ(out.size(), text_of(out).size());
  return text_of(out);
}

std::string first_problem(const std::string& source) {
  const std::string filler = make_filler(100);
  std::vector<conf::Problem> problems;
  Template::parse("t.eml", source, filler, &problems);
  return problems.empty() ? "none" : problems.front().text();
}

TEST(Template, FillsInAndEndsLinesWithCrlf) {
  EXPECT_EQ(render("X-Load-Id: {id}\nTo: {recipient}\n\nDear {local} of {domain}, no {number}\n"),
            "X-Load-Id: run-7\r\nTo: user7@d3.test\r\n\r\nDear user7 of d3.test, no 7\r\n");
  EXPECT_EQ(render("Subject: x\n\nbody"), "X-Load-Id: run-7\r\nSubject: x\r\n\r\nbody\r\n");
}

TEST(Template, BracesThatAreNoPlaceholderStay) {
  EXPECT_EQ(render("x-load-id: 1\n\np { color: red } {{number} {} { {\n"),
            "x-load-id: 1\r\n\r\np { color: red } {number} {} { {\r\n");
}

TEST(Template, DotsAreDoubledForDataOnly) {
  const std::string source = "X-Load-Id: 1\n\n.one\n..two\n{from}\na.b\n";
  EXPECT_EQ(render(source, false), "X-Load-Id: 1\r\n\r\n.one\r\n..two\r\n.me@sender.test\r\na.b\r\n");
  EXPECT_EQ(render(source, true), "X-Load-Id: 1\r\n\r\n..one\r\n...two\r\n..me@sender.test\r\na.b\r\n");
}

TEST(Template, RandomHasTheDigitsAskedFor) {
  const std::string text = render("X-Load-Id: 1\n\n{random}-{random:40}\n");
  ASSERT_EQ(text.size(), std::string("X-Load-Id: 1\r\n\r\n").size() + 8 + 1 + 40 + 2);
  EXPECT_EQ(text[16 + 8], '-');
}

TEST(Template, FillerMakesTheSizeExactly) {
  for (uint64_t size = 60; size < 700; ++size) {
    const std::string text = render("X-Load-Id: {id}\n\n{filler}\nend\n", true, size);
    EXPECT_EQ(text.size(), size);
    EXPECT_EQ(text.substr(text.size() - 7), "\r\nend\r\n");
    EXPECT_EQ(text.find("\r\n."), std::string::npos);
  }
}

TEST(Template, MistakesAreToldWithTheirPlace) {
  EXPECT_EQ(first_problem("Subject: x\n\nDear {recipent},\n").substr(0, 44),
            "t.eml:3:6: unknown placeholder {recipent}; t");
  EXPECT_EQ(first_problem("Subject: x\n\n{random:0}\n"),
            "t.eml:3:1: {random:N} takes a number from 1 to 900");
  EXPECT_EQ(first_problem("Subject: x\n\n{number:3}\n"), "t.eml:3:1: {number} takes no number");
  EXPECT_EQ(first_problem("Subject: x\n\na {filler}\n"), "t.eml:3:3: {filler} stands alone in its line");
  EXPECT_EQ(first_problem("Subject: x\n\n{filler}\n{filler}\n"),
            "t.eml:4:1: {filler} may stand in a message once only");
  EXPECT_EQ(first_problem("Hello\n\nx\n").substr(0, 10), "t.eml:1:1:");
  EXPECT_EQ(first_problem("Subject: x\nTo: y\n").substr(0, 10), "t.eml:2:1:");
  EXPECT_EQ(first_problem("Subject: x\n\n" + std::string(999, 'a') + "\n").substr(0, 12), "t.eml:3:999:");
}

TEST(Sizes, OneRangeMixAndLognormal) {
  conf::Random random(5);
  EXPECT_EQ(Sizes::parse("10k").value().draw(&random), 10'240U);
  EXPECT_EQ(Sizes::parse("10000").value().draw(&random), 10'000U);
  const Sizes range = Sizes::parse("2k-4k").value();
  for (int i = 0; i < 1000; ++i) {
    const uint64_t size = range.draw(&random);
    EXPECT_TRUE(size >= 2048 && size <= 4096);
  }
  const Sizes mix = Sizes::parse("2k:50,10k:40,100k:10").value();
  EXPECT_EQ(mix.largest(), 102'400U);
  std::map<uint64_t, int> drawn;
  for (int i = 0; i < 100'000; ++i) ++drawn[mix.draw(&random)];
  ASSERT_EQ(drawn.size(), 3U);
  EXPECT_NEAR(drawn[2048], 50'000, 800);
  EXPECT_NEAR(drawn[10'240], 40'000, 800);
  EXPECT_NEAR(drawn[102'400], 10'000, 500);
  const Sizes lognormal = Sizes::parse("lognormal:10k:1:1m").value();
  int below = 0;
  int within = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double size = static_cast<double>(lognormal.draw(&random));
    EXPECT_LE(size, 1024 * 1024);
    below += size < 10'240 ? 1 : 0;
    within += std::fabs(std::log(size / 10'240)) < 1 ? 1 : 0;
  }
  EXPECT_NEAR(below, 50'000, 800);
  EXPECT_NEAR(within, 68'269, 800);  // one sigma
}

TEST(Sizes, MistakesAreTold) {
  for (const char* text :
       {"", "ten", "10g", "-5", "5-", "4k-2k", "2k:0", "2k:x", "2k,,3k", "1000m", "lognormal",
        "lognormal:10k", "lognormal:0:1", "lognormal:10k:-1", "lognormal:10k:1:2k"})
    EXPECT_FALSE(Sizes::parse(text)) << text;
}

TEST(Domains, InTurnOrByZipf) {
  conf::Random random(9);
  const Domains turn = Domains::parse("a.test,b.test", 0).value();
  EXPECT_EQ(turn.pick(1, &random), "b.test");
  EXPECT_EQ(turn.pick(2, &random), "a.test");
  const Domains zipf = Domains::parse("100", 1).value();
  std::map<std::string, int> drawn;
  for (uint64_t i = 0; i < 100'000; ++i) ++drawn[zipf.pick(i, &random)];
  const double sum = 5.187377;  // of 1/k, k from 1 to 100
  EXPECT_NEAR(drawn["d1.test"], 100'000 / sum, 600);
  EXPECT_NEAR(drawn["d2.test"], 100'000 / sum / 2, 500);
  EXPECT_NEAR(drawn["d10.test"], 100'000 / sum / 10, 250);
  EXPECT_FALSE(Domains::parse("0", 0));
  EXPECT_FALSE(Domains::parse(",", 0));
  EXPECT_FALSE(Domains::parse("a b", 0));
}

TEST(Domains, ByTheWeightsOfAFile) {
  conf::Random random(9);
  const Domains list =
      Domains::parse_file("list", "# mine\na.test 3\n\n b.test\t1e0 # rare\r\nc.test\n").value();
  std::map<std::string, int> drawn;
  for (uint64_t i = 0; i < 100'000; ++i) ++drawn[list.pick(i, &random)];
  EXPECT_EQ(list.size(), 3U);
  EXPECT_NEAR(drawn["a.test"], 60'000, 600);
  EXPECT_NEAR(drawn["b.test"], 20'000, 500);
  EXPECT_NEAR(drawn["c.test"], 20'000, 500);
  EXPECT_EQ(Domains::parse_file("list", "a.test\nx@b.test 1\nb.test  0\nc.test 1 2\n").error().detail,
            "list:2:1: 'x@b.test' is no domain\nlist:3:9: the weight behind the domain is a number above 0\n"
            "list:4:10: a line has a domain and its weight, nothing behind them");
  EXPECT_EQ(Domains::parse_file("list", "# none\n").error().detail, "list: no domain in it");
}

TEST(Content, FollowsFromTheNumberAlone) {
  LoadOptions options;
  options.prefix = "r";
  options.size = "lognormal:10k:1";
  options.domains = "1000";
  options.zipf = 1;
  const std::unique_ptr<Content> content = Content::make(options, "today").value();
  for (uint64_t number = 1; number < 200; ++number) {
    Output first;
    Output second;
    const uint64_t bytes = content->write(number, true, &first);
    content->write(number, true, &second);
    EXPECT_EQ(text_of(first), text_of(second));
    EXPECT_EQ(text_of(first).size(), bytes);
    EXPECT_NE(text_of(first).find("\r\nTo: " + content->recipient(number, 0) + "\r\n"), std::string::npos);
    EXPECT_NE(text_of(first).find("\r\nX-Load-Id: " + content->id(number) + "\r\n"), std::string::npos);
  }
}

TEST(Output, KeepsTheOrderOfItsOwnAndSharedParts) {
  const std::string shared = "SHARED";
  Output out;
  out.add("a");
  out.add_shared(shared);
  out.add("b");
  out.add("c");
  EXPECT_EQ(text_of(out), "aSHAREDbc");
  std::string rest = "aSHAREDbc";
  while (!out.empty()) {
    EXPECT_EQ(text_of(out), rest);
    EXPECT_EQ(out.size(), rest.size());
    out.consume(1);
    rest.erase(0, 1);
    if (rest == "Dbc") {
      out.add("d");
      rest += "d";
    }
  }
  EXPECT_EQ(rest, "");
}

}  // namespace
}  // namespace bench::load
