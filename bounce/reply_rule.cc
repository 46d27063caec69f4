#include "bounce/reply_rule.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "bounce/fold.h"
#include "bounce/word_lists.h"
#include "conf/document.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/check.h"

namespace bounce {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > 999)
    return std::nullopt;
  return value;
}

bool any(std::string_view text) { return text == "x" || text == "X" || text == "*"; }

template <typename Mask>
void read_masks(conf::Section* section, const char* key, const char* form, std::vector<Mask>* out) {
  std::vector<std::string> texts;
  if (!section->texts(key, &texts)) return;
  for (const std::string& text : texts) {
    if (const std::optional<Mask> mask = Mask::parse(text)) {
      out->push_back(*mask);
    } else {
      section->report(key, "\"" + text + "\" is not a mask such as " + form);
    }
  }
}

RE2::Options options() {
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_max_mem(1 << 20);
  return options;
}

// Whether an expression may fit it, and so every text: one of a rule may not, a word may be one to leave out.
enum class EmptyText : uint8_t { kRefused, kAllowed };

// Checks them as they will be used; what RE2 refuses is left out.
void read_expressions(conf::Section* section, const char* key, const WordLists& words, EmptyText empty,
                      std::vector<std::string>* out) {
  std::vector<std::string> texts;
  if (!section->texts(key, &texts)) return;
  for (const std::string& text : texts) {
    conf::Result<std::string> whole = words.expand(text);
    if (!whole.ok()) {
      section->report(key, whole.error().detail);
      continue;
    }
    const RE2 expression(fold_pattern(*whole), options());
    if (!expression.ok()) {
      section->report(key, "\"" + text + "\" is not a regular expression: " + expression.error());
    } else if (empty == EmptyText::kRefused && RE2::PartialMatch("", expression)) {
      section->report(key, "\"" + text + "\" fits every text, even an empty one");
    } else {
      out->push_back(*std::move(whole));
    }
  }
}

void read_stages(conf::Section* section, uint32_t* out) {
  std::vector<std::string> words;
  if (!section->texts("stage", &words)) return;
  for (const std::string& word : words) {
    bool found = false;
    for (int i = 0; i <= static_cast<int>(Stage::kLogin); ++i) {
      if (word != to_text(static_cast<Stage>(i))) continue;
      *out |= 1U << i;
      found = true;
    }
    if (!found)
      section->report("stage",
                      "\"" + word +
                          "\" is no stage: dns, connect, greeting, ehlo, tls, login, mail, rcpt, data, dot, "
                          "local, unknown");
  }
}

void read_meaning(conf::Section* section, ReplyRule* rule) {
  std::string reason;
  if (section->text("reason", &reason)) {
    const std::optional<Reason> found = parse_reason(reason);
    if (!found) section->report("reason", "\"" + reason + "\" is no reason, such as \"user-unknown\"");
    rule->reason = found.value_or(Reason::kNotDefined);
  } else if (!section->has("reason")) {
    section->report("reason", "is missing: say what the refusal means, such as reason = \"mailbox-full\"");
  }
  size_t word = 0;
  const bool typed = section->choice("type", {"hard", "soft", "ignored"}, &word);
  if (typed) rule->type = static_cast<ErrorType>(word);
  if (!typed && !section->has("type"))
    section->report("type", "is missing: \"hard\", \"soft\" or \"ignored\"");
  const bool scoped =
      section->choice("scope", {"recipient", "message", "connection", "site", "sender"}, &word);
  if (scoped) rule->scope = static_cast<Scope>(word);
  if (!scoped && !section->has("scope"))
    section->report(
        "scope",
        "is missing: who is meant, \"recipient\", \"message\", \"connection\", \"site\" or \"sender\"");
  if (rule->type == ErrorType::kHard && rule->scope != Scope::kRecipient)
    section->report("type",
                    "\"hard\" says that the address is not there, so the scope must be \"recipient\"; "
                    "to end the mail at once say act = \"fail\"");
  if (section->choice("pace", {"unsaid", "slower", "same"}, &word)) rule->pace = static_cast<Pace>(word);
}

