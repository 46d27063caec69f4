#include "bounce/report/text_recipients.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"
#include "bounce/report/transcript.h"

namespace bounce::report {
namespace {

constexpr size_t kMostNamed = 200;  // recipients that a free text can have
constexpr int kEnough = 40;
constexpr int kCertain = 200;
constexpr size_t kLines = 2000;  // of a notice; what lies behind is not looked at

struct Found {
  std::string address;
  int place = 0;  // by where it stands
  int score = 0;  // and by what is known of the address
  size_t line = 0;
  std::string rest;  // of its line, after the address
};

bool among(const std::vector<std::string>& list, std::string_view address) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& each) { return same_address(each, address); });
}

bool is_punctuation(char c) {
  return c == ' ' || c == '\t' || c == '<' || c == '>' || c == '"' || c == '\'' || c == '(' || c == ')' ||
         c == '[' || c == ']' || c == '*' || c == '-' || c == '.' || c == ',' || c == ';' || c == ':' ||
         c == '=' || c == '`' || c == '|' || c == '+' || c == '#';
}

std::string_view without_ends(std::string_view text) {
  while (!text.empty() && is_punctuation(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_punctuation(text.back())) text.remove_suffix(1);
  return text;
}

bool ends_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size() || !equal_ignoring_case(text.substr(text.size() - word.size()), word))
    return false;
  if (text.size() == word.size() || static_cast<signed char>(word.front()) < 0) return true;
  const char before = text[text.size() - word.size() - 1];
  return !is_letter(before) && !is_digit(before);
}

// "SMTP:", "rfc822;" and "mailto:" right before an address say nothing about
// it.
std::string_view without_type(std::string_view before) {
  constexpr std::array<std::string_view, 5> kTypes = {"smtp:", "rfc822;", "rfc822:", "mailto:", "smtp%3a"};
  for (const std::string_view type : kTypes) {
    if (before.size() < type.size()) continue;
    if (equal_ignoring_case(before.substr(before.size() - type.size()), type))
      return before.substr(0, before.size() - type.size());
  }
  return before;
}

template <size_t N>
bool ends_with_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return ends_with_word(text, word); });
}

template <size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains_folded(text, word); });
}

// Words right before an address that say who it is.
constexpr std::array<std::string_view, 34> kRecipientLabels = {"recipient",
                                                               "recipients",
                                                               "recipient(s)",
                                                               "rcpt to",
                                                               "rcpt",
                                                               "error-for",
                                                               "failed recipient",
                                                               "user",
                                                               "unknown user",
                                                               "mailbox",
                                                               "address",
                                                               "addressee",
                                                               "destination",
                                                               "destinataire",
                                                               "destinataires",
                                                               "empfänger",
                                                               "an den empfänger",
                                                               "destinatario",
                                                               "destinatarios",
                                                               "destinatário",
                                                               "ontvanger",
                                                               "odbiorca",
                                                               "adresat",
                                                               "получатель",
                                                               "кому",
                                                               "адресат",
                                                               "宛先",
                                                               "受信者",
                                                               "收件人",
                                                               "收件者",
                                                               "수신자",
                                                               "받는사람",
                                                               "받는 사람",
                                                               "final-recipient"};
constexpr std::array<std::string_view, 24> kToWords = {
    "to",    "for",    "reach",  "deliver",  "an",     "à",         "para", "a",
    "aan",   "do",     "для",    "на адрес", "адресу", "following", "by",   "account",
    "alias", "person", "e-mail", "email",    "und",    "and",       "pour", "id"};
