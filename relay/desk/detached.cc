#include "relay/desk/detached.h"

#include <algorithm>
#include <chrono>

#include "conf/vocab/address.h"
#include "relay/desk/site_mask.h"
#include "relay/flow/site_key.h"

namespace relay {

namespace {

std::string label_of(const mx::CounterKey& key) { return std::string(queue::label_of(key.names.site)); }

}  // namespace

bool visit_detached(queue::SiteTable* sites, size_t* next, size_t most, const UseDetached& use) {
  return sites->limiters().visit_detached(
      next, most, [sites, &use](const std::string& text, mx::Standing& standing, bool superseded) {
        mx::CounterKey key;
        if (!mx::parse_key(text, &key)) return;
        key.names.rule = sites->deciding_rule(key.names);
        use(key, standing, superseded);
      });
}

bool is_meant(const admin::MxOrder& order, const mx::CounterKey& key) {
  if (!order.source.empty() && key.names.source != order.source && key.names.source != "*") return false;
  if (!order.rule.empty()) return conf::domain_matches(order.rule, key.names.rule);
  if (!order.site.empty()) return means_site(order.site, label_of(key));
  return order.domain.empty() && (order.all || !order.source.empty());
}

admin::PathView view_of(const mx::CounterKey& key, const mx::Standing& standing, conf::Instant now) {
  admin::PathView view;
  view.site = label_of(key);
  view.source = key.names.source;
  view.rule = key.names.rule;
  view.one_site = key.names.site == "*";
  view.state = standing.state();
  if (standing.state() == mx::Standing::State::kBlocked) {
    const conf::Instant until = standing.blocked_until();
    view.blocked_seconds =
        until == conf::kNever ? -1 : std::max(0.0, std::chrono::duration<double>(until - now).count());
    view.binds = mx::Bind::kBlocked;
    view.frees_seconds = view.blocked_seconds;
    if (view.blocked_seconds == 0) view.state = mx::Standing::State::kProbing;  // the next mail is a probe
  }
  view.replies = standing.replies();
  return view;
}

}  // namespace relay
