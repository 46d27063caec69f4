// The rules that postmasters write, and the replies that receivers write.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bounce/classification.h"
#include "bounce/reply_rule.h"
#include "bounce/text_template.h"
#include "conf/vocab/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\x1e');  // rules, then replies
  std::vector<conf::Problem> problems;
  std::vector<bounce::ReplyRule> rules =
      bounce::parse_reply_rules(input.substr(0, end), "fuzz.toml", &problems);
  if (!problems.empty()) rules.clear();
  const std::shared_ptr<const bounce::Qualifier> qualifier = bounce::Qualifier::make(std::move(rules), {});
  static const std::shared_ptr<const bounce::Qualifier> shipped = bounce::Qualifier::shipped();
  for (const bounce::Qualifier* each : {qualifier.get(), shipped.get()}) {
    bounce::Classifier classifier(each, {});
    std::string answer;
    classifier.append(end == std::string_view::npos ? input : input.substr(end + 1), &answer);
    CHECK(answer.size() > 2 && answer.find('\n') == answer.size() - 1);
  }
  const std::string text = bounce::text_template(input);
  CHECK(text.size() < 8000);
  return 0;
}
