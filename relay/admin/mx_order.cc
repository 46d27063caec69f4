#include "relay/admin/mx_order.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "conf/config_parser.h"
#include "conf/vocab/address.h"

namespace relay::admin {
namespace {

using nlohmann::json;

constexpr conf::Duration kLongestBlock = std::chrono::hours(24 * 365);  // longer: until it is unblocked
constexpr size_t kMostText = 200;                                       // of the reason: one line of the log

conf::Status set_who(const std::string& value, MxOrder* order) {
  if (value.size() > kMostText) return conf::invalid("who: at most " + std::to_string(kMostText) + " octets");
  order->who = value;
  return conf::success();
}

bool* flag_of(const std::string& key, MxOrder* order) {
  return key == "all"         ? &order->all
         : key == "automatic" ? &order->automatic
         : key == "dry_run"   ? &order->dry_run
                              : nullptr;
}

conf::Status set_block(const std::string& key, const std::string& value, MxOrder* order) {
  if (order->action != MxAction::kBlock) return conf::invalid(key + ": only an order to block has it");
  if (key == "why") {
    if (value.size() > kMostText)
      return conf::invalid("why: at most " + std::to_string(kMostText) + " octets");
    order->why = value;
    return conf::success();
  }
  const conf::Result<conf::Duration> length = conf::parse_duration(value);
  if (!length.ok()) return conf::invalid("for: " + length.error().detail);
  if (length.value().count() <= 0 || length.value() > kLongestBlock)
    return conf::invalid(
        "for: more than nothing and at most 365d; leave it out to block until it is unblocked");
  order->block_for = length.value();
  return conf::success();
}

}  // namespace

conf::Result<std::string> domain_of(std::string_view text) {
  const auto refused = [&](const conf::Error& error) {
    return conf::invalid("\"" + std::string(text) + "\" is no address and no domain: " + error.detail);
  };
  if (text.find('@') != std::string_view::npos) {
    const conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(text);
    if (!mailbox.ok()) return refused(mailbox.error());
    return mailbox.value().domain.text();
  }
  const conf::Result<conf::Domain> domain = conf::Domain::parse(text);
  if (!domain.ok()) return refused(domain.error());
  if (domain.value().empty()) return conf::invalid("give an address or a domain");
  return domain.value().text();
}

conf::Status set_target(std::string_view key, std::string_view value, MxOrder* target) {
  std::string* text = key == "domain"   ? &target->domain
                      : key == "rule"   ? &target->rule
                      : key == "site"   ? &target->site
                      : key == "source" ? &target->source
                      : key == "stream" ? &target->stream
                                        : nullptr;
  if (text == nullptr)
    return conf::invalid(std::string(key) + ": no such member; there are domain, rule, site, source, stream");
  if (value.empty()) return conf::invalid(std::string(key) + ": the value is empty; leave it out instead");
  if (key != "domain") {
    *text = value;
    return conf::success();
  }
  conf::Result<std::string> domain = domain_of(value);
  if (!domain.ok()) return conf::invalid("domain: " + domain.error().detail);
  *text = std::move(domain).value();
  return conf::success();
}

conf::Status check_target(const MxOrder& target) {
  const int ways = (target.domain.empty() ? 0 : 1) + (target.rule.empty() ? 0 : 1) +
                   (target.site.empty() ? 0 : 1) + (target.all ? 1 : 0);
  if (!target.stream.empty()) {
    if (ways > 0 || !target.source.empty())
      return conf::invalid("stream: an order about a stream is about all its mail; give nothing else");
    return conf::success();
  }
  if (ways > 1 || (ways == 0 && target.source.empty()))
    return conf::invalid(
        "give exactly one of \"domain\", \"rule\", \"site\", \"stream\" and \"all\", or only a \"source\"");
  return conf::success();
}

conf::Result<MxOrder> parse_mx_order(MxAction action, std::string_view text) {
  const json body = json::parse(text, nullptr, false);
  if (!body.is_object())
    return conf::invalid("the body must be a JSON object with \"domain\", \"rule\", \"site\" or \"stream\"");
  MxOrder order;
  order.action = action;
  for (const auto& [key, value] : body.items()) {
    bool* flag = flag_of(key, &order);
    if (flag != nullptr) {
      if (!value.is_boolean()) return conf::invalid(key + ": write true or false");
      *flag = value.get<bool>();
      continue;
    }
    const auto* given = value.get_ptr<const std::string*>();
    if (given == nullptr) return conf::invalid(key + ": not a string");
    const bool of_block = key == "for" || key == "why";
    const conf::Status set = key == "who" ? set_who(*given, &order)
                             : of_block   ? set_block(key, *given, &order)
                                          : set_target(key, *given, &order);
    if (!set.ok()) return set.error();
  }
  if (conf::Status one = check_target(order); !one.ok()) return one.error();
  if (!order.stream.empty() && action == MxAction::kReset)
    return conf::invalid(
        "stream: nothing is counted for a stream; an order to unblock lifts the one to block");
  if (order.automatic && action != MxAction::kUnblock)
    return conf::invalid("automatic: only an order to unblock has it");
  return order;
}

std::string target_text(const MxOrder& target) {
  std::string text = !target.domain.empty()   ? "mail to " + target.domain
                     : !target.rule.empty()   ? "rule " + target.rule
                     : !target.site.empty()   ? "site " + target.site
                     : !target.stream.empty() ? "stream " + target.stream
                                              : "all paths";
  if (!target.source.empty()) text += " from " + target.source;
  return text;
}

}  // namespace relay::admin
