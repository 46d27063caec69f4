#include "relay/uv/question_case.h"

#include <gtest/gtest.h>
#include <strings.h>

#include <set>

namespace relay::uv {
namespace {

std::string answer_to(const std::string& name) {
  std::string raw(12, '\0');
  for (size_t at = 0; at < name.size();) {
    const size_t dot = std::min(name.find('.', at), name.size());
    raw += static_cast<char>(dot - at);
    raw += name.substr(at, dot - at);
    at = dot + 1;
  }
  return raw + std::string("\0\0\x0f\0\x01", 5);
}

TEST(QuestionCase, ChangesTheCaseAndNothingElse) {
  const std::string name = "mx-1.a-long-name.example-domain.test";
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string mixed = with_random_case(name);
    EXPECT_EQ(strcasecmp(mixed.c_str(), name.c_str()), 0);
    seen.insert(mixed);
  }
  EXPECT_GT(seen.size(), 40U);  // 29 letters: the same twice is next to impossible
}

TEST(QuestionCase, ComparesTheEcho) {
  EXPECT_EQ(echo_of(answer_to("eXample.Test"), "eXample.Test"), Echo::kSame);
  EXPECT_EQ(echo_of(answer_to("eXample.Test"), "eXample.Test."), Echo::kSame);
  EXPECT_EQ(echo_of(answer_to("example.test"), "eXample.Test"), Echo::kOtherCase);
  EXPECT_EQ(echo_of(answer_to("other.test"), "eXample.Test"), Echo::kNone);
  EXPECT_EQ(echo_of(std::string(12, '\0') + "\x3f", "a.test"), Echo::kNone);
  EXPECT_EQ(echo_of("", "a.test"), Echo::kNone);
}

}  // namespace
}  // namespace relay::uv
