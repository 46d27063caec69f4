#include "bounce/report/text_recipients.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bounce/report/address_text.h"
#include "bounce/report/arrival_words.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/own_words.h"
#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"
#include "bounce/report/transcript.h"

namespace bounce::report {
namespace {

constexpr size_t kMostNamed = 200;  // recipients that a free text can have
constexpr int kEnough = 40;
constexpr int kCertain = 200;
constexpr size_t kLines = 2000;  // of a notice; what lies behind is not looked at
// Anybody can send a text that names addresses on every line: what is done for each is bounded as well.
constexpr size_t kMostFound = 2000;    // places where an address stands
constexpr size_t kMostAliases = 200;   // "expanded from"
constexpr size_t kLinesOfReason = 40;  // looked at behind an address, for what is said of it
constexpr size_t kLabel = 80;          // octets of a sentence that leads to an address with a colon
constexpr size_t kMostAgain = 3;       // further places of an address that are asked for a reason

struct Found {
  std::string address;
  int place = 0;  // by where it stands
  int score = 0;  // and by what is known of the address
  size_t line = 0;
  std::string rest;      // of its line, after the address
  bool arrived = false;  // the mail, at this recipient
};

// Addresses as same_address() compares them.
using Addresses = std::unordered_set<std::string>;

Addresses folded(const std::vector<std::string>& list) {
  Addresses out;
  for (const std::string& each : list) out.insert(conf::ascii_lower(each));
  return out;
}

bool speaks_of_failure(std::string_view line) {
  return notice_words().occurs(line, kSaysFailure) || notice_words().occurs(line, kSaysNews);
}

class Search {
 public:
  Search(std::string_view text, const KnownAddresses& known)
      : failed_(folded(known.failed)), returned_(folded(known.returned)), senders_(folded(known.senders)) {
    LineReader reader(text);
    std::string_view line;
    while (lines_.size() < kLines && reader.next(&line)) lines_.push_back(line);
  }

  std::vector<Recipient> run() {
    for (size_t i = 0; i < lines_.size() && found_.size() < kMostFound; ++i) look_at(i);
    return choose();
  }

 private:
  void look_at(size_t index) {
    const std::string_view line = lines_[index];
    const std::string_view bare = trimmed(line);
    if (bare.empty()) return;
    AddressSpan span;
    if (!find_address(line, 0, &span)) {
      const bool head = bare.back() == ':' || bare.back() == '-' || bare.back() == '.' ||
                        bare.back() == ',' || bare.ends_with("\xef\xbc\x9a") || bare.back() == ')' ||
                        bare.size() > 24;
      if (bare.back() == ':' || is_rule_line(bare)) arrived_ = announces_arrived(bare);
      if (head && announces_list(bare)) {
        list_until_ = index + 6;
      } else if (index < list_until_ && !is_blank(line.front())) {
        list_until_ = std::min(list_until_, index + 3);
      }
      return;
    }
    if (const size_t alias = alias_mark(bare); alias != kNowhere) return look_at_alias(index, bare, alias);
    size_t from = 0;
    for (int i = 0; i < 8 && find_address(line, from, &span); ++i) {
      weigh(index, line, from, span);
      from = span.end;
    }
  }

  // "a@b (expanded from c@d)", or the mark alone in the line below a@b.
  void look_at_alias(size_t index, std::string_view bare, size_t alias) {
    AddressSpan span;
    const size_t before = found_.size();
    const bool leads = find_address(bare.substr(0, alias), 0, &span);
    if (leads) weigh(index, bare, 0, span);
    AddressSpan original;
    if (!find_address(bare, alias, &original)) return;
    const std::string address(bare.substr(original.begin, original.end - original.begin));
    if (found_.empty()) {
      // "an undisclosed address (generated from a@b)": nobody else is named.
      Found found;
      found.address = address;
      found.place = 60;
      found.score = 60;
      found.line = index;
      found_.push_back(std::move(found));
    } else if (aliases_.size() < kMostAliases && (!leads || found_.size() > before)) {
      aliases_.emplace_back(found_.back().address, address);
    }
  }

