#include "bounce/phrases.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "bounce/qualifier.h"

namespace bounce {
namespace {

constexpr size_t kTextBound = 1000;  // what follows is addresses of web pages and boilerplate
constexpr size_t kAfterReach = 80;

constexpr Scope kRecipient = Scope::kRecipient;
constexpr Scope kMessage = Scope::kMessage;
constexpr Scope kConnection = Scope::kConnection;
constexpr Scope kSite = Scope::kSite;
constexpr Scope kSender = Scope::kSender;
constexpr Pace kUnsaid = Pace::kUnsaid;
constexpr Pace kSlower = Pace::kSlower;
constexpr Pace kSame = Pace::kSame;
constexpr bool kCertain = true;
constexpr bool kVague = false;

constexpr Phrase kPhrases[] = {
    // Greylisting asks for a second visit, whoever we are.
    {"greylist", nullptr, kCertain, kMessage, kSame},
    {"graylist", nullptr, kCertain, kMessage, kSame},
    {"grey listed", nullptr, kCertain, kMessage, kSame},
    {"gray listed", nullptr, kCertain, kMessage, kSame},
    // A connection that was left open.
    {"idle", "timeout|time out|timed out|too long|connection", kCertain, kConnection, kSame},
    {"timeout", "exceeded|waiting|idle|closing", kCertain, kConnection, kSame},
    {"timed out", "waiting|idle|closing", kCertain, kConnection, kSame},
    // The mailbox: full, or itself too busy. Before the words about rates and quotas of ours.
    {"mailbox", "full|quota|exceeded|size limit|over its limit", kCertain, kRecipient, kSame},
    {"user", "over quota|is over|quota exceeded|out of space", kCertain, kRecipient, kSame},
    {"recipient", "over quota|quota exceeded|out of space|storage", kCertain, kRecipient, kSame},
    {"account", "over quota|quota exceeded|out of space|is full", kCertain, kRecipient, kSame},
    {"inbox", "full", kCertain, kRecipient, kSame},
    {"quota exceeded", "mailbox|user|recipient", kCertain, kRecipient, kSame},
    {"over quota", nullptr, kCertain, kRecipient, kSame},
    {"overquota", nullptr, kCertain, kRecipient, kSame},
    {"receiving mail", "rate|quickly|fast", kCertain, kRecipient, kSame},
    // Their system.
    {"insufficient", "storage|disk|space|resources", kCertain, kSite, kSame},
    {"disk", "full|quota|space", kCertain, kSite, kSame},
    {"out of", "disk|space|storage|memory", kCertain, kSite, kSame},
    {"no space left", nullptr, kCertain, kSite, kSame},
    // Our pace.
    {"too many recipients", "hour|minute|day|second|period|recently", kCertain, kSender, kSlower},
    {"too many recipients", nullptr, kCertain, kConnection, kUnsaid},
    {"too many", "invalid|unknown|bad|failed|error|hops|received|headers|attachments", kVague, kSender,
     kUnsaid},
    {"too many", "connection|session|message|mail|email|concurrent|transaction|attempt|request|deliver",
     kCertain, kSender, kSlower},
    {"rate limit", nullptr, kCertain, kSender, kSlower},
    {"ratelimit", nullptr, kCertain, kSender, kSlower},
    {"rate", "exceed|too high|unusual|limited|control", kCertain, kSender, kSlower},
    {"exceed", " rate|connections|per hour|per minute|per day|messages|concurrent|sending|frequency",
     kCertain, kSender, kSlower},
    {"unusual", "rate|volume|amount of mail|traffic", kCertain, kSender, kSlower},
    {"excessive", "rate|volume|connections|mail|traffic", kCertain, kSender, kSlower},
    {"high volume", nullptr, kCertain, kSender, kSlower},
    {"high rate", nullptr, kCertain, kSender, kSlower},
    {"volume of", "mail|email|messages", kCertain, kSender, kSlower},
    {"throttl", nullptr, kCertain, kSender, kSlower},
    {"slow down", nullptr, kCertain, kSender, kSlower},
    {"slowing", "down", kCertain, kSender, kSlower},
    {"too fast", nullptr, kCertain, kSender, kSlower},
    {"too quickly", nullptr, kCertain, kSender, kSlower},
    {"too frequent", nullptr, kCertain, kSender, kSlower},
    {"too often", nullptr, kCertain, kSender, kSlower},
    {"too much", "mail|email|traffic|volume", kCertain, kSender, kSlower},
    {"deferred", "complaint|volume|reputation", kCertain, kSender, kSlower},
    {"max", "connections|sessions|messages per|recipients per| rate", kCertain, kSender, kSlower},
    {"connection limit", nullptr, kCertain, kSender, kSlower},
    {"connection rate", nullptr, kCertain, kSender, kSlower},
    {"limit", "connections|per hour|per minute|per day|concurrent|hourly|daily", kCertain, kSender, kSlower},
    {"sending limit", nullptr, kCertain, kSender, kSlower},
    {"hourly", "limit|quota", kCertain, kSender, kSlower},
    {"daily", "limit|quota", kCertain, kSender, kSlower},
    {"reduce", " rate|connections|number|volume|sending", kCertain, kSender, kSlower},
    {"lower", "number of| rate|connections", kCertain, kSender, kSlower},
    // Us: lists, reputation, proof of origin. A directory is a list of another kind.
    {"not listed", "directory|address book|name", kCertain, kRecipient, kUnsaid},
    {"blacklist", nullptr, kCertain, kSender, kUnsaid},
    {"black list", nullptr, kCertain, kSender, kUnsaid},
    {"blocklist", nullptr, kCertain, kSender, kUnsaid},
    {"block list", nullptr, kCertain, kSender, kUnsaid},
    {"denylist", nullptr, kCertain, kSender, kUnsaid},
    {"blackhole", nullptr, kCertain, kSender, kUnsaid},
    {"listed", "at |in |on |by ", kCertain, kSender, kUnsaid},
    {"dnsbl", nullptr, kCertain, kSender, kUnsaid},
    {"rbl", nullptr, kCertain, kSender, kUnsaid},
    {"spamhaus", nullptr, kCertain, kSender, kUnsaid},
    {"spamcop", nullptr, kCertain, kSender, kUnsaid},
    {"sorbs", nullptr, kCertain, kSender, kUnsaid},
    {"uceprotect", nullptr, kCertain, kSender, kUnsaid},
    {"reputation", nullptr, kCertain, kSender, kUnsaid},
    {"dkim", nullptr, kCertain, kSender, kUnsaid},
    {"dmarc", nullptr, kCertain, kSender, kUnsaid},
    {"spf", nullptr, kCertain, kSender, kUnsaid},
    {"unauthenticated", nullptr, kCertain, kSender, kUnsaid},
    {"reverse dns", nullptr, kCertain, kSender, kUnsaid},
    {"rdns", nullptr, kCertain, kSender, kUnsaid},
    {"ptr", nullptr, kCertain, kSender, kUnsaid},
    {"helo", "reject|invalid|denied|required|not resolve|does not|mismatch", kCertain, kSender, kUnsaid},
    {"ehlo", "reject|invalid|denied|required|not resolve|does not|mismatch", kCertain, kSender, kUnsaid},
    {"sender", "reject|denied|refused|blocked|verif|unknown|not exist|invalid|not allowed|not permitted",
     kCertain, kSender, kUnsaid},
    {"domain of sender", nullptr, kCertain, kSender, kUnsaid},
    {"client host", nullptr, kCertain, kSender, kUnsaid},
    {"your ip", nullptr, kCertain, kSender, kUnsaid},
    {"ip address", "blocked|reject|denied|banned|refused|not allowed", kCertain, kSender, kUnsaid},
    {"your network", nullptr, kCertain, kSender, kUnsaid},
    {"your host", nullptr, kCertain, kSender, kUnsaid},
    {"unsolicited", nullptr, kCertain, kSender, kUnsaid},
    {"not accepting", "your|from this ip", kCertain, kSender, kUnsaid},
    {"banned", nullptr, kCertain, kSender, kUnsaid},
    // Their configuration: the host does not take mail for that domain.
    {"relay", "denied|not permitted|not allowed|prohibited|access|unable", kCertain, kSite, kUnsaid},
    {"unable to relay", nullptr, kCertain, kSite, kUnsaid},
    {"not permitted to relay", nullptr, kCertain, kSite, kUnsaid},
    {"loops back to", nullptr, kCertain, kSite, kUnsaid},
    // The address.
    {"user unknown", nullptr, kCertain, kRecipient, kUnsaid},
    {"unknown", "user|recipient|mailbox|address|account|local part", kCertain, kRecipient, kUnsaid},
    {"no such", "user|recipient|mailbox|address|person|account|local", kCertain, kRecipient, kUnsaid},
    {"no mailbox", nullptr, kCertain, kRecipient, kUnsaid},
    {"no valid", "recipient", kCertain, kRecipient, kUnsaid},
    {"user", "not found|not exist|doesn't exist|doesn't have|unknown|not known|disabled|inactive|suspended",
     kCertain, kRecipient, kUnsaid},
    {"recipient", "not found|not exist|doesn't exist|unknown|not known|invalid|disabled|inactive", kCertain,
     kRecipient, kUnsaid},
    {"mailbox",
     "not found|not exist|doesn't exist|unknown|unavailable|not available|disabled|inactive|suspended",
     kCertain, kRecipient, kUnsaid},
    {"account", "not found|not exist|doesn't exist|unknown|not available|disabled|inactive|suspended|closed",
     kCertain, kRecipient, kUnsaid},
    {"address", "not found|not exist|doesn't exist|unknown|does not|no longer", kCertain, kRecipient,
     kUnsaid},
    {"invalid", "recipient|mailbox|user|address", kCertain, kRecipient, kUnsaid},
    {"bad destination", nullptr, kCertain, kRecipient, kUnsaid},
    {"not a valid", "user|mailbox|recipient|address", kCertain, kRecipient, kUnsaid},
    {"not a known", "user|mailbox|recipient|address", kCertain, kRecipient, kUnsaid},
    {"unrout", "address", kCertain, kRecipient, kUnsaid},
    // Vague: the status, where there is one, knows better.
    {"spam", nullptr, kVague, kSender, kUnsaid},
    {"junk", nullptr, kVague, kSender, kUnsaid},
    {"bulk", nullptr, kVague, kSender, kUnsaid},
    {"complaint", nullptr, kVague, kSender, kUnsaid},
    {"abus", nullptr, kVague, kSender, kUnsaid},
    {"phish", nullptr, kVague, kSender, kUnsaid},
    {"polic", nullptr, kVague, kSender, kUnsaid},
    {"blocked", nullptr, kVague, kSender, kUnsaid},
    {"access denied", nullptr, kVague, kSender, kUnsaid},
    {"not authori", nullptr, kVague, kSender, kUnsaid},
    {"content", "reject|refused|denied|not accept", kVague, kSender, kUnsaid},
    {"virus", nullptr, kVague, kMessage, kUnsaid},
    {"server", "busy|unavailable|overload|too high", kVague, kSite, kUnsaid},
    {"system", "busy|unavailable|overload|too high|problem|not accepting", kVague, kSite, kUnsaid},
    {"service", "unavailable|not available|down", kVague, kSite, kUnsaid},
    {"internal", "error|server", kVague, kSite, kUnsaid},
    {"local error", nullptr, kVague, kSite, kUnsaid},
    {"local problem", nullptr, kVague, kSite, kUnsaid},
    {"shutting down", nullptr, kVague, kSite, kUnsaid},
    {"recipient", "reject|refused|denied", kVague, kRecipient, kUnsaid},
    {"address", "reject|refused|denied", kVague, kRecipient, kUnsaid},
};

bool letter(char c) { return c >= 'a' && c <= 'z'; }
bool letter_or_digit(char c) { return letter(c) || (c >= '0' && c <= '9'); }

constexpr std::array<char, 256> kPlain = [] {
  std::array<char, 256> table{};
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i);
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = static_cast<char>(c - 'A' + 'a');
  for (const char c : {'-', '_', '\t'}) table[static_cast<unsigned char>(c)] = ' ';
  return table;
}();

// Lower case; every run of blanks, '-' and '_' becomes one space.
std::string plain(std::string_view text) {
  text = text.substr(0, kTextBound);
  std::string out;
  out.reserve(text.size() + sizeof(uint64_t));
  out.resize(text.size());
  char* end = out.data();
  char last = ' ';
  for (const char c : text) {
    const char next = kPlain[static_cast<unsigned char>(c)];
    *end = next;
    end += next == ' ' && last == ' ' ? 0 : 1;
    last = next;
  }
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

bool followed_by(const char* list, std::string_view rest) {
  rest = rest.substr(0, kAfterReach);
  std::string_view left = list;
  while (!left.empty()) {
    const size_t end = std::min(left.find('|'), left.size());
    if (rest.find(left.substr(0, end)) != std::string_view::npos) return true;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return false;
}

bool stands_at(const Phrase& phrase, std::string_view here) {
  const std::string_view wanted = phrase.text;
  if (!here.starts_with(wanted)) return false;
  return phrase.after == nullptr || followed_by(phrase.after, here.substr(wanted.size()));
}

// The first eight bytes of a row, so that nearly all rows are passed over without a look at their text.
struct Head {
  uint64_t bytes = 0;
  uint64_t mask = 0;
  size_t row = 0;
};

uint64_t first_bytes(const char* from, size_t size) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, from, size);
  return bytes;
}

size_t place(char first, char second) {
  return static_cast<size_t>(first - 'a') * 26 + static_cast<size_t>(second - 'a');
}

// Rows by their first two letters, those of one pair in the order of the table.
struct Index {
  std::array<uint16_t, 26 * 26 + 1> begin{};  // of each pair, in `heads`
  std::array<Head, std::size(kPhrases)> heads{};