constexpr std::array<std::string_view, 44> kSenderLabels = {"from",
                                                            "mail from",
                                                            "sender",
                                                            "contact",
                                                            "please",
                                                            "help",
                                                            "assistance",
                                                            "reply-to",
                                                            "reply to",
                                                            "return-path",
                                                            "envelope-sender",
                                                            "envelope from",
                                                            "write to",
                                                            "mail to",
                                                            "message to",
                                                            "visit",
                                                            "von",
                                                            "absender",
                                                            "de",
                                                            "expéditeur",
                                                            "remitente",
                                                            "remetente",
                                                            "mittente",
                                                            "da",
                                                            "afzender",
                                                            "van",
                                                            "nadawca",
                                                            "od",
                                                            "отправитель",
                                                            "от",
                                                            "差出人",
                                                            "送信者",
                                                            "发件人",
                                                            "寄件者",
                                                            "보낸사람",
                                                            "message-id",
                                                            "message id",
                                                            "forward",
                                                            "support",
                                                            "administrator",
                                                            "postmaster",
                                                            "<mailto",
                                                            "mailto",
                                                            "http"};
constexpr std::array<std::string_view, 8> kAliasMarks = {
    "generated from", "expanded from",  "originally addressed to", "original recipient",
    "alias of",       "forwarded from", "originally to",           "was originally"};
// A line that ends so announces the recipients in the lines below it.
constexpr std::array<std::string_view, 34> kListHeads = {
    "address",     "recipient",  "deliver",   "fail",      "reach",     "user",     "receive",
    "destination", "mailbox",    "undeliver", "error",     "unable",    "destinat", "adresse",
    "empfänger",   "zugestellt", "remis",     "entreg",    "recapit",   "consegn",  "bezorg",
    "afgeleverd",  "adresat",    "dostarcz",  "получател", "доставлен", "адрес",    "宛先",
    "アドレス",    "配信",       "收件人",    "地址",      "投递",      "수신"};
constexpr std::array<std::string_view, 12> kServiceNames = {
    "postmaster", "mailer-daemon", "abuse",    "support", "helpdesk",      "hostmaster",
    "webmaster",  "noreply",       "no-reply", "admin",   "administrator", "mail-daemon"};

// "Invalid final delivery userid: a@b", "Delivery failed 20 attempts: a@b".
constexpr std::array<std::string_view, 9> kFailedWords = {"fail",        "invalid",   "undeliver",
                                                          "not deliver", "unknown",   "userid",
                                                          "not found",   "could not", "unable to"};

class Search {
 public:
  Search(std::string_view text, const KnownAddresses& known) : known_(known) {
    LineReader reader(text);
    std::string_view line;
    while (lines_.size() < kLines && reader.next(&line)) lines_.push_back(line);
  }