  void weigh(size_t index, std::string_view line, size_t from, const AddressSpan& span) {
    Found found;
    found.address = std::string(line.substr(span.begin, span.end - span.begin));
    found.line = index;
    found.rest = std::string(line.substr(span.end));
    const std::string_view before = without_type(line.substr(from, span.begin - from));
    const std::string_view label = without_ends(before);
    const std::string_view after = without_ends(found.rest);
    found.place = place_score(index, before, label, after, found.rest);
    found.score = found.place + address_score(found.address);
    found.arrived = arrived_ || says_arrived(found.rest) || is_taken(index, label);
    if (found.place >= 65) list_until_ = std::max(list_until_, index + 8);
    if (found.score > 0 && found.place > 0) found_.push_back(std::move(found));
  }

  int place_score(size_t index, std::string_view before, std::string_view label, std::string_view after,
                  std::string_view rest) const {
    const bool in_list = index < list_until_;
    if (label.empty() || (label.size() <= 3 && std::all_of(label.begin(), label.end(), is_digit))) {
      const std::string_view next = rest.substr(std::min(rest.find_first_not_of("> \"')"), rest.size()));
      const bool marked = next.starts_with(":") || next.starts_with("...") || next.starts_with("(") ||
                          next.starts_with("-") || next.starts_with(";") || next.starts_with(",") ||
                          next.starts_with("\xef\xbc\x9a");
      if (marked) return in_list ? 75 : 65;
      if (after.empty()) return in_list ? 75 : 45;
      return in_list ? 55 : 40;
    }
    if (names_our_mail(label)) return colon_before(before) ? 62 : 55;
    if (names_sender(label)) return leads_to_address(label) && in_list ? 20 : -60;
    if (says_failed(label) && before.find(':') != kNowhere && label.size() < kLabel) return 60;
    const bool colon = colon_before(before);
    if (names_recipient(label)) return colon ? 70 : 55;
    size_t length = 0;
    const bool code = leading_code(label, &length) != 0 || find_code(before) != 0;
    if (contains_folded(label, "rcpt to")) return 65;
    if (goes_to_address(rest)) return 55;
    if (leads_to_address(label)) return colon && label.size() < 12 ? 62 : 50;
    if (code) return 52;
    // "Jane Doe <jane@example.com>", "Jane Doe (jane@example.com)", "Jane Doe - jane@example.com" in a list.
    const std::string_view mark = trimmed(before);
    const bool named = colon || std::string_view("<([-").find(mark.back()) != kNowhere;
    const bool name = label.find_first_of("=;/") == kNowhere;  // no X.400 address
    if (named && name && label.size() < 60 && after.size() < 60 && in_list) return 60;
    return in_list ? 38 : 25;
  }

  // "RCPT TO:<a@b>" in a session, and the reply in the line below says yes.
  bool is_taken(size_t index, std::string_view label) const {
    return contains_folded(label, "rcpt to") && index + 1 < lines_.size() &&
           says_yes(without_ends(lines_[index + 1]));
  }

  int address_score(std::string_view address) const {
    const std::string lower = conf::ascii_lower(address);
    if (failed_.count(lower) != 0) return 200;
    if (returned_.count(lower) != 0) return 25;
    if (senders_.count(lower) != 0) return -200;
    const std::string_view local = address.substr(0, address.find('@'));
    return is_service_name(local) ? -45 : 0;
  }

  std::vector<Recipient> choose() {
    int best = 0;
    int best_place = 0;
    for (const Found& found : found_) {
      best = std::max(best, found.score);
      if (found.score >= kEnough) best_place = std::max(best_place, found.place);
    }
    std::vector<Recipient> out;
    if (best < kEnough) return out;
    const bool certain = best >= kCertain;
    // Where all are said to have it, something else was meant.
    const bool any_failed = std::ranges::any_of(
        found_, [](const Found& found) { return !found.arrived && found.score >= kEnough; });
    const int floor = std::max(best_place - 24, 25);
    std::vector<Head> heads = heads_of([&](const Found& found) {
      if (certain) return found.score >= kCertain;
      return found.score >= kEnough && found.place >= floor && !(any_failed && found.arrived);
    });
    for (const Head& head : heads) {
      Recipient recipient;
      recipient.address = head.first->address;
      for (const auto& [address, original] : aliases_) {
        if (same_address(address, recipient.address)) recipient.original_address = original;
      }
      recipient.diagnostic = said_about(*head.first);
      // "To: a@b" in what is repeated of the header; further down it stands with the reason.
      if (recipient.diagnostic.empty() && repeats_header(trimmed(lines_[head.first->line]))) {
        for (const Found* again : head.again) {
          recipient.diagnostic = said_about(*again);
          if (!recipient.diagnostic.empty()) break;
        }
      }
      out.push_back(std::move(recipient));
    }
    return out;
  }