  Index() {
    for (size_t row = 0; row < heads.size(); ++row) {
      const std::string_view text = kPhrases[row].text;
      const size_t size = std::min(text.size(), sizeof(uint64_t));
      const char ones[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
      heads[row] = {first_bytes(text.data(), size), first_bytes(ones, size), row};
    }
    const auto pair_of = [](const Head& head) {
      return place(kPhrases[head.row].text[0], kPhrases[head.row].text[1]);
    };
    std::sort(heads.begin(), heads.end(), [&](const Head& a, const Head& b) {
      return std::pair(pair_of(a), a.row) < std::pair(pair_of(b), b.row);
    });
    for (const Head& head : heads) ++begin[pair_of(head) + 1];
    for (size_t i = 1; i < begin.size(); ++i) begin[i] = static_cast<uint16_t>(begin[i] + begin[i - 1]);
  }
};

}  // namespace

const Phrase* find_phrase(std::string_view text) {
  static const Index index;
  std::string words = plain(text);
  const size_t size = words.size();
  words.append(sizeof(uint64_t), '\0');  // so that eight bytes can be read anywhere
  size_t best = std::size(kPhrases);
  bool in_word = false;
  for (size_t at = 0; at < size; ++at) {
    const bool begins = !in_word && letter(words[at]) && letter(words[at + 1]);
    in_word = letter_or_digit(words[at]);
    if (!begins) continue;
    const uint64_t here = first_bytes(&words[at], sizeof(uint64_t));
    const size_t pair = place(words[at], words[at + 1]);
    for (size_t i = index.begin[pair]; i < index.begin[pair + 1]; ++i) {
      const Head& head = index.heads[i];
      if (head.row >= best) break;
      if ((here & head.mask) != head.bytes) continue;
      if (!stands_at(kPhrases[head.row], std::string_view(words).substr(at, size - at))) continue;
      best = head.row;
      break;
    }
  }
  return best == std::size(kPhrases) ? nullptr : &kPhrases[best];
}

}  // namespace bounce