void read_act(conf::Section* section, ReplyRule* rule) {
  size_t word = 0;
  if (section->choice("act",
                      {"none", "slow", "pause", "block", "source-off", "next-host", "defer", "fail", "hold",
                       "fail-if-permanent"},
                      &word)) {
    rule->final_if_permanent = word == 9;
    rule->act = word == 9 ? Act::kNone : static_cast<Act>(word);
  }
  section->duration("for", &rule->act_for, conf::Duration(std::chrono::seconds(1)));
  const bool timed = rule->act == Act::kPause || rule->act == Act::kBlock || rule->act == Act::kSourceOff ||
                     rule->act == Act::kDefer;
  if (section->has("for") && !timed)
    section->report("for", "goes with act = \"pause\", \"block\", \"source-off\" or \"defer\"");
  if (timed && !section->has("for"))
    section->report("act", "needs a time in the same rule, such as for = \"30m\"");
}

void read_examples(conf::Section* section, const char* key, std::vector<ReplyRule::Example>* out) {
  std::vector<std::string> texts;
  std::vector<conf::Section::Place> places;
  if (!section->texts(key, &texts, &places)) return;
  for (size_t i = 0; i < texts.size(); ++i)
    out->push_back({std::move(texts[i]), places[i].line, places[i].column});
}

// RFC 5321 §4.2.1: a 4yz says that it may pass; no rule makes it Hard.
bool only_4yz(const ReplyRule& rule) {
  return !rule.codes.empty() &&
         std::ranges::all_of(rule.codes, [](const CodeMask& mask) { return mask.digits[0] == 4; });
}

// [[words]]: lists that the expressions of this file may name, and the lists below them. `shared`: those of
// every file, or null.
WordLists read_words(conf::Section* root, const WordLists* shared) {
  WordLists lists(shared);
  for (conf::Section& section : root->sections("words", "[[words]]")) {
    std::string name;
    std::vector<std::string> words;
    if (!section.text("name", &name) && !section.has("name"))
      section.report("name", "is missing: expressions use the list as {name}");
    if (!section.has("any"))
      section.report("any", "is missing: the words, such as any = [\"user\", \"mailbox\"]");
    read_expressions(&section, "any", lists, EmptyText::kAllowed, &words);
    if (!name.empty() && !WordLists::is_name(name)) {
      section.report("name", "\"" + name + "\" is not made of small letters, digits and '-', a letter first");
    } else if (!name.empty() && !lists.add(name, words)) {
      section.report("name", "\"" + name + "\" is the name of a list above: each needs its own");
    }
    section.finish();
  }
  return lists;
}

const WordLists& shared_words() {
  static const WordLists lists = [] {
    conf::Document document(shipped_words().text, shipped_words().name);
    conf::Section root = document.root();
    WordLists read = read_words(&root, nullptr);
    CHECK(document.problems().empty());
    return read;
  }();
  return lists;
}

ReplyRule read_rule(conf::Section section, const std::string& file, const WordLists& words) {
  ReplyRule rule;
  rule.file = file;
  rule.line = section.line();
  if (!section.text("name", &rule.name) && !section.has("name"))
    section.report("name", "is missing: the delivery log says by it which rule decided");
  read_expressions(&section, "text", words, EmptyText::kRefused, &rule.text);
  read_expressions(&section, "not_text", words, EmptyText::kRefused, &rule.not_text);
  read_masks(&section, "code", "\"552\" or \"5xx\"", &rule.codes);
  read_masks(&section, "status", "\"5.2.2\", \"x.7.1\", \"5.7.*\" or \"5.7.600-649\"", &rule.statuses);
  section.flag("without_status", &rule.without_status);
  section.flag("guess", &rule.guess);
  section.texts("mx", &rule.mx);
  section.texts("domains", &rule.domains);
  section.texts("sources", &rule.sources);
  read_stages(&section, &rule.stages);
  const bool says_when = section.has("text") || section.has("code") || section.has("status") ||
                         section.has("mx") || section.has("domains") || section.has("sources") ||
                         section.has("stage");
  if (!says_when)
    section.report("name", "the rule would fit every refusal: give it a text, a code or a status");
  read_meaning(&section, &rule);
  if (rule.type == ErrorType::kHard && only_4yz(rule))
    section.report("type", "a 4yz is never \"hard\"; to end the mail at once say act = \"fail\"");
  if (rule.guess && rule.type == ErrorType::kHard)
    section.report("guess", "a guess is never \"hard\": nobody has read the text yet");
  read_act(&section, &rule);
  read_examples(&section, "match", &rule.match);
  read_examples(&section, "no_match", &rule.no_match);
  section.finish();
  return rule;
}

}  // namespace

