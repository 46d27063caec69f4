// A reply rule as it stands in a file: which refusals it reads, and what they mean. Rules are tried in order,
// the first that fits decides.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bounce/qualification.h"
#include "bounce/reply.h"
#include "conf/config_parser.h"

namespace bounce {

// "552", "5xx", "45x"
struct CodeMask {
  std::array<int8_t, 3> digits{-1, -1, -1};  // -1: any
  static std::optional<CodeMask> parse(std::string_view text);
  bool fits(uint16_t code) const;
};

// "5.2.2", "x.2.2", "5.7.*", "5.7.600-649" (RFC 3463 §2)
struct StatusMask {
  int klass = -1;    // -1: any
  int subject = -1;  // -1: any
  uint16_t least = 0, most = 999;
  static std::optional<StatusMask> parse(std::string_view text);
  bool fits(const EnhancedStatus& status) const;
};

struct ReplyRule {
  std::string name;
  std::string file;
  int line = 0;
  bool shipped = false;

  // Each list that is not empty must have a member that fits.
  // RE2, against the folded text (bounce/fold.h), lists of words written out (bounce/word_lists.h).
  std::vector<std::string> text;
  std::vector<CodeMask> codes;
  std::vector<StatusMask> statuses;
  std::vector<std::string> mx, domains, sources;  // masks with '*' and '?'
  uint32_t stages = 0;                            // bits by Stage; 0: any
  std::vector<std::string> not_text;              // none of these may match
  bool without_status = false;                    // only replies that have no enhanced status

  ErrorType type = ErrorType::kSoft;
  Reason reason = Reason::kUnreachable;
  Scope scope = Scope::kRecipient;
  Pace pace = Pace::kUnsaid;
  Act act = Act::kNone;
  conf::Duration act_for{0};
  bool final_if_permanent = false;  // act kFail for a 5yz, nothing for a 4yz
  bool guess = false;               // its texts stay To qualify: a person should read them

  struct Example {
    std::string reply;  // "550 5.1.1 text"
    int line = 0, column = 1;
  };
  std::vector<Example> match, no_match;
};

// '*' any run, '?' one octet; case of ASCII letters does not matter.
bool fits_mask(std::string_view mask, std::string_view text);

// Every [[reply]] that could be read; `problems` gets file, line and column of what is wrong. Rules without a
// name or with one that was taken are wrong, so are expressions that RE2 refuses.
std::vector<ReplyRule> parse_reply_rules(std::string_view text, const std::string& file,
                                         std::vector<conf::Problem>* problems);

// The same for a configuration of the relay, whose other sections are somebody else's to read.
std::vector<ReplyRule> parse_own_reply_rules(std::string_view text, const std::string& file,
                                             std::vector<conf::Problem>* problems);

// The rules compiled into the program, in their order. Their files are named "NAME.toml (shipped)".
const std::vector<ReplyRule>& shipped_reply_rules();

struct ShippedFile {
  const char* name;
  std::string_view text;
};
// bounce/rules/*.toml as they were when the program was built.
const std::vector<ShippedFile>& shipped_rule_files();
// bounce/rules/words.toml: the [[words]] that the expressions of every file may name.
const ShippedFile& shipped_words();

}  // namespace bounce