  // An address that a recipient may have, where it first counts, and some of the lines below that name it
  // too.
  struct Head {
    const Found* first = nullptr;
    std::vector<const Found*> again;
  };
  template <typename Counts>
  std::vector<Head> heads_of(const Counts& counts) const {
    std::vector<Head> heads;
    std::unordered_map<std::string, size_t> places;
    for (const Found& found : found_) {
      const auto place = places.find(conf::ascii_lower(found.address));
      if (place != places.end()) {
        Head& head = heads[place->second];
        if (found.line > head.first->line && head.again.size() < kMostAgain) head.again.push_back(&found);
      } else if (heads.size() < kMostNamed && counts(found)) {
        places.emplace(conf::ascii_lower(found.address), heads.size());
        heads.emplace_back().first = &found;
      }
    }
    return heads;
  }

  // What follows the address, up to an empty line or the next recipient.
  std::string said_about(const Found& head) const {
    constexpr size_t kMost = 2000;
    std::string out;
    std::string_view rest = head.rest;
    while (!rest.empty() && is_punctuation(rest.front()) && rest.front() != '(' && rest.front() != '[')
      rest.remove_prefix(1);
    out.append(rest);
    size_t blanks = 0;
    const size_t indent = lines_[head.line].find_first_not_of(" \t");
    const size_t end = std::min(lines_.size(), head.line + 1 + kLinesOfReason);
    for (size_t i = head.line + 1; i < end && out.size() < kMost; ++i) {
      const std::string_view bare = trimmed(lines_[i]);
      if (bare.empty()) {
        if (!trimmed(out).empty() || ++blanks > 2) break;
        continue;
      }
      // What a session said is read by itself (transcript.h).
      if (is_rule_line(bare) || names_another(i, head.address) || !session_line(lines_[i]).empty()) break;
      // After a gap only what is indented deeper, or speaks in codes, still belongs to it.
      const size_t depth = lines_[i].find_first_not_of(" \t");
      if (repeats_header(bare)) continue;
      if (blanks > 0 && trimmed(out).empty() && depth <= indent && find_code(bare) == 0 &&
          find_status(bare).empty() && !speaks_of_failure(bare))
        break;
      out.append(" ").append(bare);
    }
    return one_line(out);
  }

  // Whether the line names another recipient. found_ is in the order of the lines.
  bool names_another(size_t line, std::string_view address) const {
    auto found = std::lower_bound(found_.begin(), found_.end(), line,
                                  [](const Found& each, size_t wanted) { return each.line < wanted; });
    for (; found != found_.end() && found->line == line; ++found) {
      if (found->score >= 60 && !same_address(found->address, address)) return true;
    }
    const std::string_view name = local_name(lines_[line]);
    return !name.empty() && !equal_ignoring_case(name, address.substr(0, address.rfind('@')));
  }

  const Addresses failed_, returned_, senders_;
  std::vector<std::string_view> lines_;
  std::vector<Found> found_;
  std::vector<std::pair<std::string, std::string>> aliases_;
  size_t list_until_ = 0;
  bool arrived_ = false;  // those of the present list have the mail
};

}  // namespace

std::vector<Recipient> recipients_in_text(std::string_view text, const KnownAddresses& known) {
  std::vector<Recipient> out = Search(text, known).run();
  if (known.failed.empty()) return out;
  Addresses there;
  for (const Recipient& each : out) there.insert(conf::ascii_lower(each.address));
  for (const std::string& address : known.failed) {
    if (there.insert(conf::ascii_lower(address)).second) out.emplace_back().address = address;
  }
  return out;
}

}  // namespace bounce::report
