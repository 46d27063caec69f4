// From a reply to its meaning. A Qualifier is a snapshot: immutable, shared between threads by shared_ptr,
// and replaced as a whole when rules or rows change. Certain words outrank codes; where they contradict each
// other the more careful reading wins, so that no text that speaks of us, of our pace or of our message is
// ever Hard.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bounce/qualification.h"
#include "bounce/reply.h"
#include "bounce/reply_rule.h"

namespace bounce {

class RuleSet;

// One refusal and where it was met. The views and the reply must outlive the call only.
struct Occasion {
  Stage stage = Stage::kUnknown;
  const Reply* reply = nullptr;
  std::string_view mx_host = {};           // the host that spoke; lower case; may be empty
  std::string_view recipient_domain = {};  // lower case; may be empty
  std::string_view source = {};            // name of our source; may be empty
  std::string_view local_part = {};        // of the recipient: it may stand bare in the reply; may be empty
  bool anywhere = false;    // stage, host, domain and source are not known: rules that name them fit
  bool smart_host = false;  // it relays for us: its word about permission is about our account
};

// What an operator decided of a text, by the key of its template.
struct RowVerdict {
  uint64_t row = 0;
  Reason reason = Reason::kNotDefined;
  ErrorType type = ErrorType::kSoft;  // kIgnored: it never counts against anybody
  Scope scope = Scope::kMessage;
};

// How a text is treated that nothing reads.
struct Unread {
  ErrorType type = ErrorType::kSoft;  // kIgnored for the cautious: it counts against nobody
  bool fail_if_permanent = false;     // a 5yz ends the mail
};

class Qualifier {
 public:
  // The rules that come with the program and nothing else; made once.
  static std::shared_ptr<const Qualifier> shipped();
  // Verdicts on rows stand before local rules, and those before the shipped ones; all lists may be empty.
  static std::shared_ptr<const Qualifier> make(std::vector<ReplyRule> local, std::vector<ReplyRule> shipped,
                                               const std::vector<RowVerdict>& rows = {}, Unread unread = {});

  Qualifier(std::unique_ptr<const RuleSet> rules, const std::vector<RowVerdict>& rows, Unread unread);
  ~Qualifier();
  Qualifier(const Qualifier&) = delete;
  Qualifier& operator=(const Qualifier&) = delete;

  // A positive reply is Ignored. `code` 0 is the network's, or at Stage::kUnknown a diagnostic without a
  // code, whose text is read all the same. Any thread. What always holds: a 4yz is never Hard; Hard is always
  // about the recipient; before MAIL nothing is about a recipient, and at MAIL the address that is refused is
  // the sender's.
  Qualification qualify(const Occasion& occasion) const;
  // The same for who has the template of the reply already (bounce/text_template.h).
  Qualification qualify(const Occasion& occasion, std::string_view text_template) const;
  const RuleSet& rules() const { return *rules_; }

 private:
  Qualification read(const Occasion& occasion, std::string_view text_template) const;

  std::unique_ptr<const RuleSet> rules_;
  std::unordered_map<uint64_t, RowVerdict> rows_;
  Unread unread_;
};

// What the shipped rules say.
Qualification qualify(Stage stage, const Reply& reply);

}  // namespace bounce
