#include "bounce/report/named.h"

#include <algorithm>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kMostLines = 500;
constexpr size_t kMostAsked = 20;  // recipients

std::string_view host_part(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == kNowhere ? std::string_view() : address.substr(at + 1);
}

// "mx.example.com" and "example.com", in either order.
bool same_house(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  if (b.find('.') == kNowhere || !equal_ignoring_case(a.substr(a.size() - b.size()), b)) return false;
  return a.size() == b.size() || a[a.size() - b.size() - 1] == '.';
}

bool has_reply(std::string_view text) { return find_code(text) != 0 && !find_status(text).empty(); }

// The line names the recipient: what does it say of him?
void ask(std::string_view line, const AddressSpan& span, const Recipient& recipient, bool own, Named* named) {
  const bool leads = leading_code(trimmed(line), nullptr) != 0;
  named->coded = named->coded || leads;
  named->our_mail = named->our_mail || names_our_mail(without_ends(line.substr(0, span.begin)));
  if (!own) return;
  std::string_view before = trimmed(line.substr(0, span.begin));
  if (const size_t stop = before.rfind(". "); stop != kNowhere) before.remove_prefix(stop + 2);
  const std::string_view label = before.substr(0, before.find_last_not_of("< ") + 1);
  const bool told = colon_before(label) && notice_words().occurs(label, kSaysFailure);
  named->by_host = named->by_host || told || has_reply(recipient.diagnostic) || (leads && has_reply(line));
}

}  // namespace

Named named_in(std::string_view text, std::string_view from, const std::vector<Recipient>& recipients) {
  Named named{!recipients.empty(), false, false, false};
  size_t header_lines = 0;
  LineReader lines(text);
  std::string_view line;
  for (size_t i = 0; i < kMostLines && lines.next(&line); ++i) {
    header_lines += repeats_header(trimmed(line)) ? 1 : 0;
    AddressSpan span;
    if (!find_address(line, 0, &span)) continue;
    const std::string_view address = line.substr(span.begin, span.end - span.begin);
    for (size_t k = 0; k < std::min(kMostAsked, recipients.size()); ++k) {
      const Recipient& each = recipients[k];
      if (!same_address(each.address, address)) continue;
      ask(line, span, each, same_house(host_part(each.address), host_part(from)), &named);
    }
  }
  for (const Recipient& each : recipients) {
    named.coded = named.coded || find_code(each.diagnostic) != 0 || !find_status(each.diagnostic).empty();
  }
  named.our_mail = named.our_mail || header_lines >= 2;
  return named;
}

}  // namespace bounce::report