std::optional<CodeMask> CodeMask::parse(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  CodeMask mask;
  for (size_t i = 0; i < 3; ++i) {
    if (any(text.substr(i, 1))) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    mask.digits[i] = static_cast<int8_t>(text[i] - '0');
  }
  return mask;
}

bool CodeMask::fits(uint16_t code) const {
  const std::array<int, 3> shown = {code / 100, code / 10 % 10, code % 10};
  for (size_t i = 0; i < 3; ++i) {
    if (digits[i] >= 0 && digits[i] != shown[i]) return false;
  }
  return true;
}

std::optional<StatusMask> StatusMask::parse(std::string_view text) {
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view parts[] = {text.substr(0, first), text.substr(first + 1, second - first - 1),
                                    text.substr(second + 1)};
  StatusMask mask;
  for (const auto& [part, field] : {std::pair(parts[0], &mask.klass), std::pair(parts[1], &mask.subject)}) {
    if (any(part)) continue;
    const std::optional<int> value = number(part);
    if (!value) return std::nullopt;
    *field = *value;
  }
  if (any(parts[2])) return mask;
  const size_t dash = parts[2].find('-');
  const std::optional<int> least = number(parts[2].substr(0, dash));
  const std::optional<int> most = dash == std::string_view::npos ? least : number(parts[2].substr(dash + 1));
  if (!least || !most || *most < *least) return std::nullopt;
  mask.least = static_cast<uint16_t>(*least);
  mask.most = static_cast<uint16_t>(*most);
  return mask;
}

bool StatusMask::fits(const EnhancedStatus& status) const {
  return status.present() && (klass < 0 || klass == status.klass) &&
         (subject < 0 || subject == status.subject) && status.detail >= least && status.detail <= most;
}

bool fits_mask(std::string_view mask, std::string_view text) {
  size_t m = 0, t = 0, star = std::string_view::npos, back = 0;
  while (t < text.size()) {
    if (m < mask.size() && mask[m] == '*') {
      star = m++;
      back = t;
    } else if (m < mask.size() &&
               (mask[m] == '?' || conf::ascii_lower(mask[m]) == conf::ascii_lower(text[t]))) {
      ++m;
      ++t;
    } else if (star != std::string_view::npos) {
      m = star + 1;
      t = ++back;
    } else {
      return false;
    }
  }
  while (m < mask.size() && mask[m] == '*') ++m;
  return m == mask.size();
}

namespace {

// `whole`: nothing else may stand in the text.
std::vector<ReplyRule> read_reply_rules(std::string_view text, const std::string& file, bool whole,
                                        std::vector<conf::Problem>* problems) {
  std::vector<ReplyRule> rules;
  std::set<std::string> names;
  conf::Document document(text, file);
  conf::Section root = document.root();
  const WordLists words = read_words(&root, &shared_words());
  for (conf::Section& section : root.sections("reply", "[[reply]]")) {
    std::string name;
    section.text("name", &name);
    if (!name.empty() && !names.insert(name).second)
      section.report("name", "\"" + name + "\" is the name of a rule above: each needs its own");
    rules.push_back(read_rule(std::move(section), file, words));
  }
  if (whole) root.finish();
  const std::vector<conf::Problem> found = document.problems();
  problems->insert(problems->end(), found.begin(), found.end());
  return rules;
}

}  // namespace

std::vector<ReplyRule> parse_reply_rules(std::string_view text, const std::string& file,
                                         std::vector<conf::Problem>* problems) {
  return read_reply_rules(text, file, true, problems);
}

std::vector<ReplyRule> parse_own_reply_rules(std::string_view text, const std::string& file,
                                             std::vector<conf::Problem>* problems) {
  return read_reply_rules(text, file, false, problems);
}

const std::vector<ReplyRule>& shipped_reply_rules() {
  static const std::vector<ReplyRule> rules = [] {
    std::vector<ReplyRule> all;
    for (const ShippedFile& file : shipped_rule_files()) {
      std::vector<conf::Problem> problems;
      std::vector<ReplyRule> some =
          parse_reply_rules(file.text, std::string(file.name) + " (shipped)", &problems);
      CHECK(problems.empty());
      for (ReplyRule& rule : some) {
        rule.shipped = true;
        all.push_back(std::move(rule));
      }
    }
    return all;
  }();
  return rules;
}

}  // namespace bounce
