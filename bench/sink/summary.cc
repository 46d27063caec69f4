#include "bench/sink/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

SiteTally total(const Server& server) {
  SiteTally sum;
  for (const auto& site : server.sites()) sum.add(site->tally());
  return sum;
}

std::string group_line(const Site& site) {
  const SiteTally& at = site.tally();
  std::string out =
      fmt::format("{:<14} {} messages, {} connections, at most {} at once ({} from one source), {} refused",
                  site.group().name, at.messages, at.connections, at.max_open, at.max_per_source, at.refused);
  const std::pair<const char*, uint64_t> rest[] = {{"dropped", at.dropped},
                                                   {"delayed", at.delayed},
                                                   {"greylisted", at.greylisted},
                                                   {"back too early", at.early},
                                                   {"bad handshakes", at.bad_handshakes},
                                                   {"late reports", at.late},
                                                   {"ill mannered", at.ill_mannered}};
  for (const auto& [name, count] : rest)
    if (count > 0) out += fmt::format(", {} {}", count, name);
  for (size_t i = 0; i < kLimits; ++i)
    if (at.broken[i] > 0) out += fmt::format(", broken {}: {}", kLimitNames[i], at.broken[i]);
  return out + "\n";
}

nlohmann::ordered_json broken_json(const SiteTally& tally) {
  nlohmann::ordered_json out;
  for (size_t i = 0; i < kLimits; ++i) out[kLimitNames[i]] = tally.broken[i];
  return out;
}

nlohmann::ordered_json group_json(const Site& site) {
  const SiteTally& at = site.tally();
  return {{"name", site.group().name},       {"messages", at.messages},
          {"recipients", at.recipients},     {"connections", at.connections},
          {"max_concurrent", at.max_open},   {"max_from_one_source", at.max_per_source},
          {"refused", at.refused},           {"dropped", at.dropped},
          {"delayed", at.delayed},           {"greylisted", at.greylisted},
          {"back_too_early", at.early},      {"bad_handshakes", at.bad_handshakes},
          {"ill_mannered", at.ill_mannered}, {"late_reports", at.late},
          {"broken_total", at.all_broken()}, {"broken", broken_json(at)}};
}

// Whoever was refused may come yet, or was told that it never will: only the sender knows.
std::string why_not(const IdTotals& ids, const Tally& tally) {
  if (ids.lost == 0 || tally.refused + tally.turned_away == 0) return {};
  return " (refused, still waiting at the sender, or lost)";
}

std::string late_line(const SiteTally& sum, const Postman* postman) {
  if (sum.late == 0) return {};
  if (postman == nullptr)
    return fmt::format("late reports: {} due, none sent: there is no reports_to and no --reports-to\n",
                       sum.late);
  const PostTotals post = postman->totals();
  std::string out = fmt::format("late reports: {} due, {} sent, {} refused, {} left out, {} still to send",
                                sum.late, post.sent, post.refused, post.overflow, post.waiting);
  if (!post.last_trouble.empty()) out += "; last trouble: " + post.last_trouble;
  return out + "\n";
}

}  // namespace

std::string text_summary(const SinkOptions& options, const Server& server) {
  const Tally& tally = server.tally();
  const IdTotals ids = server.id_count().totals(options.expect);
  std::string out = fmt::format(
      "penstock-sink: {} messages, {} recipients, {} bytes, {} refused, {} connections, at most {} at once, "
      "{} turned away, {} protocol errors\n",
      tally.messages, tally.recipients, tally.bytes, tally.refused, tally.connections, tally.max_open,
      tally.turned_away, tally.protocol_errors);
  if (ids.distinct > 0 || options.expect > 0)
    out += fmt::format("               ids: {} came, {} did not{}, {} duplicated, {} reordered\n",
                       ids.distinct, ids.lost, why_not(ids, tally), ids.duplicated, ids.reordered);
  for (const auto& site : server.sites())
    if (site->tally().connections > 0) out += group_line(*site);
  if (server.sites().empty()) return out;
  const SiteTally sum = total(server);
  out += late_line(sum, server.postman());
  out += fmt::format("broken limits: {}", sum.all_broken());
  for (size_t i = 0; i < kLimits; ++i)
    if (sum.broken[i] > 0) out += fmt::format(", {}: {}", kLimitNames[i], sum.broken[i]);
  return out + "\n";
}

std::string json_summary(const SinkOptions& options, const Server& server) {
  const Tally& tally = server.tally();
  const IdTotals ids = server.id_count().totals(options.expect);
  nlohmann::ordered_json out = {{"messages", tally.messages},
                                {"recipients", tally.recipients},
                                {"bytes", tally.bytes},
                                {"refused", tally.refused},
                                {"connections", tally.connections},
                                {"max_concurrent", tally.max_open},
                                {"turned_away", tally.turned_away},
                                {"protocol_errors", tally.protocol_errors}};
  out["ids"] = {{"distinct", ids.distinct},
                {"lost", ids.lost},
                {"duplicated", ids.duplicated},
                {"reordered", ids.reordered},
                {"foreign", ids.foreign}};
  if (server.sites().empty()) return out.dump() + "\n";
  const SiteTally sum = total(server);
  out["broken_total"] = sum.all_broken();
  out["broken"] = broken_json(sum);
  out["late_reports"] = {{"due", sum.late}};
  if (server.postman() != nullptr) {
    const PostTotals post = server.postman()->totals();
    out["late_reports"].update({{"sent", post.sent},
                                {"refused", post.refused},
                                {"left_out", post.overflow},
                                {"waiting", post.waiting},
                                {"last_trouble", post.last_trouble}});
  }
  for (const auto& site : server.sites()) out["groups"].push_back(group_json(*site));
  return out.dump() + "\n";
}

std::vector<std::string> failures(const SinkOptions& options, const Server& server) {
  const IdTotals ids = server.id_count().totals(options.expect);
  const uint64_t figures[] = {total(server).all_broken(), ids.lost, ids.duplicated, ids.reordered,
                              server.tally().protocol_errors};
  std::vector<std::string> out;
  for (size_t i = 0; i < std::size(kFailOn); ++i) {
    const bool asked =
        std::find(options.fail_on.begin(), options.fail_on.end(), kFailOn[i]) != options.fail_on.end();
    if (asked && figures[i] > 0) out.push_back(fmt::format("{}: {}", kFailOn[i], figures[i]));
  }
  return out;
}

}  // namespace bench
