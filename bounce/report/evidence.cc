#include "bounce/report/evidence.h"

#include <string>
#include <string_view>
#include <utility>

#include "conf/vocab/ascii.h"

namespace bounce::report {
namespace {

// Valid, expired, forged, none.
bool better(TokenState a, TokenState b) {
  if (a == TokenState::kNone || b == TokenState::kNone) return a != TokenState::kNone;
  return a < b;
}

// Calls `take` for each return path of the domain that `text`, an address or a Message-ID, ends in.
template <typename Take>
void for_each_of_domain(std::string_view text, const std::vector<conf::ReturnPathSettings>& paths,
                        const Take& take) {
  const std::string domain = conf::ascii_lower(text.substr(text.rfind('@') + 1));
  for (const conf::ReturnPathSettings& path : paths) {
    if (path.domain.empty() || path.domain == domain) take(path);
  }
}

}  // namespace

Evidence evidence_of(const Report& report, const ReturnKeys* keys,
                     const std::vector<conf::ReturnPathSettings>& paths, conf::WallTime now) {
  Evidence best;
  if (keys == nullptr) return best;
  if (!report.header_token.empty())
    best.state = keys->check_field(report.header_token, now, &best.token, &best.whom);
  if (best.state == TokenState::kValid) return best;
  const auto take = [&best](Evidence here) {
    if (better(here.state, best.state)) best = std::move(here);
  };
  for (const std::string& address : report.return_addresses) {
    for_each_of_domain(address, paths, [&](const conf::ReturnPathSettings& path) {
      Evidence here;
      here.state = keys->check_address(address, path.prefix, now, &here.token);
      take(std::move(here));
    });
  }
  if (best.state != TokenState::kNone) return best;
  for_each_of_domain(report.message_id, paths, [&](const conf::ReturnPathSettings&) {
    Evidence here;
    here.state = keys->check_message_id(report.message_id, now, &here.token);
    take(std::move(here));
  });
  return best;
}

}  // namespace bounce::report