  std::vector<Recipient> run() {
    for (size_t i = 0; i < lines_.size(); ++i) look_at(i);
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
      if (head && contains_any(bare, kListHeads)) {
        list_until_ = index + 6;
      } else if (index < list_until_ && !is_blank(line.front())) {
        list_until_ = std::min(list_until_, index + 3);
      }
      return;
    }
    if (const size_t alias = alias_mark(bare); alias != kNowhere) {
      AddressSpan original;
      if (!found_.empty() && find_address(bare, alias, &original)) {
        aliases_.emplace_back(found_.back().address,
                              std::string(bare.substr(original.begin, original.end - original.begin)));
        if (!find_address(bare.substr(0, alias), 0, &span)) return;
      } else if (!found_.empty()) {
        return;
      } else if (find_address(bare, alias, &original)) {
        // "an undisclosed address (generated from a@b)": nobody else is named.
        Found found;
        found.address = std::string(bare.substr(original.begin, original.end - original.begin));
        found.place = 60;
        found.score = 60;
        found.line = index;
        found_.push_back(std::move(found));
        return;
      }
    }
    size_t from = 0;
    for (int i = 0; i < 8 && find_address(line, from, &span); ++i) {
      weigh(index, line, from, span);
      from = span.end;
    }
  }

  static size_t alias_mark(std::string_view bare) {
    for (const std::string_view mark : kAliasMarks) {
      const size_t at = find_folded(bare, mark);
      if (at != kNowhere) return at;
    }
    return kNowhere;
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
    if (ends_with_any(label, kSenderLabels)) return ends_with_any(label, kToWords) && in_list ? 20 : -60;
    if (contains_any(label, kFailedWords) && before.find(':') != kNowhere && label.size() < 48) return 60;
    const bool colon = before.find_last_of(":=") != kNowhere || before.find("\xef\xbc\x9a") != kNowhere;
    if (ends_with_any(label, kRecipientLabels)) return colon ? 70 : 55;
    size_t length = 0;
    const bool code = leading_code(label, &length) != 0 || find_code(before) != 0;
    if (contains_folded(label, "rcpt to")) return 65;
    if (ends_with_any(label, kToWords)) return colon && label.size() < 12 ? 62 : 50;
    if (code) return 52;
    // "Jane Doe <jane@example.com>" in a list.
    if (before.ends_with("<") && label.size() < 60 && after.size() < 60 && in_list) return 60;
    return in_list ? 38 : 25;
  }

  int address_score(std::string_view address) const {
    if (among(known_.failed, address)) return 200;
    if (among(known_.returned, address)) return 25;
    if (among(known_.senders, address)) return -200;
    const std::string_view local = address.substr(0, address.find('@'));
    const bool service = std::any_of(kServiceNames.begin(), kServiceNames.end(),
                                     [&](std::string_view name) { return equal_ignoring_case(local, name); });
    return service ? -45 : 0;
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
    const int floor = std::max(best_place - 24, 25);
    std::vector<const Found*> heads;
    for (const Found& found : found_) {
      if (certain ? found.score < kCertain : found.score < kEnough || found.place < floor) continue;
      const bool again = std::any_of(heads.begin(), heads.end(), [&](const Found* each) {
        return same_address(each->address, found.address);
      });
      if (!again) heads.push_back(&found);
      if (heads.size() == kMostNamed) break;
    }
    for (const Found* head : heads) {
      Recipient recipient;
      recipient.address = head->address;
      for (const auto& [address, original] : aliases_) {
        if (same_address(address, recipient.address)) recipient.original_address = original;
      }
      recipient.diagnostic = said_about(*head);
      out.push_back(std::move(recipient));
    }
    return out;
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
    for (size_t i = head.line + 1; i < lines_.size() && out.size() < kMost; ++i) {
      const std::string_view bare = trimmed(lines_[i]);
      if (bare.empty()) {
        if (!trimmed(out).empty() || ++blanks > 2) break;
        continue;
      }
      const bool other = std::any_of(found_.begin(), found_.end(), [&](const Found& found) {
        return found.line == i && found.score >= 60 && !same_address(found.address, head.address);
      });
      const bool rule = bare.starts_with("----") || bare.starts_with("====") || bare.starts_with("____");
      if (other || rule) break;
      // After a gap only what is indented deeper, or speaks in codes, still
      // belongs to it.
      const size_t depth = lines_[i].find_first_not_of(" \t");
      if (blanks > 0 && depth <= indent && find_code(bare) == 0 && find_status(bare).empty() &&
          !notice_words().occurs(bare, kSaysFailure))
        break;
      out.append(" ").append(bare);
    }
    return one_line(out);
  }

  const KnownAddresses& known_;
  std::vector<std::string_view> lines_;
  std::vector<Found> found_;
  std::vector<std::pair<std::string, std::string>> aliases_;
  size_t list_until_ = 0;
};

}  // namespace

std::vector<Recipient> recipients_in_text(std::string_view text, const KnownAddresses& known) {
  std::vector<Recipient> out = Search(text, known).run();
  for (const std::string& address : known.failed) {
    const bool there = std::any_of(
        out.begin(), out.end(), [&](const Recipient& each) { return same_address(each.address, address); });
    if (!there) out.emplace_back().address = address;
  }
  return out;
}

}  // namespace bounce::report
