// Addresses of pages and names of hosts in a template.
#include <algorithm>
#include <array>

#include "bounce/character_run.h"
#include "bounce/template_word.h"
#include "conf/vocab/ascii.h"

namespace bounce {

size_t url_length(std::string_view text) {
  if (!starts_like(text, "http://") && !starts_like(text, "https://") && !starts_like(text, "www.")) return 0;
  size_t end = std::min(text.find_first_of(" <>\"'()[]{}|\\^`"), text.size());
  while (end > 0 && (text[end - 1] == '.' || text[end - 1] == ',' || text[end - 1] == ';' ||
                     text[end - 1] == ':' || text[end - 1] == '!'))
    --end;
  return end;
}

std::string_view url_host(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#: "));
}

namespace {

// "NoSuchUser", "usr", "416": a word, or a number that is one of few. Not a name, nor a key of one mail.
bool is_code_word(std::string_view word) {
  if (word.empty() || word.size() > 24) return false;
  if (std::ranges::all_of(word, conf::is_digit)) return word.size() <= 3;
  if (is_receiver_code(word)) return true;
  size_t at = 0;
  const bool words = is_upper(word[0]);  // each begins with a capital
  while (at < word.size()) {
    const size_t begin = at + (words && is_upper(word[at]) ? 1 : 0);
    const size_t small = run(word, begin, is_lower);
    if (small == 0 || (words && begin == at)) return false;
    at = begin + small;
  }
  return words || word.size() <= 8;
}

}  // namespace

std::string_view url_code(std::string_view url) {
  // The page about bare line feeds that every qmail names.
  constexpr std::string_view kLineFeeds = "smtplf";
  if (const size_t page = url.find(kLineFeeds); page != std::string_view::npos)
    return url.substr(page, kLineFeeds.size());
  if (const size_t mark = url.rfind('#');
      mark != std::string_view::npos && is_code_word(url.substr(mark + 1)))
    return url.substr(mark + 1);
  for (size_t at = url.find('?'); at != std::string_view::npos && at < url.size();) {
    const size_t begin = at + 1;
    const size_t end = std::min(url.find_first_of("&#", begin), url.size());
    const std::string_view part = url.substr(begin, end - begin);
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const bool coded =
        name.size() == 1 || name == "code" || name == "reason" || name == "error" || name == "err";
    if (equals != std::string_view::npos && coded && is_code_word(part.substr(equals + 1))) return part;
    at = end < url.size() && url[end] == '&' ? end : std::string_view::npos;
  }
  return {};
}

bool is_list_operator(std::string_view host) {
  static constexpr std::array<std::string_view, 44> kKnown = {"spamhaus.",
                                                              "spamcop.",
                                                              "sorbs.",
                                                              "uceprotect.",
                                                              "barracudacentral.",
                                                              "abuseat.",
                                                              "cloudmark.",
                                                              "surbl.",
                                                              "uribl.",
                                                              "spamrats.",
                                                              "mailspike.",
                                                              "manitu.",
                                                              "0spam.",
                                                              "senderscore.",
                                                              "trendmicro.",
                                                              "mail-abuse.",
                                                              "psbl.",
                                                              "spfbl.",
                                                              "dronebl.",
                                                              "blocklist.",
                                                              "abusix.",
                                                              "invaluement.",
                                                              "njabl.",
                                                              "cobion.",
                                                              "gbudb.",
                                                              "senderbase.",
                                                              "barracudanetworks.",
                                                              "returnpath.",
                                                              "proofpoint.",
                                                              "cyren.",
                                                              "commtouch.",
                                                              "hostkarma.",
                                                              "junkemailfilter.",
                                                              "backscatterer.",
                                                              "lashback.",
                                                              "talosintelligence.",
                                                              "trustedsource.",
                                                              "spamcannibal.",
                                                              "five-ten-sg.",
                                                              "spameatingmonkey.",
                                                              "nordspam.",
                                                              "mxtoolbox.",
                                                              "ivmsip.",
                                                              "fabel."};
  const std::string name = conf::ascii_lower(host);
  // Each of them ends at a dot: only what stands before one is looked at.
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    const std::string_view before = std::string_view(name).substr(0, dot + 1);
    for (const std::string_view known : kKnown) {
      if (before.ends_with(known)) return true;
    }
  }
  return false;
}

std::string_view list_name(std::string_view host) {
  const auto is_part = [](char c) { return conf::is_digit(c) || c == '-'; };
  for (size_t dot = host.find('.');
       dot != std::string_view::npos && std::ranges::all_of(host.substr(0, dot), is_part);
       dot = host.find('.'))
    host.remove_prefix(dot + 1);
  return host;
}

}  // namespace bounce
